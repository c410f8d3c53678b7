// Clients that do not take what is delivered as fast as it comes.

#include <cstddef>
#include <cstdint>
#include <vector>

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

// Alice, who is slow, and thirty friends of hers in sight.
class RuntimeSlowClientsTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static constexpr std::uint64_t kFriends = 30;

  RuntimeSlowClientsTest() : RuntimeSlowClientsTest(256) {}
  explicit RuntimeSlowClientsTest(std::size_t max_pending_events)
      : world_(OptionsFor(max_pending_events)) {
    for (std::uint64_t i = 1; i <= kFriends; ++i) world_.Befriend(world_.User(0), world_.User(i));
    alice_ = world_.Connect(world_.User(0), kHere);
    for (std::uint64_t i = 1; i <= kFriends; ++i) {
      friends_.push_back(world_.Connect(world_.User(i), North(100)));
    }
    EXPECT_THAT(world_.InSight(alice_), SizeIs(kFriends));
  }

  static World::Options OptionsFor(std::size_t max_pending_events) {
    World::Options options;
    options.runtime.shards = GetParam();
    options.runtime.max_pending_events = max_pending_events;
    return options;
  }

  // From the next batch on Alice is busy.
  void MakeBusy() {
    world_.SetBusy(alice_, true);
    ReportOf(0, North(101));
    ASSERT_TRUE(world_.sink().is_busy(alice_.cookie));
    batches_ = batches();
  }
  void MakeReady() {
    world_.SetBusy(alice_, false);
    world_.Ready(alice_);
    world_.Settle();
  }
  void ReportOf(std::size_t i, LatLng place) {
    world_.clock().Advance(absl::Milliseconds(10));
    world_.Report(friends_[i], place);
    world_.Settle();
  }
  std::size_t batches() const { return world_.sink().batches(alice_.cookie).size(); }
  RuntimeStats stats() { return world_.runtime().stats(); }

  World world_;
  Client alice_;
  std::vector<Client> friends_;
  std::size_t batches_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeSlowClientsTest, ::testing::Values(1, 2));

TEST_P(RuntimeSlowClientsTest, ABusyClientIsHandedNothingAndThenAllAtOnce) {
  MakeBusy();
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < kFriends; ++i) ReportOf(i, North(100 + round));
  }
  EXPECT_EQ(batches(), batches_);
  EXPECT_EQ(stats().pending_events, kFriends) << "one for each friend, however much they move";
  EXPECT_EQ(stats().busy_sessions, 1u);
  MakeReady();
  ASSERT_EQ(batches(), batches_ + 1);
  const auto batch = world_.sink().batches(alice_.cookie).back();
  EXPECT_EQ(batch.start, BatchStart::kGoesOn);
  EXPECT_THAT(batch.events, SizeIs(kFriends));
  for (const auto& [friend_id, event] : world_.sink().InSight(alice_.cookie)) {
    EXPECT_EQ(event.position, Position::FromLatLng(North(119)));
  }
  EXPECT_EQ(stats().pending_events, 0u);
  EXPECT_EQ(stats().busy_sessions, 0u);
  EXPECT_EQ(stats().resyncs, 0u);
}

TEST_P(RuntimeSlowClientsTest, WhoeverComesAndGoesMeanwhileIsNotTold) {
  MakeBusy();
  for (int i = 0; i < 10; ++i) {
    ReportOf(3, kFarAway);
    ReportOf(3, North(100));
  }
  ReportOf(4, kFarAway);
  MakeReady();
  const auto batch = world_.sink().batches(alice_.cookie).back();
  EXPECT_THAT(batch.events, SizeIs(2));
  EXPECT_EQ(world_.InSight(alice_).count(friends_[3].user), 1u);
  EXPECT_EQ(world_.InSight(alice_).count(friends_[4].user), 0u);
}

TEST_P(RuntimeSlowClientsTest, NothingIsDeliveredWhereNothingIsLeftToTell) {
  ReportOf(3, kFarAway);
  MakeBusy();
  ReportOf(3, North(100));
  ReportOf(3, kFarAway);
  EXPECT_EQ(stats().pending_events, 0u);
  EXPECT_EQ(stats().events_cancelled, 2u);
  MakeReady();
  EXPECT_EQ(batches(), batches_);
}

