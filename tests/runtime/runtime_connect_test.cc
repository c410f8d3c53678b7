// Connecting, and the answer to it.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<UserId> Ids(const std::vector<NearbyFriend>& friends) {
  std::vector<UserId> ids;
  for (const NearbyFriend& one : friends) ids.push_back(one.friend_id);
  return ids;
}

// On 1, 2, 4 and 64 shards, with users who live on different ones where there are several.
class RuntimeConnectTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world_{GetParam()};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
  const UserId carol_ = world_.User(2);
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeConnectTest, ::testing::Values(1, 2, 4, 64));

TEST_P(RuntimeConnectTest, TheAnswerNamesThoseInSightNearestFirst) {
  for (const UserId friend_id : {bob_, carol_}) world_.Befriend(alice_, friend_id);
  world_.Connect(bob_, North(300));
  world_.Connect(carol_, North(100));
  world_.clock().Advance(absl::Seconds(7));

  const Connecting alice = world_.BeginConnect(alice_, kHere);
  EXPECT_EQ(alice.reply.times(), 0) << "nothing happens before a poll";
  world_.Settle();
  ASSERT_TRUE(alice.reply.status().ok()) << alice.reply.status();
  const ConnectResult& result = **alice.reply;
  EXPECT_THAT(Ids(result.friends), ElementsAre(carol_, bob_));
  EXPECT_EQ(result.in_sight, 2u);
  EXPECT_FALSE(result.next.has_value());
  EXPECT_EQ(result.location_outcome, ReportOutcome::kAccepted);
  EXPECT_EQ(result.session.shard, HomeShard(alice_, GetParam()));
  EXPECT_EQ(result.friends[0].reported_at, kStart);
  EXPECT_EQ(result.friends[0].position, Position::FromLatLng(North(100)));
  EXPECT_NEAR(static_cast<double>(result.friends[0].distance_mm) / 1000,
              HaversineMeters(kHere, North(100)), 0.02);
  EXPECT_THAT(world_.sink().batches(alice.cookie), IsEmpty()) << "the answer tells it all";
}

TEST(RuntimeHomeTest, UsersAreAtHomeWhereTheHostSays) {
  World::Options options;
  options.runtime.shards = 3;
  options.runtime.engine.home_shard = [](UserId user) {
    return ShardId{static_cast<std::uint32_t>(ToInt(user))};
  };
  World world(options);
  for (const UserId friend_id : {UserId{1}, UserId{2}, UserId{3}}) {
    world.Befriend(UserId{7}, friend_id);
    const Client client = world.Connect(friend_id, North(100));
    EXPECT_EQ(ToInt(client.session.shard), ToInt(friend_id) % 3);
  }
  const Client all = world.Connect(UserId{7}, kHere);
  EXPECT_EQ(ToInt(all.session.shard), 1u);
  EXPECT_THAT(world.InSight(all), UnorderedElementsAre(UserId{1}, UserId{2}, UserId{3}));
}

TEST_P(RuntimeConnectTest, FriendsOfOneWhoConnectsWithALocationSeeThemEnter) {
  world_.Befriend(alice_, bob_);
  const Client alice = world_.Connect(alice_, kHere);
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
  world_.Connect(bob_, North(100));
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeConnectTest, WithoutALocationNobodyIsInSight) {
  world_.Befriend(alice_, bob_);
  world_.Connect(bob_, North(100));
  const Connecting alice = world_.BeginConnect(alice_);
  world_.Settle();
  EXPECT_EQ((*alice.reply)->in_sight, 0u);
  EXPECT_EQ((*alice.reply)->location_outcome, ReportOutcome::kAccepted);
  world_.Report(alice.client(), kHere);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice.client()), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeConnectTest, OneWithoutFriendsIsAnswered) {
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  ASSERT_TRUE(alice.reply.status().ok());
  EXPECT_THAT((*alice.reply)->friends, IsEmpty());
}

TEST_P(RuntimeConnectTest, StrangersAndThoseWhoHideAreNotNamed) {
  world_.Befriend(alice_, bob_);
  ASSERT_TRUE(world_.graph().Hide({/*viewer=*/alice_, /*owner=*/bob_}).ok());
  world_.Connect(bob_, North(100));
  world_.Connect(carol_, North(100));
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  EXPECT_EQ((*alice.reply)->in_sight, 0u);
  world_.Connect(world_.User(3), kHere);
}

