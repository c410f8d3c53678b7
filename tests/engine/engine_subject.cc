#include "tests/engine/engine_subject.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/engine/lockstep_subject.h"

namespace nearby::test {

EngineSubject::EngineSubject(const EngineOptions& options)
    : options_(options), engine_(Engine::Create(options).value()), oracle_(options) {}

void EngineSubject::Befriend(UserId a, UserId b) {
  store_.Commit(a, b, Changed(store_.Get(a, b), Op::Kind::kBefriend));
  first_version_ = store_.version();
}

std::vector<std::string> EngineSubject::Do(const Op& op) {
  effects_.Clear();
  switch (op.kind) {
    case Op::Kind::kAdvance:
      Advance(op.time);
      break;
    case Op::Kind::kReport:
      Report(op);
      break;
    case Op::Kind::kConnect:
      Connect(op);
      break;
    case Op::Kind::kDisconnect:
      Disconnect(op.user);
      break;
    case Op::Kind::kSetRadius:
      SetRadius(op.user, *op.radius_m);
      break;
    case Op::Kind::kNearby:
      ReadPages(op.user, op.choice % 7 + 1);
      break;
    case Op::Kind::kLoad:
      LetArrive(op.choice);
      break;
    case Op::Kind::kReload:
      Reload(op);
      break;
    case Op::Kind::kBadList:
      TryBadList(op);
      break;
    case Op::Kind::kRepeatChange:
      RepeatChange(op.choice);
      break;
    case Op::Kind::kStaleHandle:
      TryStaleHandle(op);
      break;
    default:
      ChangeFriendship(op);
  }
  for (std::string& complaint : oracle_.TakeComplaints()) faults_.push_back(std::move(complaint));
  return std::exchange(faults_, {});
}

void EngineSubject::Advance(Time now) {
  const bool is_idle = now < engine_->next_event();
  Expect(engine_->Advance(now, &effects_).ok(), "time must go on");
  Expect(!is_idle || effects_.deliveries.empty(), "something happened before next_event()");
  Expect(engine_->next_event() > now, "next_event() must lie ahead");
  oracle_.Advance(Observed(), now);
}

void EngineSubject::Report(const Op& op) {
  const auto session = sessions_.find(op.user);
  const ClientHandle client = session == sessions_.end() ? ClientHandle() : session->second;
  const ReportOutcome outcome = engine_->Report({client, op.location, op.time}, &effects_);
  ++reports_;
  const bool is_located = options_.emit_locations && outcome == ReportOutcome::kAccepted;
  Expect(effects_.locations.size() == (is_located ? 1u : 0u),
         "a location for each accepted report");
  for (const AcceptedLocation& location : effects_.locations) {
    Expect(location.user == op.user && location.reported_at == op.time &&
               location.accepted_at == engine_->now() &&
               location.position == Position::FromLatLng(op.location),
           "the location must be the reported one");
  }
  oracle_.Report(Observed(), op.user, {op.location, op.time}, outcome);
}

void EngineSubject::Connect(const Op& op) {
  const ConnectRequest request{op.user, ++last_cookie_, op.radius_m};
  const absl::StatusOr<ClientHandle> client = engine_->Connect(request, &effects_);
  Expect(client.ok(), "a connect must succeed");
  if (!client.ok()) return;
  const auto before = sessions_.find(op.user);
  const bool replaces = before != sessions_.end();
  Expect(effects_.replaced.size() == (replaces ? 1u : 0u), "a second connect replaces the first");
  if (replaces) {
    Expect(effects_.replaced[0].client == before->second && effects_.replaced[0].user == op.user,
           "the replaced session is the one before");
    over_.push_back({before->second, op.user});
  }
  Expect(effects_.friend_requests.size() == 1 && effects_.friend_requests[0].client == *client &&
             effects_.friend_requests[0].user == op.user,
         "a connect asks for the friends");
  Expect(engine_->Find(op.user) == client.value(), "the session must be found");
  sessions_[op.user] = *client;
  loaded_[client->slot] = FriendVersion{};
  loads_.push_back({{*client, op.user}, VersionBefore(op.choice)});
  oracle_.Connect(Observed(), request);
}

void EngineSubject::Disconnect(UserId user) {
  const auto session = sessions_.find(user);
  if (session == sessions_.end()) {
    Expect(!engine_->Find(user).has_value(), "nobody is there to disconnect");
    return;
  }
  Expect(engine_->Disconnect(session->second, &effects_).ok(), "a disconnect must succeed");
  over_.push_back({session->second, user});
  sessions_.erase(session);
  oracle_.Disconnect(Observed(), user);
}

void EngineSubject::SetRadius(UserId user, double radius_m) {
  const auto session = sessions_.find(user);
  if (session == sessions_.end()) return;
  Expect(engine_->SetRadius(session->second, radius_m, &effects_).ok(),
         "a radius must be accepted");
  oracle_.SetRadius(Observed(), user, radius_m);
}

void EngineSubject::ReadPages(UserId user, std::size_t page_size) {
  const auto session = sessions_.find(user);
  if (session == sessions_.end()) return;
  PageToken after;
  for (;;) {
    effects_.Clear();
    const absl::StatusOr<NearbyPage> page =
        engine_->Nearby(session->second, after, page_size, &effects_);
    Expect(page.ok(), "a page must be given");
    if (!page.ok()) return;
    oracle_.Nearby(Observed(), user, after, page_size, *page);
    if (!page->next) return;
    after = *page->next;
  }
}

void EngineSubject::ChangeFriendship(const Op& op) {
  const Friendship after = Changed(store_.Get(op.user, op.other), op.kind);
  if (op.user == op.other) {
    const FriendshipChange change{op.user, op.other, after, FriendVersion{~std::uint64_t{0}}};
    Expect(absl::IsInvalidArgument(engine_->Apply(change, &effects_)), "a user is not a pair");
    ExpectUnchanged("a change of a user with themselves");
    return;
  }
  // What holds already is committed as well: a store may well do so, and it must deliver nothing.
  const FriendshipChange change = store_.Commit(op.user, op.other, after);
  Expect(engine_->Apply(change, &effects_).ok(), "a change must be accepted");
  oracle_.Apply(Observed(), change);
}

void EngineSubject::RepeatChange(std::uint64_t choice) {
  const std::vector<FriendshipChange>& history = store_.history();
  if (history.size() <= ToInt(first_version_)) return;
  const std::size_t count = history.size() - ToInt(first_version_);
  // The latest are the most likely to be confused.
  const std::size_t back = choice % std::min<std::size_t>(count, choice % 2 == 0 ? 4 : count);
  FriendshipChange change = history[history.size() - 1 - back];
  if (choice % 3 == 0) {
    change = {change.friend_id, change.user, change.friendship.Flipped(), change.version};
  }
  const absl::Status status = engine_->Apply(change, &effects_);
  const bool may_be_forgotten = count > options_.max_remembered_changes;
  Expect(status.ok() || (may_be_forgotten && absl::IsFailedPrecondition(status)),
         "an old change is ignored");
  if (status.ok()) {
    ExpectUnchanged("an old change");
  } else {
    oracle_.ApplyTooOld(Observed(), change);
  }
}

FriendVersion EngineSubject::VersionBefore(std::uint64_t choice) const {
  const std::uint64_t changes = ToInt(store_.version()) - ToInt(first_version_);
  const std::uint64_t back =
      choice % 3 == 0 ? 0 : choice % (std::min<std::uint64_t>(changes, 20) + 1);
  return FriendVersion{ToInt(store_.version()) - back};
}

void EngineSubject::LetArrive(std::uint64_t choice) {
  if (loads_.empty()) return;
  const std::size_t index = choice % loads_.size();
  const Load load = loads_[index];
  loads_.erase(loads_.begin() + static_cast<std::ptrdiff_t>(index));
  Install(load, /*with_repeats=*/choice % 5 == 0);
}

void EngineSubject::Reload(const Op& op) {
  const auto session = sessions_.find(op.user);
  if (session == sessions_.end()) return;
  Install({{session->second, op.user}, VersionBefore(op.choice)}, op.choice % 5 == 0);
}

void EngineSubject::Install(const Load& load, bool with_repeats) {
  std::vector<FriendEntry> list = store_.ListAt(load.session.user, load.version);
  if (with_repeats) {
    // Each friend first with the opposite of everything: only the last entry counts.
    std::vector<FriendEntry> wrong = list;
    for (FriendEntry& entry : wrong) {
      const Friendship& f = entry.friendship;
      entry.friendship = {!f.friends, !f.i_hide, !f.friend_hides, f.i_unsubscribed,
                          f.friend_unsubscribed};
      if (f.i_hide || f.friend_hides) entry.friendship.friends = true;
    }
    list.insert(list.begin(), wrong.begin(), wrong.end());
  }
  const absl::Status status =
      engine_->FriendsLoaded(load.session.client, load.version, list, &effects_);
  if (IsOver(load.session)) {
    Expect(absl::IsNotFound(status), "a list for a session that is over must be refused");
    ExpectUnchanged("a list for a session that is over");
    return;
  }
  FriendVersion& loaded = loaded_[load.session.client.slot];
  const bool is_outdated = load.version < loaded;
  const std::size_t changes = store_.history().size() - ToInt(first_version_);
  const bool may_be_forgotten =
      load.version < store_.version() && changes > options_.max_remembered_changes;
  if (is_outdated || (may_be_forgotten && absl::IsFailedPrecondition(status))) {
    Expect(absl::IsFailedPrecondition(status), "a list older than the last must be refused");
    ExpectUnchanged("a list too old");
    loads_.push_back({load.session, store_.version()});
    return;
  }
  loaded = load.version;
  Expect(status.ok(), absl::StrCat("a list must be accepted: ", std::string(status.message())));
  const ConnectAnswer* answer = effects_.answers.empty() ? nullptr : effects_.answers.data();
  Expect(answer == nullptr || answer->client == load.session.client, "answers go to who asked");
  oracle_.FriendsLoaded({effects_.deliveries, answer}, load.session.user, load.version, list);
}

void EngineSubject::TryBadList(const Op& op) {
  const auto session = sessions_.find(op.user);
  if (session == sessions_.end()) return;
  std::vector<FriendEntry> list = store_.ListAt(op.user, store_.version());
  if (op.choice % 2 == 0) {
    list.push_back({op.user, Friendship{true}});
    Expect(absl::IsInvalidArgument(
               engine_->FriendsLoaded(session->second, store_.version(), list, &effects_)),
           "nobody is on their own list");
  } else {
    list.resize(options_.max_friends + std::size_t{1}, {op.other, Friendship()});
    for (FriendEntry& entry : list) {
      if (entry.friend_id == op.user) entry.friend_id = UserId{ToInt(op.user) + 1000};
    }
    Expect(absl::IsResourceExhausted(
               engine_->FriendsLoaded(session->second, store_.version(), list, &effects_)),
           "a list has a limit");
  }
  ExpectUnchanged("a bad list");
}

void EngineSubject::TryStaleHandle(const Op& op) {
  if (over_.empty()) return;
  const Session& session = over_[op.choice % over_.size()];
  const ClientHandle client = session.client;
  Expect(
      engine_->Report({client, {1, 2}, engine_->now()}, &effects_) == ReportOutcome::kUnknownClient,
      "a stale handle does not report");
  ++reports_;
  Expect(absl::IsNotFound(engine_->SetRadius(client, 100, &effects_)), "nor set a radius");
  Expect(absl::IsNotFound(engine_->Nearby(client, {}, 5, &effects_).status()), "nor read pages");
  Expect(absl::IsNotFound(engine_->Disconnect(client, &effects_)), "nor disconnect");
  Expect(absl::IsNotFound(engine_->FriendsLoaded(client, store_.version(), {}, &effects_)),
         "nor load friends");
  ExpectUnchanged("a stale handle");
}

bool EngineSubject::IsOver(const Session& session) const {
  const auto found = sessions_.find(session.user);
  return found == sessions_.end() || found->second != session.client;
}

std::vector<std::string> EngineSubject::CheckStats() const {
  const EngineStats& stats = engine_->stats();
  const EngineOracle::Counts& counts = oracle_.counts();
  std::vector<std::string> faults;
  if (stats.enters != counts.enters || stats.moves != counts.moves ||
      stats.resets != counts.resets || stats.leaves != counts.leaves) {
    faults.push_back(absl::StrCat("delivered ", counts.enters, " enters, ", counts.moves,
                                  " moves, ", counts.resets, " resets; counted ", stats.enters,
                                  ", ", stats.moves, ", ", stats.resets));
  }
  if (stats.clients != sessions_.size() || stats.entities != sessions_.size()) {
    faults.push_back(absl::StrCat(sessions_.size(), " sessions; counted ", stats.clients,
                                  " clients, ", stats.entities, " entities"));
  }
  return faults;
}

EngineOracle::Observed EngineSubject::Observed() const { return {effects_.deliveries}; }

void EngineSubject::Expect(bool holds, const std::string& what) {
  if (!holds) faults_.push_back(what);
}

void EngineSubject::ExpectUnchanged(const char* what) {
  Expect(effects_.answers.empty() && effects_.messages.empty() && effects_.locations.empty(),
         absl::StrCat(what, " must have no effects"));
  oracle_.Nothing(Observed());
}

}  // namespace nearby::test