TEST_P(RuntimeSlowClientsTest, AfterBeingReadyTheClientIsServedAsBefore) {
  for (int i = 0; i < 5; ++i) {
    MakeBusy();
    ReportOf(2, North(200 + i));
    MakeReady();
    EXPECT_EQ(batches(), batches_ + 1);
    ReportOf(2, North(300 + i));
    EXPECT_EQ(batches(), batches_ + 2);
  }
}

TEST_P(RuntimeSlowClientsTest, AClientThatIsBusyEachTimeGetsOneBatchForEachReady) {
  MakeBusy();
  for (int i = 0; i < 5; ++i) {
    ReportOf(1, North(200 + i));
    ReportOf(2, North(200 + i));
    EXPECT_EQ(batches(), batches_ + static_cast<std::size_t>(i));
    world_.Ready(alice_);
    world_.Settle();
    EXPECT_EQ(batches(), batches_ + static_cast<std::size_t>(i) + 1);
  }
}

TEST_P(RuntimeSlowClientsTest, ReadyWithoutBeingBusyDoesNothing) {
  for (int i = 0; i < 3; ++i) world_.runtime().Ready(alice_.session);
  world_.Settle();
  EXPECT_EQ(stats().busy_sessions, 0u);
  ReportOf(1, North(200));
  MakeBusy();
  ReportOf(1, North(300));
  EXPECT_EQ(batches(), batches_) << "what was said before does not count";
  MakeReady();
}

TEST_P(RuntimeSlowClientsTest, AClientMayBeReadyBeforeDeliverHasReturned) {
  // As when the transport takes the batch at once, on this thread or on another.
  world_.SetBusy(alice_, true);
  world_.sink().SetHook([this](const ClientBatch& batch) {
    if (batch.cookie == alice_.cookie) world_.Ready(alice_);
  });
  for (int i = 0; i < 5; ++i) ReportOf(1, North(200 + i));
  world_.sink().SetHook(nullptr);
  world_.SetBusy(alice_, false);
  EXPECT_EQ(stats().busy_sessions, 0u);
  EXPECT_EQ(world_.sink().InSight(alice_.cookie).at(friends_[1].user).position,
            Position::FromLatLng(North(204)));
}

TEST_P(RuntimeSlowClientsTest, AResetWhileBusyTakesThePlaceOfAllElse) {
  MakeBusy();
  // All but Alice go on reporting until she has expired.
  for (int round = 0; round < 7; ++round) {
    for (const Client& client : friends_) world_.Report(client, North(150));
    world_.Pass(absl::Minutes(2));
  }
  EXPECT_EQ(stats().pending_events, 0u);
  MakeReady();
  EXPECT_EQ(world_.sink().batches(alice_.cookie).back().start, BatchStart::kReset);
  EXPECT_THAT(world_.InSight(alice_), IsEmpty());
  world_.Report(alice_, kHere);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice_), SizeIs(kFriends));
}

TEST_P(RuntimeSlowClientsTest, AResetWhileBusyAndAllThatFollowsComeAsOne) {
  MakeBusy();
  for (int round = 0; round < 7; ++round) {
    for (const Client& client : friends_) world_.Report(client, North(150));
    world_.Pass(absl::Minutes(2));
  }
  world_.Report(alice_, kHere);
  world_.Settle();
  MakeReady();
  const auto batch = world_.sink().batches(alice_.cookie).back();
  EXPECT_EQ(batch.start, BatchStart::kReset);
  EXPECT_THAT(batch.events, SizeIs(kFriends));
  EXPECT_THAT(world_.InSight(alice_), SizeIs(kFriends));
}

TEST_P(RuntimeSlowClientsTest, FriendsWhoAreServedDoNotWaitForOneWhoIsSlow) {
  MakeBusy();
  const std::size_t before = world_.sink().batches(friends_[0].cookie).size();
  world_.clock().Advance(absl::Seconds(1));
  world_.Report(alice_, North(5));
  world_.Settle();
  EXPECT_EQ(world_.sink().batches(friends_[0].cookie).size(), before + 1);
  MakeReady();
}

// --- more than may wait ---

class RuntimeResyncTest : public RuntimeSlowClientsTest {
 protected:
  RuntimeResyncTest() : RuntimeSlowClientsTest(8) {}
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeResyncTest, ::testing::Values(1, 2));