TEST_P(RuntimeConnectTest, TheRadiusOfTheCallHolds) {
  for (const UserId friend_id : {bob_, carol_}) world_.Befriend(alice_, friend_id);
  world_.Connect(bob_, North(900));
  world_.Connect(carol_, North(1'100));
  const Connecting alice = world_.BeginConnect(alice_, kHere, 1'000);
  world_.Settle();
  EXPECT_THAT(Ids((*alice.reply)->friends), ElementsAre(bob_));
}

TEST_P(RuntimeConnectTest, AFirstPageIsFollowedByOthersUntilAllHaveEntered) {
  constexpr std::uint64_t kFriends = 47;
  std::vector<UserId> nearest_first;
  for (std::uint64_t i = 1; i <= kFriends; ++i) {
    world_.Befriend(alice_, world_.User(i));
    world_.Connect(world_.User(i), North(static_cast<double>(10 * i)));
    nearest_first.push_back(world_.User(i));
  }
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  const ConnectResult& first = **alice.reply;
  EXPECT_EQ(first.in_sight, kFriends);
  ASSERT_TRUE(first.next.has_value());
  std::vector<UserId> named = Ids(first.friends);
  EXPECT_THAT(named, SizeIs(20));
  EXPECT_THAT(world_.InSight(alice.client()), SizeIs(20));

  std::optional<PageToken> next = first.next;
  while (next) {
    const PageReply page = world_.Page(alice_, 10, *next);
    world_.Settle();
    ASSERT_TRUE(page.status().ok()) << page.status();
    EXPECT_EQ((*page)->in_sight, kFriends);
    for (const UserId id : Ids((*page)->friends)) named.push_back(id);
    next = (*page)->next;
  }
  EXPECT_EQ(named, nearest_first);
  EXPECT_EQ(world_.InSight(alice.client()),
            std::set<UserId>(nearest_first.begin(), nearest_first.end()));
}

TEST_P(RuntimeConnectTest, WhoeverIsBeyondTheFirstPageEntersWithTheirNextReport) {
  World::Options options;
  options.runtime.shards = GetParam();
  options.runtime.engine.connect_page_size = 1;
  World world(options);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  const UserId carol = world.User(2);
  for (const UserId friend_id : {bob, carol}) world.Befriend(alice, friend_id);
  world.Connect(bob, North(100));
  const Client carols = world.Connect(carol, North(200));
  const Connecting connecting = world.BeginConnect(alice, kHere);
  world.Settle();
  EXPECT_EQ((*connecting.reply)->in_sight, 2u);
  EXPECT_THAT(world.InSight(connecting.client()), UnorderedElementsAre(bob));
  world.clock().Advance(absl::Seconds(1));
  world.Report(carols, North(210));
  world.Settle();
  EXPECT_THAT(world.InSight(connecting.client()), UnorderedElementsAre(bob, carol));
}

TEST_P(RuntimeConnectTest, FriendsWhoConnectAtTheSameTimeFindEachOther) {
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < 8; ++i) users.push_back(world_.User(i));
  for (const UserId a : users) {
    for (const UserId b : users) {
      if (a < b) world_.Befriend(a, b);
    }
  }
  std::vector<Connecting> all;
  for (const UserId user : users) all.push_back(world_.BeginConnect(user, kHere));
  world_.Settle();
  for (const Connecting& one : all) {
    ASSERT_TRUE(one.reply.status().ok());
    std::set<UserId> others(users.begin(), users.end());
    others.erase(one.user);
    EXPECT_EQ(world_.InSight(one.client()), others);
  }
}

// --- what is wrong with a call ---

TEST_P(RuntimeConnectTest, AnInvalidLocationIsRefusedAtOnce) {
  for (const LatLng bad : {LatLng{91, 0}, LatLng{0, std::numeric_limits<double>::quiet_NaN()}}) {
    const Connecting alice = world_.BeginConnect(alice_, bad);
    EXPECT_EQ(alice.reply.code(), absl::StatusCode::kInvalidArgument);
  }
  ConnectCall call;
  call.user = alice_;
  call.location = TimedLocation{kHere, Time{kMaxTimeMs + 1}};
  EXPECT_EQ(world_.BeginConnect(call).reply.code(), absl::StatusCode::kInvalidArgument);
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().calls_refused, 0u) << "nothing was full";
}

TEST_P(RuntimeConnectTest, AnInvalidRadiusIsRefusedAndTheSessionBeforeGoesOn) {
  world_.Befriend(alice_, bob_);
  const Client first = world_.Connect(alice_, kHere);
  for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    const Connecting again = world_.BeginConnect(alice_, std::nullopt, bad);
    world_.Settle();
    EXPECT_EQ(again.reply.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(again.reply.times(), 1);
  }
  EXPECT_FALSE(world_.sink().ended(first.cookie).has_value());
  world_.Connect(bob_, kHere);
  EXPECT_THAT(world_.InSight(first), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeConnectTest, AStaleOrFutureLocationIsSaidSoAndTheConnectGoesOn) {
  world_.Connect(alice_, kHere);
  ConnectCall call;
  call.user = alice_;
  call.location = TimedLocation{North(5), Time{kStart.ms - 1}};
  const Connecting stale = world_.BeginConnect(call);
  world_.Settle();
  ASSERT_TRUE(stale.reply.status().ok());
  EXPECT_EQ((*stale.reply)->location_outcome, ReportOutcome::kStale);
  call.location = TimedLocation{North(5), Time{kStart.ms + 3'600'000}};
  const Connecting future = world_.BeginConnect(call);
  world_.Settle();
  ASSERT_TRUE(future.reply.status().ok());
  EXPECT_EQ((*future.reply)->location_outcome, ReportOutcome::kFuture);
  EXPECT_THAT(world_.sink().refused(future.cookie), IsEmpty()) << "the answer says it";
}

TEST_P(RuntimeConnectTest, AFullShardRefusesAndNothingOfTheCallIsLeft) {
  World::Options options;
  options.runtime.shards = GetParam();
  options.runtime.engine.max_entities = 1;
  World world(options);
  const Client first = world.Connect(world.User(0), kHere);
  for (int i = 0; i < 3; ++i) {
    const Connecting second = world.BeginConnect(world.User(GetParam()), kHere);
    world.Settle();
    EXPECT_EQ(second.reply.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(second.reply.times(), 1);
  }
  EXPECT_EQ(world.runtime().stats().sessions, 1u);
  world.Disconnect(first);
  world.Settle();
  world.Connect(world.User(GetParam()), kHere);
}

TEST(RuntimeFenceTest, TheAnswerIsTheSameForEveryNumberOfShards) {
  // The users' ids are the same in each world, and so live on other shards.
  const auto answer_of = [](std::uint32_t shards) {
    World world(shards);
    std::vector<Client> clients;
    for (std::uint64_t id = 1; id <= 60; ++id) {
      world.Befriend(UserId{0}, UserId{id});
      if (id % 7 == 0) continue;
      clients.push_back(world.Connect(UserId{id}));
      if (id % 5 != 0) world.Report(clients.back(), North(static_cast<double>(id * 37 % 101)));
      world.clock().Advance(absl::Milliseconds(10));
    }
    world.Settle();
    const Connecting connecting = world.BeginConnect(UserId{0}, kHere);
    world.Settle();
    EXPECT_TRUE(connecting.reply.status().ok());
    return **connecting.reply;
  };
  const ConnectResult one = answer_of(1);
  EXPECT_EQ(one.in_sight, 41u);
  for (const std::uint32_t shards : {2u, 3u, 4u, 16u, 64u}) {
    const ConnectResult several = answer_of(shards);
    EXPECT_EQ(several.in_sight, one.in_sight) << shards << " shards";
    ASSERT_EQ(Ids(several.friends), Ids(one.friends)) << shards << " shards";
    ASSERT_TRUE(several.next.has_value());
    EXPECT_EQ(several.next->distance_mm, one.next->distance_mm);
    EXPECT_EQ(several.next->friend_id, one.next->friend_id);
    for (std::size_t i = 0; i < one.friends.size(); ++i) {
      EXPECT_EQ(several.friends[i].position, one.friends[i].position);
      EXPECT_EQ(several.friends[i].distance_mm, one.friends[i].distance_mm);
      EXPECT_EQ(several.friends[i].reported_at, one.friends[i].reported_at);
    }
  }
}

TEST(RuntimeFenceTest, TheAnswerWaitsForTheOtherShardsHoweverTheyArePolled) {
  // All orders of polling two shards for a while.
  for (std::uint32_t order = 0; order < 1u << 10; ++order) {
    World world(2);
    const UserId alice = world.User(0);
    const UserId bob = world.User(1);
    world.Befriend(alice, bob);
    world.Connect(bob, North(100));
    const Connecting connecting = world.BeginConnect(alice, kHere);
    for (std::uint32_t i = 0; i < 10; ++i) world.runtime().Poll(ShardId{order >> i & 1});
    world.Settle();
    ASSERT_TRUE(connecting.reply.status().ok());
    ASSERT_EQ((*connecting.reply)->in_sight, 1u) << "order " << order;
  }
}

class FriendListOfTheAnswered : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(IsLost, FriendListOfTheAnswered, ::testing::Bool());

TEST_P(FriendListOfTheAnswered, IsLoadedAgainForAFriendWhoCouldNotBeJudged) {
  const bool is_lost = GetParam();
  // Bob's list has been installed, and his answer waits for a third shard, when Alice is announced
  // to his shard with a list older than changes that it had to forget. It must have his list loaded
  // again, and once more if the store does not answer before the connect has been.
  World::Options options;
  options.runtime.shards = 3;
  options.runtime.engine.max_remembered_changes = 1;
  World world(options);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  const UserId carol = world.User(2);
  world.Befriend(bob, alice);
  world.Befriend(bob, carol);
  const auto poll = [&](std::uint32_t shard) {
    for (int i = 0; i < 4; ++i) world.runtime().Poll(ShardId{shard});
  };
  const auto change_on_bobs_shard = [&](std::uint64_t i) {
    world.Edit(FriendEdit::Kind::kBefriend, world.User(31 + 6 * i), world.User(34 + 6 * i));
  };
  const Connecting bobs = world.BeginConnect(bob, North(100));
  poll(1);
  poll(0);  // Alice is not there yet.
  change_on_bobs_shard(0);
  world.friends().lists().Hold();
  const Connecting alices = world.BeginConnect(alice, kHere);
  poll(0);
  for (std::uint64_t i = 1; i < 4; ++i) change_on_bobs_shard(i);
  poll(1);
  ASSERT_GT(world.runtime().stats().engine.changes_forgotten, 0u);
  ASSERT_EQ(bobs.reply.times(), 0);
  world.friends().lists().Resume();
  poll(0);
  const std::size_t calls = world.friends().lists().counts().calls;
  if (is_lost) world.friends().lists().LoseNext(1);
  poll(1);
  ASSERT_EQ(world.friends().lists().counts().calls, calls + 1);
  ASSERT_EQ(bobs.reply.times(), 0) << "Carol's shard has not been polled";
  world.Settle();
  ASSERT_TRUE(bobs.reply.status().ok());
  for (int i = 0; i < 3; ++i) world.Pass(absl::Seconds(16));
  world.Report(alices.client(), kHere);
  world.Report(bobs.client(), North(100));
  world.Settle();
  EXPECT_THAT(world.InSight(bobs.client()), UnorderedElementsAre(alice));
  EXPECT_THAT(world.InSight(alices.client()), UnorderedElementsAre(bob));
}

TEST(RuntimeFenceTest, OneWhoIsReplacedOrGoneWhileTheOtherShardIsBehindIsNotAnsweredTwice) {
  World world(2);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  world.Befriend(alice, bob);
  world.Connect(bob, North(100));
  const Connecting first = world.BeginConnect(alice, kHere);
  for (int i = 0; i < 3; ++i) world.runtime().Poll(ShardId{0});
  const Connecting second = world.BeginConnect(alice, kHere);
  for (int i = 0; i < 3; ++i) world.runtime().Poll(ShardId{0});
  EXPECT_EQ(first.reply.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(second.reply.times(), 0);
  world.Settle();
  EXPECT_EQ(first.reply.times(), 1);
  EXPECT_EQ(second.reply.times(), 1);
  EXPECT_THAT(world.InSight(second.client()), UnorderedElementsAre(bob));
}

}  // namespace
}  // namespace nearby::test
