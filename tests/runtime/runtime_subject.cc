#include "tests/runtime/runtime_subject.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace nearby::test {
namespace {

FriendEdit::Kind EditKind(Op::Kind kind) {
  switch (kind) {
    case Op::Kind::kBefriend:
      return FriendEdit::Kind::kBefriend;
    case Op::Kind::kUnfriend:
      return FriendEdit::Kind::kUnfriend;
    case Op::Kind::kHide:
      return FriendEdit::Kind::kHide;
    case Op::Kind::kShare:
      return FriendEdit::Kind::kShare;
    case Op::Kind::kUnsubscribe:
      return FriendEdit::Kind::kUnsubscribe;
    default:
      return FriendEdit::Kind::kSubscribe;
  }
}

}  // namespace

// --- what is told ---

void Told::Add(const Delivery& delivery) {
  if (delivery.kind == DeliveryKind::kReset) {
    Reset();
    return;
  }
  ClientEvent event;
  event.friend_id = delivery.friend_id;
  event.time = delivery.time;
  event.kind = delivery.kind;
  event.reason = ReasonForClient(delivery.reason);
  if (delivery.kind != DeliveryKind::kLeave) {
    event.reported_at = delivery.reported_at;
    event.position = delivery.position;
    event.distance_mm = delivery.distance_mm;
  }
  Add(event);
}

void Told::Add(const ClientBatch& batch) {
  EXPECT_NE(batch.start, BatchStart::kResync) << "there is room for all";
  if (batch.start == BatchStart::kReset) Reset();
  for (const ClientEvent& event : batch.events) Add(event);
}

void Told::Reset() {
  has_reset_ = true;
  changes_.clear();
}

void Told::Add(const ClientEvent& event) {
  const auto [change, is_first] = changes_.try_emplace(event.friend_id);
  if (is_first) change->second.was_there = event.kind != DeliveryKind::kEnter;
  change->second.latest = event;
}

std::vector<ClientEvent> Told::Events() const {
  std::vector<ClientEvent> events;
  for (const auto& [friend_id, change] : changes_) {
    ClientEvent event = change.latest;
    if (event.kind == DeliveryKind::kLeave) {
      if (!change.was_there) continue;
    } else {
      event.kind = change.was_there ? DeliveryKind::kMove : DeliveryKind::kEnter;
    }
    events.push_back(event);
  }
  return events;
}

std::string Told::Describe() const {
  const auto line = [](std::string* out, const ClientEvent& event) {
    absl::StrAppend(out, ToInt(event.friend_id), " ", ToString(event.kind), " ",
                    ToString(event.reason), " t=", event.time.ms, " r=", event.reported_at.ms,
                    " d=", event.distance_mm, " at ", event.position.lat_units(), ",",
                    event.position.lng_units());
  };
  return absl::StrCat(has_reset_ ? "reset\n" : "", absl::StrJoin(Events(), "\n", line));
}

// --- the runtime ---

World::Options RuntimeSubject::OptionsFor(const EngineOptions& options, std::uint32_t shards) {
  World::Options world;
  world.runtime.engine = options;
  world.runtime.shards = shards;
  world.runtime.max_pending_events = 1'000'000;
  return world;
}

RuntimeSubject::RuntimeSubject(const EngineOptions& options, std::uint32_t shards)
    : world_(OptionsFor(options, shards)) {
  // As early as the engines of a Lockstep are before they are first told the time.
  world_.clock().Set(Time{-kMaxTimeMs});
  world_.sink().SetHook([this](const ClientBatch& batch) { told_[batch.cookie].Add(batch); });
}

void RuntimeSubject::Do(const Op& op) {
  told_.clear();
  listed_.clear();
  switch (op.kind) {
    case Op::Kind::kAdvance:
      world_.clock().Set(op.time);
      break;
    case Op::Kind::kReport:
      Report(op);
      break;
    case Op::Kind::kConnect:
      Connect(op);
      break;
    case Op::Kind::kDisconnect:
      if (const auto client = clients_.find(op.user); client != clients_.end()) {
        world_.Disconnect(client->second);
        clients_.erase(client);
      }
      break;
    case Op::Kind::kSetRadius:
      radii_[op.user] = *op.radius_m;
      if (const auto client = clients_.find(op.user); client != clients_.end()) {
        world_.SetRadius(client->second, *op.radius_m);
      }
      break;
    case Op::Kind::kNearby:
      ReadPages(op.user, op.choice % 7 + 1);
      break;
    default:
      world_.Edit(EditKind(op.kind), op.user, op.other);
  }
  world_.Settle();
}

void RuntimeSubject::Connect(const Op& op) {
  std::optional<double> radius_m = op.radius_m;
  if (const auto set = radii_.find(op.user); !radius_m && set != radii_.end()) {
    radius_m = set->second;
  }
  const Connecting connecting = world_.BeginConnect(op.user, std::nullopt, radius_m);
  EXPECT_EQ(connecting.cookie, ++connects_);
  world_.Settle();
  ASSERT_TRUE(connecting.reply.status().ok()) << connecting.reply.status();
  clients_[op.user] = connecting.client();
  listed_ = (*connecting.reply)->friends;
}

void RuntimeSubject::Report(const Op& op) {
  const auto client = clients_.find(op.user);
  if (client == clients_.end()) return;
  const absl::Status status =
      world_.runtime().Report({client->second.session, op.location, op.time});
  EXPECT_EQ(status.ok(), IsValid(op.location) && IsValid(op.time)) << status;
}

void RuntimeSubject::ReadPages(UserId user, std::size_t page_size) {
  std::optional<PageToken> next = PageToken();
  while (next) {
    const PageReply page = world_.Page(user, page_size, *next);
    world_.Settle();
    EXPECT_EQ(page.status().ok(), clients_.count(user) > 0) << page.status();
    if (!page.status().ok()) return;
    for (const NearbyFriend& one : (*page)->friends) listed_.push_back(one);
    next = (*page)->next;
  }
}

std::map<std::uint64_t, std::string> RuntimeSubject::told() const {
  std::map<std::uint64_t, std::string> lines;
  for (const auto& [cookie, told] : told_) {
    if (!told.empty()) lines[cookie] = told.Describe();
  }
  return lines;
}

std::optional<std::uint64_t> RuntimeSubject::cookie(UserId user) const {
  const auto client = clients_.find(user);
  if (client == clients_.end()) return std::nullopt;
  return client->second.cookie;
}

std::set<UserId> RuntimeSubject::InSight(UserId user) const {
  const auto client = clients_.find(user);
  return client == clients_.end() ? std::set<UserId>() : world_.InSight(client->second);
}

}  // namespace nearby::test