TEST_P(RuntimeResyncTest, PastTheLimitTheNextBatchIsTheWholeSet) {
  MakeBusy();
  for (std::size_t i = 0; i < 20; ++i) {
    ReportOf(i, i % 4 == 0 ? kFarAway : North(300));
    EXPECT_LE(stats().pending_events, 8u);
  }
  EXPECT_EQ(stats().pending_events, 0u) << "nothing waits but the resync";
  EXPECT_EQ(stats().resyncs, 1u);
  MakeReady();
  const auto batch = world_.sink().batches(alice_.cookie).back();
  EXPECT_EQ(batch.start, BatchStart::kResync);
  EXPECT_THAT(batch.events, SizeIs(25));
  EXPECT_THAT(world_.InSight(alice_), SizeIs(25));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(world_.InSight(alice_).count(friends_[i].user), i % 4 == 0 ? 0u : 1u);
  }
  // From there on as before.
  ReportOf(0, North(100));
  EXPECT_EQ(world_.sink().batches(alice_.cookie).back().start, BatchStart::kGoesOn);
  EXPECT_THAT(world_.InSight(alice_), SizeIs(26));
}

TEST_P(RuntimeResyncTest, TheWholeSetIsThatOfTheMomentItIsHandedOver) {
  MakeBusy();
  for (std::size_t i = 0; i < 20; ++i) ReportOf(i, North(300));
  for (std::size_t i = 0; i < kFriends; ++i) ReportOf(i, i == 7 ? North(400) : kFarAway);
  MakeReady();
  EXPECT_THAT(world_.InSight(alice_), UnorderedElementsAre(friends_[7].user));
  EXPECT_EQ(world_.sink().InSight(alice_.cookie).at(friends_[7].user).position,
            Position::FromLatLng(North(400)));
}

TEST_P(RuntimeResyncTest, AResyncMayBeOfNobody) {
  MakeBusy();
  for (std::size_t i = 0; i < kFriends; ++i) ReportOf(i, kFarAway);
  MakeReady();
  EXPECT_EQ(world_.sink().batches(alice_.cookie).back().start, BatchStart::kResync);
  EXPECT_THAT(world_.InSight(alice_), IsEmpty());
}

TEST_P(RuntimeResyncTest, OneWhoExpiresWithAResyncWaitingIsReset) {
  MakeBusy();
  for (std::size_t i = 0; i < 20; ++i) ReportOf(i, North(300));
  world_.Pass(absl::Minutes(10));
  MakeReady();
  EXPECT_EQ(world_.sink().batches(alice_.cookie).back().start, BatchStart::kReset);
  EXPECT_THAT(world_.InSight(alice_), IsEmpty());
}

TEST_P(RuntimeResyncTest, ABurstForAClientThatIsReadyMayBeAResyncToo) {
  world_.clock().Advance(absl::Seconds(1));
  for (const Client& client : friends_) world_.Report(client, North(250));
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice_), SizeIs(kFriends));
  for (const auto& [friend_id, event] : world_.sink().InSight(alice_.cookie)) {
    EXPECT_EQ(event.position, Position::FromLatLng(North(250)));
  }
}

TEST_P(RuntimeResyncTest, AResyncOfMoreThanOnePageHasThemAll) {
  World::Options options = OptionsFor(2);
  options.runtime.engine.max_page_size = 7;
  options.runtime.engine.connect_page_size = 7;
  World world(options);
  for (std::uint64_t i = 1; i <= kFriends; ++i) {
    world.Befriend(world.User(0), world.User(i));
    world.Connect(world.User(i), North(static_cast<double>(i % 3)));
  }
  const Client alice = world.Connect(world.User(0), kHere);
  ASSERT_THAT(world.InSight(alice), SizeIs(7)) << "the others wait for their next report";
  world.SetBusy(alice, true);
  world.Pass(absl::Seconds(1));
  std::vector<Client> again;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    again.push_back(world.Connect(world.User(i), North(50)));
    world.Pass(absl::Seconds(1));
  }
  ASSERT_EQ(world.runtime().stats().resyncs, 1u);
  world.SetBusy(alice, false);
  world.Ready(alice);
  world.Settle();
  EXPECT_THAT(world.InSight(alice), SizeIs(kFriends));
}

}  // namespace
}  // namespace nearby::test
