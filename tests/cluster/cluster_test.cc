// Two nodes with the in-memory defaults between them.

#include "nearby/cluster.h"

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/session_directory.h"
#include "tests/cluster/few_nodes.h"
#include "tests/runtime/reply.h"

namespace nearby {
namespace {

using test::FewNodes;
using test::kHere;
using test::North;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using Client = FewNodes::Client;
using EndReason = ClientSink::EndReason;
using Kind = FriendEdit::Kind;

using StatusReply = test::Reply<absl::Status>;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    nodes_.Befriend(kAlice, kBob);
    nodes_.Settle();
  }
  // Alice on the first node, Bob on the second, in sight of each other.
  void ConnectBoth() {
    alice_ = nodes_.Connect(0, kAlice, kHere);
    bob_ = nodes_.Connect(1, kBob, North(100));
    ASSERT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
    ASSERT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
  }

  StatusReply ConnectBobAgain(std::optional<double> radius_m) {
    ConnectCall call;
    call.user = kBob;
    call.radius_m = radius_m;
    StatusReply reply;
    nodes_.runtime(1).Connect(
        call, [done = reply.Done()](const absl::StatusOr<ConnectResult>& result) mutable {
          done(result.status());
        });
    return reply;
  }

  // That Bob's session goes on, that what Alice forbids is asked of it, and that nothing of it is
  // left in the directory when it has ended.
  void ExpectBobIsStillFenced() {
    nodes_.Pass(absl::Seconds(1));
    nodes_.Report(bob_, North(120));
    nodes_.Settle();
    EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
    ASSERT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
    EXPECT_EQ(nodes_.sink(0).InSight(alice_.cookie).at(kBob).position,
              Position::FromLatLng(North(120)));

    const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
    for (int i = 0; i < 10; ++i) nodes_.runtime(0).PollAll();
    EXPECT_EQ(hidden.times(), 0) << "the second node has not put it in force";
    nodes_.Settle();
    EXPECT_TRUE(hidden.is_ok()) << hidden.status();
    nodes_.sink(1).MustNotSee(bob_.cookie, kAlice);
    nodes_.Pass(absl::Seconds(10));
    nodes_.Report(alice_, North(50));
    nodes_.Settle();
    EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());

    nodes_.Disconnect(bob_);
    nodes_.Settle();
    std::vector<SessionHolder> holders(1);
    nodes_.directory(0).Lookup(
        {&kBob, 1}, [&](const absl::StatusOr<std::vector<std::vector<SessionHolder>>>& found) {
          holders = found.value().front();
        });
    EXPECT_THAT(holders, IsEmpty());
  }

  FewNodes nodes_;
  Client alice_;
  Client bob_;
};

