// What engine.h documents of sessions: connect, friend lists, disconnect, changes, radius and
// pages.

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "nearby/engine.h"
#include "nearby/radius_filter.h"
#include "tests/engine/engine_fixture.h"

namespace nearby::test {
namespace {

// --- Connect ---

TEST_F(EngineTest, ConnectAsksForFriendsAndGivesAHandle) {
  const auto client = engine_->Connect({kAlice, 71, {}}, &effects_);
  ASSERT_TRUE(client.ok());
  EXPECT_NE(client->generation, 0u);
  ASSERT_EQ(effects_.friend_requests.size(), 1u);
  EXPECT_EQ(effects_.friend_requests[0].client, *client);
  EXPECT_EQ(effects_.friend_requests[0].user, kAlice);
  EXPECT_TRUE(effects_.replaced.empty());
  EXPECT_TRUE(effects_.answers.empty());
  EXPECT_EQ(engine_->Find(kAlice), client.value());
  EXPECT_EQ(engine_->Find(kBob), std::nullopt);
}

TEST_F(EngineTest, ConnectTakesEveryId) {
  for (const std::uint64_t id : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
    const ClientHandle client = Connect(UserId{id}, {EntryFor(kAlice)});
    EXPECT_EQ(engine_->Find(UserId{id}), client);
  }
}

TEST_F(EngineTest, ConnectRefusesAnInvalidRadius) {
  for (const double radius_m : {-1.0, std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN(), kMaxRadiusMeters + 1}) {
    ExpectRefused(engine_->Connect({kAlice, 0, radius_m}, &effects_).status(),
                  absl::StatusCode::kInvalidArgument, "radius");
  }
  EXPECT_EQ(engine_->Find(kAlice), std::nullopt);
}

TEST_F(EngineTest, ConnectRefusesWhoIsNotAtHomeHere) {
  EngineOptions options;
  options.shard_count = 2;
  options.shard = ShardId{1 - ToInt(HomeShard(kAlice, 2))};
  Restart(options);
  ExpectRefused(engine_->Connect({kAlice, 0, {}}, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "home");
}

TEST_F(EngineTest, TheHostMaySayWhoIsAtHomeWhere) {
  EngineOptions options;
  options.shard_count = 2;
  options.shard = ShardId{1};
  // Any number is a shard: 2 is the first again.
  options.home_shard = [](UserId user) { return ShardId{user == kAlice ? 2u : 3u}; };
  EXPECT_EQ(options.HomeOf(kAlice), ShardId{0});
  EXPECT_EQ(options.HomeOf(kBob), ShardId{1});
  Restart(options);
  ExpectRefused(engine_->Connect({kAlice, 0, {}}, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "home");
  EXPECT_TRUE(engine_->Connect({kBob, 0, {}}, &effects_).ok());
}

TEST_F(EngineTest, ConnectRefusesWhenTheShardIsFull) {
  EngineOptions options;
  options.max_entities = 1;
  Restart(options);
  alice_ = Connect(kAlice, {});
  ExpectRefused(engine_->Connect({kBob, 0, {}}, &effects_).status(),
                absl::StatusCode::kResourceExhausted, "full");
  // Replacing takes no room.
  EXPECT_TRUE(engine_->Connect({kAlice, 0, {}}, &effects_).ok());
}

TEST_F(EngineTest, ASecondConnectReplacesTheFirst) {
  Meet();
  const ClientHandle again = *engine_->Connect({kAlice, 73, {}}, &effects_);
  EXPECT_NE(again, alice_);
  ASSERT_EQ(effects_.replaced.size(), 1u);
  EXPECT_EQ(effects_.replaced[0].client, alice_);
  EXPECT_EQ(effects_.replaced[0].cookie, 71u);
  EXPECT_EQ(effects_.replaced[0].user, kAlice);
  EXPECT_EQ(effects_.friend_requests.size(), 1u);
  EXPECT_TRUE(effects_.deliveries.empty());
  EXPECT_EQ(engine_->Find(kAlice), again);
  EXPECT_EQ(Report(alice_, kHome), ReportOutcome::kUnknownClient);
}

// --- FriendsLoaded ---

TEST_F(EngineTest, FriendsLoadedAnswersTheConnectOnce) {
  EngineOptions options;
  options.connect_page_size = 1;
  Restart(options);
  const ClientHandle bob = Connect(kBob, {EntryFor(kAlice)});
  const ClientHandle carol = Connect(kCarol, {EntryFor(kAlice)});
  Report(bob, kNearby);
  Report(carol, kHome);
  const ClientHandle alice = *engine_->Connect({kAlice, 71, {}}, &effects_);
  Report(alice, kHome);
  effects_.Clear();
  const std::vector<FriendEntry> list = {EntryFor(kBob), EntryFor(kCarol)};
  ASSERT_TRUE(engine_->FriendsLoaded(alice, Version(1), list, &effects_).ok());
  ASSERT_EQ(effects_.answers.size(), 1u);
  const ConnectAnswer& answer = effects_.answers[0];
  EXPECT_EQ(answer.client, alice);
  EXPECT_EQ(answer.cookie, 71u);
  EXPECT_EQ(answer.user, kAlice);
  EXPECT_EQ(answer.count, 1u);
  EXPECT_EQ(answer.in_sight, 2u);
  const Delivery& first = effects_.deliveries.at(answer.first);
  EXPECT_EQ(first.subscriber, kAlice);
  EXPECT_EQ(first.friend_id, kCarol);
  EXPECT_EQ(first.kind, DeliveryKind::kEnter);
  EXPECT_EQ(answer.next.friend_id, kCarol);
  EXPECT_EQ(answer.next.distance_mm, 0);

  // The token leads to the rest.
  const auto page = engine_->Nearby(alice, answer.next, 10, &effects_);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->friends.size(), 1u);
  EXPECT_EQ(page->friends[0].friend_id, kBob);

  effects_.Clear();
  ASSERT_TRUE(engine_->FriendsLoaded(alice, Version(1), list, &effects_).ok());
  EXPECT_TRUE(effects_.answers.empty());
  EXPECT_TRUE(effects_.deliveries.empty());
}

TEST_F(EngineTest, FriendsLoadedRefusals) {
  EngineOptions options;
  options.max_friends = 2;
  options.max_remembered_changes = 1;
  Restart(options);
  Meet();
  const auto load = [this](ClientHandle client, std::uint64_t version,
                           const std::vector<FriendEntry>& list) {
    return engine_->FriendsLoaded(client, Version(version), list, &effects_);
  };
  ExpectRefused(load(ClientHandle(), 1, {}), absl::StatusCode::kNotFound, "session");
  ExpectRefused(load({alice_.slot, alice_.generation + 1}, 1, {}), absl::StatusCode::kNotFound,
                "session");
  ExpectRefused(load(alice_, 1, {EntryFor(kBob), EntryFor(kAlice)}),
                absl::StatusCode::kInvalidArgument, "own");
  ExpectRefused(load(alice_, 1, {EntryFor(kBob), EntryFor(kCarol), EntryFor(UserId{4})}),
                absl::StatusCode::kResourceExhausted, "2");
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{4}, Friends(), Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{5}, Friends(), Version(6)}, &effects_).ok());
  ExpectRefused(load(alice_, 4, {}), absl::StatusCode::kFailedPrecondition, "older");
  EXPECT_EQ(engine_->stats().lists_refused, 3u);
  // None of them took Bob away.
  Report(bob_, kHome);
  EXPECT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_TRUE(load(alice_, 6, {EntryFor(kBob)}).ok());
}

