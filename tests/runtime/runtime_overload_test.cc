// More than there is room for.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

World::Options WithLimits(std::uint32_t shards = 1) {
  World::Options options;
  options.runtime.shards = shards;
  options.runtime.max_queued_reports = 4;
  options.runtime.max_queued_calls = 3;
  options.runtime.max_loads_in_flight = 2;
  options.runtime.max_edits_in_flight = 2;
  return options;
}

TEST(RuntimeOverloadTest, ReportsAreRefusedFirstAndCallsGoThrough) {
  World world(WithLimits());
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), kHere);
  const SessionReport report{bob.session, North(10), world.now()};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(world.runtime().Report(report).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(world.runtime().Report(report)));
  EXPECT_EQ(world.runtime().ReportAll(std::vector<SessionReport>(3, report)), 3u);

  const StatusReply radius = world.SetRadius(alice, 5);
  const EditReply hide = world.Edit(FriendEdit::Kind::kHide, alice.user, bob.user);
  const Connecting carol = world.BeginConnect(world.User(2));
  world.Settle();
  EXPECT_TRUE(radius.status().ok());
  EXPECT_TRUE(hide.status().ok());
  EXPECT_TRUE(carol.reply.status().ok());
  EXPECT_THAT(world.InSight(bob), IsEmpty());
  EXPECT_EQ(world.runtime().stats().reports_refused, 4u);
  EXPECT_EQ(world.runtime().stats().reports_taken, 4u);
  EXPECT_TRUE(world.runtime().Report(report).ok());
}

