#include "tests/engine/scenario_runner.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "tests/engine/scenario_values.h"

namespace nearby::test {
namespace {

constexpr Time kNoon{12 * 3'600'000};

}  // namespace

const std::map<std::string, ScenarioRunner::Handler>& ScenarioRunner::SetupHandlers() {
  using R = ScenarioRunner;
  static const auto* const handlers = new std::map<std::string, Handler>{
      {"raw", &R::Raw},   {"shards", &R::Shards}, {"options", &R::Options},
      {"user", &R::User}, {"place", &R::Place},
  };
  return *handlers;
}

const std::map<std::string, ScenarioRunner::Handler>& ScenarioRunner::Handlers() {
  using R = ScenarioRunner;
  static const auto* const handlers = new std::map<std::string, Handler>{
      {"at", &R::At},
      {"advance", &R::Advance},
      {"connect", &R::Connect},
      {"disconnect", &R::Disconnect},
      {"report", &R::Report},
      {"radius", &R::Radius},
      {"nearby", &R::Nearby},
      {"home", &R::Home},
      {"stats", &R::Stats},
      {"befriend", &R::Befriend},
      {"unfriend", &R::Unfriend},
      {"hide", &R::Hide},
      {"share", &R::Share},
      {"subscribe", &R::Subscribe},
      {"unsubscribe", &R::Unsubscribe},
      {"friends-loaded", &R::FriendsLoaded},
      {"apply", &R::Apply},
      {"carry", &R::Carry},
  };
  return *handlers;
}

std::string ScenarioRunner::Run(const ScenarioStep& step) {
  output_.clear();
  for (const std::string& line : step.head) {
    if (IsBlankOrComment(line)) continue;
    const absl::Status status = Execute(line);
    if (world_ != nullptr) absl::StrAppend(&output_, world_->TakeOutput());
    if (!status.ok()) absl::StrAppend(&output_, "error: ", status.ToString(), "\n");
  }
  if (world_ != nullptr) {
    const absl::Status status = world_->CheckInvariants();
    if (!status.ok()) absl::StrAppend(&output_, "INVARIANT BROKEN: ", status.ToString(), "\n");
  }
  return output_.empty() ? "ok\n" : output_;
}

absl::StatusOr<ScenarioRunner::Command> ScenarioRunner::ParseCommand(absl::string_view line) {
  Command command;
  for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (halves.second.empty()) {
      command.words.emplace_back(word);
    } else if (!command.named.emplace(halves.first, halves.second).second) {
      return Malformed(halves.first, " is given twice");
    }
  }
  return command;
}

absl::Status ScenarioRunner::Execute(absl::string_view line) {
  const absl::StatusOr<Command> command = ParseCommand(line);
  if (!command.ok()) return command.status();
  const std::string& name = command->words.empty() ? "" : command->words[0];
  if (const auto setup = SetupHandlers().find(name); setup != SetupHandlers().end()) {
    return (this->*setup->second)(*command);
  }
  const auto handler = Handlers().find(name);
  if (handler == Handlers().end()) return Malformed("no such command: ", line);
  if (world_ == nullptr) {
    if (absl::Status status = MakeWorld(); !status.ok()) return status;
  }
  return (this->*handler->second)(*command);
}

absl::Status ScenarioRunner::MakeWorld() {
  absl::StatusOr<std::unique_ptr<ScenarioWorld>> world =
      is_raw_ ? MakeRawWorld(setup_, &names_) : MakeLockstepWorld(setup_, &names_);
  if (!world.ok()) return world.status();
  world_ = *std::move(world);
  return world_->Advance(kNoon);
}

absl::Status ScenarioRunner::Raw(const Command& /*command*/) {
  if (world_ != nullptr) return Malformed("too late for `raw`");
  is_raw_ = true;
  if (!is_pinned_) setup_.shards = 1;
  is_pinned_ = true;
  return absl::OkStatus();
}

absl::Status ScenarioRunner::Shards(const Command& command) {
  if (world_ != nullptr || command.words.size() != 2) return Malformed("shards N, first");
  const absl::StatusOr<std::uint64_t> shards = ParseCount(command.words[1]);
  if (!shards.ok()) return shards.status();
  setup_.shards = static_cast<std::uint32_t>(*shards);
  is_pinned_ = true;
  return absl::OkStatus();
}