// --- Disconnect ---

TEST_F(EngineTest, DisconnectTellsFriendsAndEndsTheHandle) {
  Meet();
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  ASSERT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_EQ(effects_.deliveries[0].subscriber, kBob);
  EXPECT_EQ(effects_.deliveries[0].reason, LeaveReason::kOffline);
  effects_.Clear();
  ExpectRefused(engine_->Disconnect(alice_, &effects_), absl::StatusCode::kNotFound, "session");
  ExpectRefused(engine_->Disconnect(ClientHandle(), &effects_), absl::StatusCode::kNotFound,
                "session");
  EXPECT_EQ(engine_->Find(kAlice), std::nullopt);
  // Whoever gets the slot next has another handle.
  const ClientHandle carol = Connect(kCarol, {});
  EXPECT_EQ(carol.slot, alice_.slot);
  EXPECT_NE(carol, alice_);
  EXPECT_EQ(Report(alice_, kHome), ReportOutcome::kUnknownClient);
}

// --- Apply ---

TEST_F(EngineTest, ApplyRefusals) {
  EngineOptions options;
  options.max_remembered_changes = 1;
  Restart(options);
  Meet();
  ExpectRefused(engine_->Apply({kAlice, kAlice, Friends(), Version(9)}, &effects_),
                absl::StatusCode::kInvalidArgument, "");
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{4}, Friends(), Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{5}, Friends(), Version(6)}, &effects_).ok());
  ExpectRefused(engine_->Apply({kCarol, UserId{4}, Friends(), Version(4)}, &effects_),
                absl::StatusCode::kFailedPrecondition, "forgotten");

  options = EngineOptions();
  options.shard_count = 64;
  options.shard = ShardId{63};
  ASSERT_NE(HomeShard(kAlice, 64), options.shard);
  ASSERT_NE(HomeShard(kBob, 64), options.shard);
  Restart(options);
  ExpectRefused(engine_->Apply({kAlice, kBob, Friends(), Version(1)}, &effects_),
                absl::StatusCode::kInvalidArgument, "home");
}