TEST(RuntimeOverloadTest, CallsPastTheLimitFailAtOnceAndWhatTakesSightAwayDoesNot) {
  World world(WithLimits());
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), kHere);
  std::vector<StatusReply> radii;
  for (int i = 0; i < 5; ++i) radii.push_back(world.SetRadius(alice, 1'000 + i));
  const PageReply page = world.Page(alice.user, 5);
  const Connecting carol = world.BeginConnect(world.User(2));
  for (const std::size_t refused : {3, 4}) {
    EXPECT_EQ(radii[refused].code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(page.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(carol.reply.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(world.runtime().stats().queued_calls, 0u) << "as of the last poll";

  const EditReply hide = world.Edit(FriendEdit::Kind::kHide, alice.user, bob.user);
  world.Disconnect(alice);
  world.Settle();
  EXPECT_TRUE(hide.status().ok());
  EXPECT_THAT(world.InSight(bob), IsEmpty());
  EXPECT_EQ(world.runtime().stats().calls_refused, 4u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(radii[i].status().ok());
  for (const StatusReply& reply : radii) EXPECT_EQ(reply.times(), 1);
}

TEST(RuntimeOverloadTest, ConnectsWaitWhileTheLoadsAreFullAndThenGoOnInOrder) {
  World world(WithLimits());
  world.friends().lists().Hold();
  std::vector<Connecting> all;
  for (std::uint64_t i = 0; i < 5; ++i) {
    all.push_back(world.BeginConnect(world.User(i), kHere));
    world.Settle();
  }
  EXPECT_THAT(world.friends().lists().held(), SizeIs(2));
  EXPECT_EQ(world.runtime().stats().loads_in_flight, 2u);
  EXPECT_EQ(world.runtime().stats().queued_calls, 3u) << "those who wait count as queued";
  const Connecting refused = world.BeginConnect(world.User(5));
  EXPECT_EQ(refused.reply.code(), absl::StatusCode::kResourceExhausted);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(all[i].reply.times(), 0);
    ASSERT_TRUE(world.friends().lists().ReleaseOldest());
    world.Settle();
    EXPECT_TRUE(all[i].reply.status().ok()) << all[i].reply.status();
    EXPECT_LE(world.friends().lists().held().size(), 2u);
  }
  EXPECT_EQ(world.runtime().stats().queued_calls, 0u);
  EXPECT_EQ(world.runtime().stats().sessions, 5u);
}

TEST(RuntimeOverloadTest, AConnectThatWaitsForAPlaceFailsWhenItsTimeIsUp) {
  World world(WithLimits());
  world.friends().lists().Hold();
  std::vector<Connecting> all;
  for (std::uint64_t i = 0; i < 4; ++i) {
    all.push_back(world.BeginConnect(world.User(i), kHere));
    world.Settle();
  }
  world.Pass(absl::Milliseconds(9'999));
  for (const Connecting& one : all) EXPECT_EQ(one.reply.times(), 0);
  world.Pass(absl::Milliseconds(1));
  for (const Connecting& one : all) {
    EXPECT_EQ(one.reply.code(), absl::StatusCode::kDeadlineExceeded) << one.reply.status();
    EXPECT_EQ(one.reply.times(), 1);
  }
  EXPECT_EQ(world.runtime().stats().connects_failed, 4u);
  EXPECT_EQ(world.runtime().stats().queued_calls, 0u);
}

TEST(RuntimeOverloadTest, TheTimeSpentWaitingForAPlaceCounts) {
  World world(WithLimits());
  world.friends().lists().Hold();
  world.BeginConnect(world.User(0));
  world.BeginConnect(world.User(1));
  const Connecting third = world.BeginConnect(world.User(2));
  world.Settle();
  world.Pass(absl::Seconds(6));
  ASSERT_TRUE(world.friends().lists().ReleaseOldest());
  world.Settle();
  EXPECT_THAT(world.friends().lists().held(), SizeIs(2));
  world.Pass(absl::Seconds(4));
  EXPECT_EQ(third.reply.code(), absl::StatusCode::kDeadlineExceeded);
  world.friends().lists().Resume();
  world.Settle();
}

TEST(RuntimeOverloadTest, ConnectsAreAnsweredThoughReloadsTakeAllPlaces) {
  // A store that is down fails edits with open outcomes, and each has lists loaded again, without
  // an end in sight. Whoever connects meanwhile is to hear of it.
  World world(WithLimits());
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), kHere);
  world.friends().edits().FailNext(1, absl::UnavailableError("down"));
  world.friends().lists().FailNext(1'000, absl::UnavailableError("down"));
  world.Edit(FriendEdit::Kind::kBefriend, alice.user, bob.user);
  world.Settle();
  const Connecting carol = world.BeginConnect(world.User(2), kHere);
  for (int i = 0; i < 40; ++i) world.Pass(absl::Milliseconds(500));
  EXPECT_EQ(carol.reply.times(), 1);
  EXPECT_FALSE(carol.reply.status().ok());
}

TEST(RuntimeOverloadTest, EditsPastTheLimitFailAndChangeNothing) {
  World world(WithLimits(2));
  world.friends().edits().Hold();
  const UserId alice = world.User(0);
  const EditReply first = world.Edit(FriendEdit::Kind::kBefriend, alice, world.User(1));
  const EditReply second = world.Edit(FriendEdit::Kind::kBefriend, alice, world.User(2));
  const EditReply third = world.Edit(FriendEdit::Kind::kBefriend, alice, world.User(3));
  EXPECT_EQ(third.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(world.graph().Get(alice, world.User(3)).friends);
  EXPECT_EQ(world.runtime().stats().edits_in_flight, 2u);
  EXPECT_EQ(world.runtime().stats().edits_failed, 1u);
  world.friends().edits().Resume();
  world.Settle();
  EXPECT_TRUE(first.status().ok());
  EXPECT_TRUE(second.status().ok());
  EXPECT_EQ(world.runtime().stats().edits_in_flight, 0u);
  EXPECT_EQ(world.runtime().stats().edits, 2u);
}

// --- a shard that is behind ---

World::Options WithFewMessages() {
  World::Options options;
  options.runtime.shards = 2;
  options.runtime.max_queued_messages = 2;
  return options;
}

TEST(RuntimeOverloadTest, LocationsForAShardThatIsBehindAreDroppedAndTheNextOneHeals) {
  World world(WithFewMessages());
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), North(100));
  for (int i = 1; i <= 5; ++i) {
    world.clock().Advance(absl::Seconds(1));
    world.Report(bob, North(100 + i));
    world.runtime().Poll(bob.session.shard);
  }
  world.Settle();
  EXPECT_EQ(world.runtime().stats().locations_dropped, 3u);
  EXPECT_EQ(world.sink().InSight(alice.cookie).at(bob.user).position,
            Position::FromLatLng(North(102)));
  world.clock().Advance(absl::Seconds(1));
  world.Report(bob, North(200));
  world.Settle();
  EXPECT_EQ(world.sink().InSight(alice.cookie).at(bob.user).position,
            Position::FromLatLng(North(200)));
}

TEST(RuntimeOverloadTest, ALeaveReachesAShardThatIsBehind) {
  World world(WithFewMessages());
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), North(100));
  for (int i = 1; i <= 5; ++i) {
    world.Report(bob, North(100 + i));
    world.runtime().Poll(bob.session.shard);
  }
  world.Disconnect(bob);
  world.runtime().Poll(bob.session.shard);
  world.Settle();
  EXPECT_THAT(world.InSight(alice), IsEmpty());
}

TEST(RuntimeOverloadTest, ListsWaitForAShardThatIsBehindAndThenGoOn) {
  World world(WithFewMessages());
  const UserId alice = world.User(0);
  std::vector<Client> friends;
  for (std::uint64_t i = 1; i < 20; i += 2) {
    world.Befriend(alice, world.User(i));
    world.Befriend(world.User(40), world.User(i));
    friends.push_back(world.Connect(world.User(i), kHere));
  }
  // The first list sends an announcement for each friend; nobody polls the other shard.
  const Connecting first = world.BeginConnect(alice, kHere);
  const Connecting second = world.BeginConnect(world.User(40), kHere);
  for (int i = 0; i < 5; ++i) world.runtime().Poll(ShardId{0});
  EXPECT_GT(world.runtime().stats().calls_deferred, 0u);
  EXPECT_EQ(world.runtime().stats().engine.lists_loaded, 11u) << "the second must wait";
  EXPECT_LE(world.runtime().Poll(ShardId{0}), absl::Milliseconds(1)) << "and looks again soon";
  world.Settle();
  world.Settle();
  ASSERT_TRUE(first.reply.status().ok());
  ASSERT_TRUE(second.reply.status().ok());
  // Some of the locations that were to be in the answers have been dropped; their next ones heal
  // it.
  for (const Client& client : friends) {
    world.Report(client, North(1));
    world.Settle();
  }
  EXPECT_THAT(world.InSight(first.client()), SizeIs(10));
  EXPECT_THAT(world.InSight(second.client()), SizeIs(10));
}

TEST(RuntimeOverloadTest, WhatWaitsIsInTheStatistics) {
  World world(2);
  const Client alice = world.Connect(world.User(0), kHere);
  world.Report(alice, kHere);
  EXPECT_EQ(world.runtime().stats().queued_reports, 0u) << "as of the last poll";
  world.Settle();
  // What comes while the shard is at work waits when the poll ends.
  StatusReply radius;
  StatusReply second;
  world.runtime().SetRadius(alice.session, 100, radius.DoneAnd([&](const absl::Status&) {
    world.Report(alice, kHere);
    world.runtime().SetRadius(alice.session, 200, second.Done());
  }));
  EXPECT_EQ(world.runtime().Poll(alice.session.shard), absl::ZeroDuration());
  EXPECT_EQ(world.runtime().stats().queued_reports, 1u);
  EXPECT_EQ(world.runtime().stats().queued_calls, 1u);
  world.Settle();
  EXPECT_EQ(world.runtime().stats().queued_reports, 0u);
  EXPECT_EQ(world.runtime().stats().queued_calls, 0u);
}

}  // namespace
}  // namespace nearby::test