TEST_F(ClusterTest, FriendsOnTwoNodesSeeEachOther) {
  ConnectBoth();
  nodes_.Pass(absl::Seconds(1));
  nodes_.Report(alice_, North(200));
  nodes_.Settle();
  const auto seen = nodes_.sink(1).InSight(bob_.cookie);
  EXPECT_NEAR(static_cast<double>(seen.at(kAlice).distance_mm), 100e3, 1e3);
  nodes_.Pass(absl::Minutes(10));
  nodes_.Report(alice_, North(50'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(alice_), IsEmpty());
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());
  nodes_.Report(bob_, North(49'900));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
  EXPECT_GT(nodes_.stats(0).locations_published, 0u);
  EXPECT_EQ(nodes_.stats(0).publish_failures, 0u);
}

TEST_F(ClusterTest, WhoIsFarFromEverybodyIsNotListenedTo) {
  ConnectBoth();
  EXPECT_EQ(nodes_.stats(1).guests, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 0u);
  // Calm for long enough to be believed slow.
  for (int report = 0; report < 12; ++report) {
    nodes_.Pass(absl::Seconds(10));
    nodes_.Report(alice_, North(300'000));
    nodes_.Report(bob_, North(100));
    nodes_.Settle();
  }
  EXPECT_EQ(nodes_.stats(1).guests, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 1u);
}

TEST_F(ClusterTest, WhoDisconnectsIsSeenToLeave) {
  ConnectBoth();
  nodes_.Disconnect(alice_);
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());
  alice_ = nodes_.Connect(0, kAlice, kHere);
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, AnEditCompletesOnceTheOtherNodeHasIt) {
  ConnectBoth();
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  for (int i = 0; i < 10; ++i) nodes_.runtime(0).PollAll();
  EXPECT_EQ(hidden.times(), 0) << "the second node may still tell Bob something";
  EXPECT_EQ(nodes_.stats(0).fences_open, 1u);
  nodes_.Settle();
  ASSERT_EQ(hidden.times(), 1);
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());
  nodes_.sink(1).MustNotSee(bob_.cookie, kAlice);
  nodes_.Pass(absl::Seconds(10));
  nodes_.Report(alice_, North(50));
  nodes_.Pass(absl::Seconds(20));
  EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));

  nodes_.sink(1).MaySee(bob_.cookie, kAlice);
  const FewNodes::EditReply shared = nodes_.Edit(0, Kind::kShare, kAlice, kBob);
  nodes_.Settle();
  EXPECT_TRUE(shared.is_ok()) << shared.status();
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, AnEditOfSomebodyElsesNodeIsFencedToo) {
  ConnectBoth();
  // Asked at the node where Bob is, about Alice's friend: both ways it ends what is seen.
  const FewNodes::EditReply ended = nodes_.Edit(1, Kind::kUnfriend, kBob, kAlice);
  nodes_.Settle();
  EXPECT_TRUE(ended.is_ok()) << ended.status();
  EXPECT_THAT(nodes_.InSight(alice_), IsEmpty());
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());
}

TEST_F(ClusterTest, AnotherNodeTakesTheSession) {
  ConnectBoth();
  const Client again = nodes_.Connect(1, kAlice, kHere);
  EXPECT_THAT(nodes_.Ended(alice_), Optional(EndReason::kReplaced));
  EXPECT_EQ(nodes_.Ended(again), std::nullopt);
  EXPECT_THAT(nodes_.InSight(again), ElementsAre(kBob));
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
  // And back.
  const Client back = nodes_.Connect(0, kAlice, kHere);
  EXPECT_THAT(nodes_.Ended(again), Optional(EndReason::kReplaced));
  EXPECT_THAT(nodes_.InSight(back), ElementsAre(kBob));
}

TEST_F(ClusterTest, ASessionOutlivesAConnectOfNoSense) {
  ConnectBoth();
  const StatusReply refused = ConnectBobAgain(/*radius_m=*/-1);
  nodes_.Settle();
  ASSERT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  ExpectBobIsStillFenced();
}

// The connect that is refused has been entered in the directory, in place of the session that goes
// on.
TEST_F(ClusterTest, ASessionOutlivesAConnectThatIsRefusedLate) {
  ConnectBoth();
  const StatusReply refused = ConnectBobAgain(std::nullopt);
  nodes_.runtime(1).Drain([](const absl::Status&) {});
  nodes_.Settle();
  ASSERT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  ExpectBobIsStillFenced();
}

TEST_F(ClusterTest, ANodeThatLosesItsLeaseLetsGoOfItsSessions) {
  ConnectBoth();
  nodes_.directory(0).Sever(true);
  nodes_.Pass(absl::Seconds(5));
  EXPECT_EQ(nodes_.Ended(alice_), std::nullopt) << "the lease goes on";
  nodes_.Pass(absl::Seconds(6));
  EXPECT_THAT(nodes_.Ended(alice_), Optional(EndReason::kNodeLost));
  EXPECT_EQ(nodes_.stats(0).leases_lost, 1u);
  nodes_.Pass(absl::Seconds(10));
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());

  nodes_.directory(0).Sever(false);
  nodes_.Pass(absl::Seconds(10));
  EXPECT_EQ(nodes_.stats(0).leases, 2u);
  alice_ = nodes_.Connect(0, kAlice, kHere);
  EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));
}