absl::Status ScenarioRunner::Options(const Command& command) {
  if (world_ != nullptr) return Malformed("too late for `options`");
  for (const auto& [name, value] : command.named) {
    if (absl::Status status = SetOption(name, value, &setup_.options); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ScenarioRunner::User(const Command& command) {
  if (command.words.size() != 3) return Malformed("user NAME ID");
  const absl::StatusOr<std::uint64_t> id = ParseCount(command.words[2]);
  if (!id.ok()) return id.status();
  if (!names_.Assign(command.words[1], UserId{*id})) return Malformed("name or id is taken");
  return absl::OkStatus();
}

absl::Status ScenarioRunner::Place(const Command& command) {
  LatLng place;
  if (command.words.size() != 4 || !absl::SimpleAtod(command.words[2], &place.lat) ||
      !absl::SimpleAtod(command.words[3], &place.lng)) {
    return Malformed("place NAME LAT LNG");
  }
  places_[command.words[1]] = place;
  return absl::OkStatus();
}

absl::Status ScenarioRunner::At(const Command& command) {
  if (command.words.size() != 2) return Malformed("at HH:MM:SS.mmm");
  const absl::StatusOr<Time> time = ParseTime(command.words[1]);
  if (!time.ok()) return time.status();
  return world_->Advance(*time);
}

absl::Status ScenarioRunner::Advance(const Command& command) {
  if (command.words.size() != 2) return Malformed("advance DURATION");
  const absl::StatusOr<absl::Duration> step = ParseDuration(command.words[1]);
  if (!step.ok()) return step.status();
  return world_->Advance({world_->now().ms + absl::ToInt64Milliseconds(*step)});
}

absl::Status ScenarioRunner::Connect(const Command& command) {
  if (command.words.size() != 2) return Malformed("connect NAME");
  ScenarioWorld::Connection connection;
  connection.session = command.words[1];
  connection.request.user = names_.Id(command.words[1]);
  if (const auto as = command.named.find("as"); as != command.named.end()) {
    connection.session = as->second;
  }
  if (const auto cookie = command.named.find("cookie"); cookie != command.named.end()) {
    const absl::StatusOr<std::uint64_t> value = ParseCount(cookie->second);
    if (!value.ok()) return value.status();
    connection.request.cookie = *value;
  }
  if (const auto radius = command.named.find("radius"); radius != command.named.end()) {
    const absl::StatusOr<double> value = ParseMeters(radius->second);
    if (!value.ok()) return value.status();
    connection.request.radius_m = *value;
  }
  return world_->Connect(connection);
}

absl::Status ScenarioRunner::Disconnect(const Command& command) {
  if (command.words.size() != 2) return Malformed("disconnect NAME");
  return world_->Disconnect(command.words[1]);
}

absl::StatusOr<LatLng> ScenarioRunner::ParseWhere(const Command& command) const {
  LatLng point;
  if (command.words.size() == 4 && absl::SimpleAtod(command.words[2], &point.lat) &&
      absl::SimpleAtod(command.words[3], &point.lng)) {
    return point;
  }
  if (command.words.size() != 3) return Malformed("report NAME WHERE");
  const std::vector<std::string> parts = absl::StrSplit(command.words[2], '+');
  const auto place = places_.find(parts[0]);
  if (place == places_.end()) return Malformed("no such place: ", parts[0]);
  if (parts.size() == 1) return place->second;
  const char direction = parts[1].back();
  const absl::StatusOr<double> meters = ParseMeters(parts[1].substr(0, parts[1].size() - 1));
  if (!meters.ok()) return meters.status();
  if (!absl::StrContains("NESW", std::string(1, direction))) return Malformed("N, E, S or W");
  return Offset(place->second, *meters, direction);
}

absl::Status ScenarioRunner::Report(const Command& command) {
  const absl::StatusOr<LatLng> where = ParseWhere(command);
  if (!where.ok()) return where.status();
  Time reported_at = world_->now();
  for (const auto& [name, text] : command.named) {
    const absl::StatusOr<absl::Duration> shift = ParseDuration(text);
    if (!shift.ok()) return shift.status();
    reported_at.ms += absl::ToInt64Milliseconds(name == "ahead" ? *shift : -*shift);
  }
  const ReportOutcome outcome = world_->Report(command.words[1], *where, reported_at);
  if (outcome == ReportOutcome::kConflated) {
    absl::StrAppend(&output_, command.words[1], ": held back\n");
  }
  return ToStatus(outcome);
}

absl::Status ScenarioRunner::Radius(const Command& command) {
  if (command.words.size() != 3) return Malformed("radius NAME METRESm");
  const absl::StatusOr<double> radius_m = ParseMeters(command.words[2]);
  if (!radius_m.ok()) return radius_m.status();
  return world_->SetRadius(command.words[1], *radius_m);
}

absl::Status ScenarioRunner::Nearby(const Command& command) {
  const auto size = command.named.find("size");
  if (command.words.size() < 2 || size == command.named.end())
    return Malformed("nearby NAME size=N");
  const absl::StatusOr<std::uint64_t> count = ParseCount(size->second);
  if (!count.ok()) return count.status();
  const std::string& session = command.words[1];
  PageToken after;
  if (command.words.size() == 3 && command.words[2] == "next") after = page_tokens_[session];
  const absl::StatusOr<NearbyPage> page = world_->Nearby(session, after, *count);
  if (!page.ok()) return page.status();
  // The deliveries that a page brings come before it.
  absl::StrAppend(&output_, world_->TakeOutput(), session, ": ", page->in_sight, " in sight\n");
  for (const NearbyFriend& entry : page->friends) {
    absl::StrAppend(&output_, "  ", names_.Name(entry.friend_id), " ",
                    FormatDistance(entry.distance_mm), "\n");
  }
  if (page->next) {
    absl::StrAppend(&output_, "  and more\n");
    page_tokens_[session] = *page->next;
  }
  return absl::OkStatus();
}

absl::Status ScenarioRunner::Home(const Command& command) {
  if (command.words.size() != 2) return Malformed("home NAME");
  is_pinned_ = true;
  absl::StrAppend(&output_, command.words[1], ": shard ",
                  ToInt(world_->home(names_.Id(command.words[1]))), "\n");
  return absl::OkStatus();
}

absl::Status ScenarioRunner::Stats(const Command& command) {
  const EngineStats stats = world_->stats();
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    const absl::StatusOr<std::uint64_t> value = Counter(stats, command.words[i]);
    if (!value.ok()) return value.status();
    absl::StrAppend(&output_, command.words[i], "=", *value, "\n");
  }
  return absl::OkStatus();
}

absl::Status ScenarioRunner::ApplyViewing(ScenarioWorld::Change change, const Command& command) {
  const auto owner = command.named.find("owner");
  const auto viewer = command.named.find("viewer");
  if (owner == command.named.end() || viewer == command.named.end()) {
    return Malformed(command.words[0], " owner=NAME viewer=NAME");
  }
  return world_->Apply(change, {names_.Id(viewer->second), names_.Id(owner->second)});
}

absl::Status ScenarioRunner::Befriend(const Command& command) {
  if (command.words.size() != 3) return Malformed("befriend A B");
  const UserId a = names_.Id(command.words[1]);
  return world_->Apply(ScenarioWorld::Change::kBefriend, {a, names_.Id(command.words[2])});
}

absl::Status ScenarioRunner::Unfriend(const Command& command) {
  if (command.words.size() != 3) return Malformed("unfriend A B");
  const UserId a = names_.Id(command.words[1]);
  return world_->Apply(ScenarioWorld::Change::kUnfriend, {a, names_.Id(command.words[2])});
}

absl::Status ScenarioRunner::Hide(const Command& command) {
  return ApplyViewing(ScenarioWorld::Change::kHide, command);
}
absl::Status ScenarioRunner::Share(const Command& command) {
  return ApplyViewing(ScenarioWorld::Change::kShare, command);
}
absl::Status ScenarioRunner::Subscribe(const Command& command) {
  return ApplyViewing(ScenarioWorld::Change::kSubscribe, command);
}
absl::Status ScenarioRunner::Unsubscribe(const Command& command) {
  return ApplyViewing(ScenarioWorld::Change::kUnsubscribe, command);
}

absl::StatusOr<FriendEntry> ScenarioRunner::ParseEntry(const std::string& word) {
  const std::vector<std::string> parts =
      absl::StrSplit(word, absl::ByAnyChar("(,)"), absl::SkipEmpty());
  FriendEntry entry;
  entry.friend_id = names_.Id(parts[0]);
  entry.friendship.friends = true;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "stranger") {
      entry.friendship.friends = false;
    } else if (parts[i] == "hides") {
      entry.friendship.friend_hides = true;
    } else if (parts[i] == "hidden") {
      entry.friendship.i_hide = true;
    } else if (parts[i] == "ignored") {
      entry.friendship.i_unsubscribed = true;
    } else if (parts[i] == "ignores") {
      entry.friendship.friend_unsubscribed = true;
    } else {
      return Malformed("no such flag: ", parts[i]);
    }
  }
  return entry;
}