TEST_F(EngineTest, ApplyOfAChangeNotNewerIsARepetition) {
  Meet();
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, Friendship(), Version(2)}, &effects_).ok());
  EXPECT_EQ(effects_.deliveries.size(), 2u);
  effects_.Clear();
  for (const std::uint64_t version : {std::uint64_t{2}, std::uint64_t{1}}) {
    // Seen from either side.
    EXPECT_TRUE(engine_->Apply({kAlice, kBob, Friends(), Version(version)}, &effects_).ok());
    EXPECT_TRUE(engine_->Apply({kBob, kAlice, Friends(), Version(version)}, &effects_).ok());
  }
  EXPECT_TRUE(IsEmpty(effects_));
  EXPECT_EQ(engine_->stats().changes_applied, 1u);
  EXPECT_EQ(engine_->stats().changes_repeated, 4u);
}

TEST_F(EngineTest, ApplyTakesARevocationEvenWhenARowIsFull) {
  EngineOptions options;
  options.max_friends = 1;
  Restart(options);
  Meet();
  // Alice hides from Carol, who is away; Carol's list from before that comes late.
  Friendship hidden = Friends();
  hidden.i_hide = true;
  EXPECT_TRUE(engine_->Apply({kAlice, kCarol, hidden, Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Disconnect(bob_, &effects_).ok());
  effects_.Clear();
  const ClientHandle carol = Connect(kCarol, {EntryFor(kAlice)});
  Report(carol, kHome);
  Report(alice_, kHome);
  for (const Delivery& delivery : effects_.deliveries) EXPECT_NE(delivery.subscriber, kCarol);
}

TEST_F(EngineTest, ApplyLinksNobodyBeyondAFullRow) {
  EngineOptions options;
  options.max_friends = 1;
  Restart(options);
  Meet();
  const ClientHandle carol = Connect(kCarol, {});
  Report(carol, kHome);
  effects_.Clear();
  const absl::Status status = engine_->Apply({kAlice, kCarol, Friends(), Version(5)}, &effects_);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(effects_.deliveries.empty());
  EXPECT_TRUE(engine_->CheckInvariants().ok());
}

// --- SetRadius ---

TEST_F(EngineTest, SetRadiusRefusals) {
  Meet();
  ExpectRefused(engine_->SetRadius(ClientHandle(), 1, &effects_), absl::StatusCode::kNotFound,
                "session");
  for (const double radius_m :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), kMaxRadiusMeters + 1}) {
    ExpectRefused(engine_->SetRadius(alice_, radius_m, &effects_),
                  absl::StatusCode::kInvalidArgument, "radius");
  }
  EXPECT_TRUE(engine_->SetRadius(alice_, 1, &effects_).ok());
  EXPECT_EQ(effects_.deliveries.size(), 1u);
}

// --- Nearby ---

TEST_F(EngineTest, NearbyPages) {
  Meet();
  const auto page = engine_->Nearby(alice_, PageToken(), 1, &effects_);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->in_sight, 1u);
  EXPECT_EQ(page->next, std::nullopt);
  ASSERT_EQ(page->friends.size(), 1u);
  EXPECT_EQ(page->friends[0].friend_id, kBob);
  EXPECT_EQ(page->friends[0].position, Position::FromLatLng(kNearby));
  EXPECT_EQ(page->friends[0].distance_mm,
            DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kNearby)));
  EXPECT_EQ(page->friends[0].reported_at, kNow);
  EXPECT_TRUE(IsEmpty(effects_));

  const auto behind = engine_->Nearby(alice_, {page->friends[0].distance_mm, kBob}, 1, &effects_);
  ASSERT_TRUE(behind.ok());
  EXPECT_TRUE(behind->friends.empty());
  EXPECT_EQ(behind->in_sight, 1u);
  EXPECT_EQ(behind->next, std::nullopt);
}

TEST_F(EngineTest, NearbyRefusals) {
  Meet();
  ExpectRefused(engine_->Nearby(alice_, {}, 0, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "page size");
  ExpectRefused(engine_->Nearby(alice_, {}, 1001, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "page size");
  ExpectRefused(engine_->Nearby(ClientHandle(), {}, 1, &effects_).status(),
                absl::StatusCode::kNotFound, "session");
  EXPECT_TRUE(engine_->Nearby(alice_, {}, 1000, &effects_).ok());
}

}  // namespace
}  // namespace nearby::test