TEST_F(ClusterTest, TellsWhetherItHoldsItsLease) {
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kReady);
  nodes_.Pass(absl::Minutes(1));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kReady);
  nodes_.directory(0).Sever(true);
  nodes_.Pass(absl::Seconds(2));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kReady) << "it is not due yet";
  nodes_.Pass(absl::Seconds(3));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kOverdue);
  nodes_.directory(0).Sever(false);
  nodes_.Pass(absl::Seconds(3));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kReady);

  nodes_.directory(0).Sever(true);
  nodes_.Pass(absl::Seconds(9));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kUnready);
  EXPECT_EQ(nodes_.cluster(1).health(), NodeHealth::kReady) << "the other one knows nothing of it";
  nodes_.directory(0).Sever(false);
  nodes_.Pass(absl::Seconds(9));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kReady);
}

TEST_F(ClusterTest, ANodeThatNobodyPollsIsNotReadyForLong) {
  nodes_.clock().Advance(absl::Seconds(5));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kOverdue);
  nodes_.clock().Advance(absl::Seconds(3));
  EXPECT_EQ(nodes_.cluster(0).health(), NodeHealth::kUnready);
}

TEST(ClusterHealthTest, IsUnreadyBeforeTheFirstLeaseAndAfterTheRuntime) {
  FewNodes nodes;
  EXPECT_EQ(nodes.cluster(0).health(), NodeHealth::kUnready);
  nodes.Settle();
  EXPECT_EQ(nodes.cluster(0).health(), NodeHealth::kReady);
  nodes.EndRuntime(0);
  EXPECT_EQ(nodes.cluster(0).health(), NodeHealth::kUnready);
}

TEST_F(ClusterTest, ThoseOfANodeThatDiesAreSeenToLeave) {
  ConnectBoth();
  nodes_.Destroy(0);
  nodes_.Pass(absl::Seconds(30));
  EXPECT_THAT(nodes_.InSight(bob_), IsEmpty());
}

TEST_F(ClusterTest, AnEditWaitsForTheLeaseOfANodeThatHasDied) {
  ConnectBoth();
  nodes_.Destroy(1);
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  nodes_.Settle();
  EXPECT_EQ(hidden.times(), 0) << "it might only be slow";
  nodes_.Pass(absl::Seconds(30));
  EXPECT_EQ(hidden.times(), 1);
}

TEST_F(ClusterTest, SightOutlivesTheLossOfALink) {
  ConnectBoth();
  nodes_.broker().TakeDown("server");
  nodes_.Pass(absl::Seconds(1));
  nodes_.Report(alice_, North(300));
  nodes_.Settle();
  nodes_.broker().BringUp("server");
  nodes_.Pass(absl::Seconds(20));
  const auto seen = nodes_.sink(1).InSight(bob_.cookie);
  ASSERT_EQ(seen.count(kAlice), 1u);
  EXPECT_NEAR(static_cast<double>(seen.at(kAlice).distance_mm), 200e3, 1e3)
      << "what was lost is made up for";
  nodes_.Report(alice_, North(400));
  nodes_.Settle();
  EXPECT_NEAR(static_cast<double>(nodes_.sink(1).InSight(bob_.cookie).at(kAlice).distance_mm),
              300e3, 1e3);
  EXPECT_GT(nodes_.stats(1).links_lost, 0u);
}

TEST_F(ClusterTest, SightOutlivesAChangeOfTheRing) {
  ConnectBoth();
  nodes_.SetRing(2, "another server");
  nodes_.Pass(absl::Seconds(1));
  nodes_.Report(alice_, North(300));
  nodes_.Settle();
  EXPECT_NEAR(static_cast<double>(nodes_.sink(1).InSight(bob_.cookie).at(kAlice).distance_mm),
              200e3, 1e3);
  EXPECT_EQ(nodes_.stats(1).ring_changes, 2u);
}

}  // namespace
}  // namespace nearby