absl::Status ScenarioRunner::FriendsLoaded(const Command& command) {
  if (command.words.size() < 3) return Malformed("friends-loaded NAME vVERSION ENTRY...");
  const absl::StatusOr<std::uint64_t> version =
      ParseCount(absl::StripPrefix(command.words[2], "v"));
  if (!version.ok()) return version.status();
  std::vector<FriendEntry> friends;
  for (std::size_t i = 3; i < command.words.size(); ++i) {
    absl::StatusOr<FriendEntry> entry = ParseEntry(command.words[i]);
    if (!entry.ok()) return entry.status();
    friends.push_back(*entry);
  }
  return world_->LoadFriends(command.words[1], FriendVersion{*version}, friends);
}

absl::Status ScenarioRunner::Apply(const Command& command) {
  if (command.words.size() != 4) return Malformed("apply vVERSION NAME ENTRY");
  const absl::StatusOr<std::uint64_t> version =
      ParseCount(absl::StripPrefix(command.words[1], "v"));
  if (!version.ok()) return version.status();
  const UserId user = names_.Id(command.words[2]);
  const absl::StatusOr<FriendEntry> entry = ParseEntry(command.words[3]);
  if (!entry.ok()) return entry.status();
  return world_->ApplyRaw({user, entry->friend_id, entry->friendship, FriendVersion{*version}});
}

absl::Status ScenarioRunner::Carry(const Command& /*command*/) { return world_->Carry(); }

}  // namespace nearby::test
