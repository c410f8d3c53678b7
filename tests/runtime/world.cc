#include "tests/runtime/world.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby::test {
namespace {

World::Options WithShards(std::uint32_t shards) {
  World::Options options;
  options.runtime.shards = shards;
  return options;
}

}  // namespace

World::World(std::uint32_t shards) : World(WithShards(shards)) {}

World::World(const Options& options) : sink_(options.sink), shards_(options.runtime.shards) {
  RuntimeHost host;
  host.sink = &sink_;
  host.friends = &friends_;
  host.clock = &clock_;
  if (options.has_location_store) host.locations = &locations_;
  if (options.has_history_store) host.history = &history_;
  if (options.has_metrics) host.metrics = &metrics_;
  if (options.wake) host.wake = options.wake;
  runtime_ = Runtime::Create(options.runtime, std::move(host)).value();
}

World::~World() {
  EXPECT_THAT(sink_.violations(), ::testing::IsEmpty());
  EXPECT_THAT(metrics_.violations(), ::testing::IsEmpty());
}

UserId World::User(std::uint64_t i) const {
  std::uint64_t id = i + 1;
  while (ToInt(HomeShard(UserId{id}, shards_)) != i % shards_) id += 1'000'000;
  return UserId{id};
}

void World::Befriend(UserId a, UserId b) { EXPECT_TRUE(graph().Befriend(a, b).ok()); }

Connecting World::BeginConnect(UserId user, std::optional<LatLng> location,
                               std::optional<double> radius_m) {
  ConnectCall call;
  call.user = user;
  call.radius_m = radius_m;
  if (location) call.location = TimedLocation{*location, now()};
  return BeginConnect(call);
}

Connecting World::BeginConnect(ConnectCall call) {
  call.cookie = ++last_cookie_;
  Connecting connecting;
  connecting.user = call.user;
  connecting.cookie = call.cookie;
  cookies_[call.user].push_back(call.cookie);
  for (const View& view : promised_) {
    if (view.first == call.user) sink_.MustNotSee(call.cookie, view.second);
  }
  runtime_->Connect(call, connecting.reply.DoneAnd([this, user = call.user, cookie = call.cookie](
                                                       absl::StatusOr<ConnectResult> result) {
    if (result.ok()) OnConnected(user, cookie, *result);
  }));
  return connecting;
}

void World::OnConnected(UserId user, std::uint64_t cookie, const ConnectResult& result) {
  sink_.Connected(cookie, user, result.friends);
  ExpectAllowed(user, result.friends);
}

Client World::Connect(UserId user, std::optional<LatLng> location, std::optional<double> radius_m) {
  const Connecting connecting = BeginConnect(user, location, radius_m);
  Settle();
  EXPECT_EQ(connecting.reply.times(), 1);
  EXPECT_TRUE(connecting.reply.status().ok()) << connecting.reply.status();
  return connecting.reply.status().ok() ? connecting.client() : Client();
}

void World::Disconnect(const Client& client) {
  sink_.Disconnected(client.cookie);
  runtime_->Disconnect(client.session);
}

void World::Report(const Client& client, LatLng location) {
  const absl::Status status = runtime_->Report({client.session, location, now()});
  EXPECT_TRUE(status.ok()) << status;
}

void World::Ready(const Client& client) {
  sink_.Ready(client.cookie);
  runtime_->Ready(client.session);
}

void World::SetBusy(const Client& client, bool is_busy) {
  sink_.SetFlow(client.cookie, is_busy ? ClientSink::Flow::kBusy : ClientSink::Flow::kReady);
}

StatusReply World::SetRadius(const Client& client, double radius_m) {
  StatusReply reply;
  runtime_->SetRadius(client.session, radius_m, reply.Done());
  return reply;
}

PageReply World::Page(UserId user, std::size_t page_size, PageToken after) {
  PageReply reply;
  runtime_->Nearby(user, after, page_size,
                   reply.DoneAnd([this, user](const absl::StatusOr<NearbyPage>& page) {
                     if (page.ok()) ExpectAllowed(user, page->friends);
                   }));
  return reply;
}

EditReply World::Edit(FriendEdit::Kind kind, UserId user, UserId friend_id) {
  const std::uint64_t number = ++last_edit_;
  const View there{user, friend_id};
  const View back{friend_id, user};
  EditReply reply;
  runtime_->Edit({kind, user, friend_id},
                 reply.DoneAnd([=](const absl::StatusOr<std::optional<NearbyFriend>>& result) {
                   if (!result.ok()) return;
                   NoteCompleted(there, number);
                   NoteCompleted(back, number);
                   if (*result) ExpectAllowed(user, {&**result, 1});
                 }));
  NoteCommitted(there);
  NoteCommitted(back);
  return reply;
}

void World::NoteCommitted(View view) {
  if (!graph().Get(view.first, view.second).i_may_see()) {
    denied_since_.try_emplace(view, last_edit_);
    return;
  }
  denied_since_.erase(view);
  promised_.erase(view);
  for (const std::uint64_t cookie : cookies_[view.first]) sink_.MaySee(cookie, view.second);
}

// What was denied by this edit or before it, and has not been granted again since, must not be seen
// any more. Where another edit denied it that has not been completed yet, it still may be.
void World::NoteCompleted(View view, std::uint64_t edit) {
  const auto denied = denied_since_.find(view);
  if (denied == denied_since_.end() || denied->second > edit) return;
  promised_.insert(view);
  for (const std::uint64_t cookie : cookies_[view.first]) sink_.MustNotSee(cookie, view.second);
}

void World::ExpectAllowed(UserId viewer, absl::Span<const NearbyFriend> named) const {
  for (const NearbyFriend& friend_named : named) {
    EXPECT_EQ(promised_.count({viewer, friend_named.friend_id}), 0u)
        << "user " << ToInt(viewer) << " is told of " << ToInt(friend_named.friend_id);
  }
}

void World::Settle() {
  runtime_->PollAll();
  ExpectSound();
}

void World::Pass(absl::Duration time) {
  clock_.Advance(time);
  Settle();
}

void World::ExpectSound() const {
  const absl::Status invariants = runtime_->CheckInvariants();
  EXPECT_TRUE(invariants.ok()) << invariants;
  EXPECT_THAT(sink_.violations(), ::testing::IsEmpty());
}

std::set<UserId> World::InSight(const Client& client) const {
  std::set<UserId> in_sight;
  for (const auto& [friend_id, event] : sink_.InSight(client.cookie)) in_sight.insert(friend_id);
  return in_sight;
}

}  // namespace nearby::test
