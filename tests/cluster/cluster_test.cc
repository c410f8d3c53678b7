// Two nodes with the in-memory defaults between them.

#include "nearby/cluster.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "tests/cluster/pair_of_nodes.h"

namespace nearby {
namespace {

using test::kHere;
using test::North;
using test::PairOfNodes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using Client = PairOfNodes::Client;
using EndReason = ClientSink::EndReason;
using Kind = FriendEdit::Kind;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    pair_.Befriend(kAlice, kBob);
    pair_.Settle();
  }
  // Alice on the first node, Bob on the second, in sight of each other.
  void ConnectBoth() {
    alice_ = pair_.Connect(0, kAlice, kHere);
    bob_ = pair_.Connect(1, kBob, North(100));
    ASSERT_THAT(pair_.InSight(alice_), ElementsAre(kBob));
    ASSERT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
  }

  PairOfNodes pair_;
  Client alice_;
  Client bob_;
};

TEST_F(ClusterTest, FriendsOnTwoNodesSeeEachOther) {
  ConnectBoth();
  pair_.Pass(absl::Seconds(1));
  pair_.Report(alice_, North(200));
  pair_.Settle();
  const auto seen = pair_.sink(1).InSight(bob_.cookie);
  EXPECT_NEAR(static_cast<double>(seen.at(kAlice).distance_mm), 100e3, 1e3);
  pair_.Pass(absl::Minutes(10));
  pair_.Report(alice_, North(50'000));
  pair_.Settle();
  EXPECT_THAT(pair_.InSight(alice_), IsEmpty());
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());
  pair_.Report(bob_, North(49'900));
  pair_.Settle();
  EXPECT_THAT(pair_.InSight(alice_), ElementsAre(kBob));
  EXPECT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
  EXPECT_GT(pair_.stats(0).locations_published, 0u);
  EXPECT_EQ(pair_.stats(0).publish_failures, 0u);
}

TEST_F(ClusterTest, WhoIsFarFromEverybodyIsNotListenedTo) {
  ConnectBoth();
  EXPECT_EQ(pair_.stats(1).guests, 1u);
  EXPECT_EQ(pair_.stats(1).guests_parked, 0u);
  // Calm for long enough to be believed slow.
  for (int report = 0; report < 12; ++report) {
    pair_.Pass(absl::Seconds(10));
    pair_.Report(alice_, North(300'000));
    pair_.Report(bob_, North(100));
    pair_.Settle();
  }
  EXPECT_EQ(pair_.stats(1).guests, 1u);
  EXPECT_EQ(pair_.stats(1).guests_parked, 1u);
}

TEST_F(ClusterTest, WhoDisconnectsIsSeenToLeave) {
  ConnectBoth();
  pair_.Disconnect(alice_);
  pair_.Settle();
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());
  alice_ = pair_.Connect(0, kAlice, kHere);
  EXPECT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, AnEditCompletesOnceTheOtherNodeHasIt) {
  ConnectBoth();
  const PairOfNodes::EditReply hidden = pair_.Edit(0, Kind::kHide, kAlice, kBob);
  for (int i = 0; i < 10; ++i) pair_.runtime(0).PollAll();
  EXPECT_EQ(hidden.times(), 0) << "the second node may still tell Bob something";
  EXPECT_EQ(pair_.stats(0).fences_open, 1u);
  pair_.Settle();
  ASSERT_EQ(hidden.times(), 1);
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());
  pair_.sink(1).MustNotSee(bob_.cookie, kAlice);
  pair_.Pass(absl::Seconds(10));
  pair_.Report(alice_, North(50));
  pair_.Pass(absl::Seconds(20));
  EXPECT_THAT(pair_.InSight(alice_), ElementsAre(kBob));

  pair_.sink(1).MaySee(bob_.cookie, kAlice);
  const PairOfNodes::EditReply shared = pair_.Edit(0, Kind::kShare, kAlice, kBob);
  pair_.Settle();
  EXPECT_TRUE(shared.is_ok()) << shared.status();
  EXPECT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, AnEditOfSomebodyElsesNodeIsFencedToo) {
  ConnectBoth();
  // Asked at the node where Bob is, about Alice's friend: both ways it ends what is seen.
  const PairOfNodes::EditReply ended = pair_.Edit(1, Kind::kUnfriend, kBob, kAlice);
  pair_.Settle();
  EXPECT_TRUE(ended.is_ok()) << ended.status();
  EXPECT_THAT(pair_.InSight(alice_), IsEmpty());
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());
}

TEST_F(ClusterTest, AnotherNodeTakesTheSession) {
  ConnectBoth();
  const Client again = pair_.Connect(1, kAlice, kHere);
  EXPECT_THAT(pair_.Ended(alice_), Optional(EndReason::kReplaced));
  EXPECT_EQ(pair_.Ended(again), std::nullopt);
  EXPECT_THAT(pair_.InSight(again), ElementsAre(kBob));
  EXPECT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
  // And back.
  const Client back = pair_.Connect(0, kAlice, kHere);
  EXPECT_THAT(pair_.Ended(again), Optional(EndReason::kReplaced));
  EXPECT_THAT(pair_.InSight(back), ElementsAre(kBob));
}

TEST_F(ClusterTest, ANodeThatLosesItsLeaseLetsGoOfItsSessions) {
  ConnectBoth();
  pair_.directory(0).Sever(true);
  pair_.Pass(absl::Seconds(5));
  EXPECT_EQ(pair_.Ended(alice_), std::nullopt) << "the lease goes on";
  pair_.Pass(absl::Seconds(6));
  EXPECT_THAT(pair_.Ended(alice_), Optional(EndReason::kNodeLost));
  EXPECT_EQ(pair_.stats(0).leases_lost, 1u);
  pair_.Pass(absl::Seconds(10));
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());

  pair_.directory(0).Sever(false);
  pair_.Pass(absl::Seconds(10));
  EXPECT_EQ(pair_.stats(0).leases, 2u);
  alice_ = pair_.Connect(0, kAlice, kHere);
  EXPECT_THAT(pair_.InSight(alice_), ElementsAre(kBob));
  EXPECT_THAT(pair_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, ThoseOfANodeThatDiesAreSeenToLeave) {
  ConnectBoth();
  pair_.Destroy(0);
  pair_.Pass(absl::Seconds(30));
  EXPECT_THAT(pair_.InSight(bob_), IsEmpty());
}

TEST_F(ClusterTest, AnEditWaitsForTheLeaseOfANodeThatHasDied) {
  ConnectBoth();
  pair_.Destroy(1);
  const PairOfNodes::EditReply hidden = pair_.Edit(0, Kind::kHide, kAlice, kBob);
  pair_.Settle();
  EXPECT_EQ(hidden.times(), 0) << "it might only be slow";
  pair_.Pass(absl::Seconds(30));
  EXPECT_EQ(hidden.times(), 1);
}

TEST_F(ClusterTest, SightOutlivesTheLossOfALink) {
  ConnectBoth();
  pair_.broker().TakeDown("server");
  pair_.Pass(absl::Seconds(1));
  pair_.Report(alice_, North(300));
  pair_.Settle();
  pair_.broker().BringUp("server");
  pair_.Pass(absl::Seconds(20));
  const auto seen = pair_.sink(1).InSight(bob_.cookie);
  ASSERT_EQ(seen.count(kAlice), 1u);
  EXPECT_NEAR(static_cast<double>(seen.at(kAlice).distance_mm), 200e3, 1e3)
      << "what was lost is made up for";
  pair_.Report(alice_, North(400));
  pair_.Settle();
  EXPECT_NEAR(static_cast<double>(pair_.sink(1).InSight(bob_.cookie).at(kAlice).distance_mm), 300e3,
              1e3);
  EXPECT_GT(pair_.stats(1).links_lost, 0u);
}

TEST_F(ClusterTest, SightOutlivesAChangeOfTheRing) {
  ConnectBoth();
  pair_.SetRing(2, "another server");
  pair_.Pass(absl::Seconds(1));
  pair_.Report(alice_, North(300));
  pair_.Settle();
  EXPECT_NEAR(static_cast<double>(pair_.sink(1).InSight(bob_.cookie).at(kAlice).distance_mm), 200e3,
              1e3);
  EXPECT_EQ(pair_.stats(1).ring_changes, 2u);
}

}  // namespace
}  // namespace nearby
