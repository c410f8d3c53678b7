// A node that goes in good order keeps nobody waiting.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
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
using ::testing::SizeIs;
using Client = FewNodes::Client;
using Kind = FriendEdit::Kind;
using StatusReply = test::Reply<absl::Status>;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

// Alice is on the first node; Bob on the second, which goes.
class ClusterDrainTest : public ::testing::Test {
 protected:
  ClusterDrainTest() {
    nodes_.Befriend(kAlice, kBob);
    nodes_.Settle();
    alice_ = nodes_.Connect(0, kAlice, kHere);
    bob_ = nodes_.Connect(1, kBob, North(100));
    const std::vector<SessionHolder> holders = Holders(kBob);
    EXPECT_THAT(holders, SizeIs(1));
    if (!holders.empty()) lease_ = holders[0].lease;
  }

  std::vector<SessionHolder> Holders(UserId user) {
    std::vector<SessionHolder> holders;
    nodes_.directory(0).Lookup(
        {&user, 1}, [&](const absl::StatusOr<std::vector<std::vector<SessionHolder>>>& found) {
          if (found.ok()) holders = found->front();
        });
    return holders;
  }

  // Whether the lease under which Bob was connected has ended.
  bool HasEnded() {
    bool has_ended = false;
    nodes_.directory(0).FindEnded({&lease_, 1},
                                  [&](const absl::StatusOr<std::vector<NodeLease>>& ended) {
                                    has_ended = ended.ok() && ended->size() == 1;
                                  });
    return has_ended;
  }

  StatusReply Drain() {
    StatusReply drained;
    nodes_.runtime(1).Drain(drained.Done());
    return drained;
  }

  // Bob's session cannot be taken out of the directory: only the lease ends it.
  void GoWithoutReleasing() {
    nodes_.directory(1).LoseReleases();
    const StatusReply drained = Drain();
    nodes_.Disconnect(bob_);
    nodes_.Settle();
    ASSERT_TRUE(drained.is_ok()) << drained.status();
    nodes_.Destroy(1);
  }

  void PollSecond() {
    for (int i = 0; i < 10; ++i) nodes_.runtime(1).PollAll();
  }

  FewNodes nodes_;
  Client alice_;
  Client bob_;
  NodeLease lease_;
};

TEST_F(ClusterDrainTest, TheLeaseGoesWithTheLastSession) {
  const StatusReply drained = Drain();
  nodes_.Pass(absl::Seconds(20));
  EXPECT_EQ(drained.times(), 0);
  EXPECT_FALSE(HasEnded()) << "Bob is still there";
  EXPECT_EQ(nodes_.cluster(1).health(), NodeHealth::kReady) << "for him";
  nodes_.Report(alice_, North(50));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(bob_), ElementsAre(kAlice));

  nodes_.Disconnect(bob_);
  nodes_.Settle();
  EXPECT_EQ(drained.times(), 1);
  EXPECT_TRUE(drained.is_ok()) << drained.status();
  EXPECT_TRUE(HasEnded());
  EXPECT_EQ(nodes_.cluster(1).health(), NodeHealth::kUnready);
  EXPECT_THAT(nodes_.InSight(alice_), IsEmpty());
  nodes_.Pass(absl::Minutes(1));
  EXPECT_EQ(nodes_.stats(1).leases, 1u) << "nobody needs another one";
  EXPECT_EQ(nodes_.stats(1).leases_lost, 0u);
}

TEST_F(ClusterDrainTest, AnEmptyNodeGivesItsLeaseBackAtOnce) {
  nodes_.Disconnect(bob_);
  nodes_.Settle();
  const StatusReply drained = Drain();
  nodes_.Settle();
  EXPECT_TRUE(drained.is_ok()) << drained.status();
  EXPECT_TRUE(HasEnded());
  const StatusReply again = Drain();
  nodes_.Settle();
  EXPECT_TRUE(again.is_ok()) << again.status();
}

TEST_F(ClusterDrainTest, NobodyWaitsForItsSessions) {
  ASSERT_NO_FATAL_FAILURE(GoWithoutReleasing());
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  nodes_.Settle();
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  EXPECT_THAT(Holders(kBob), IsEmpty());
}

TEST_F(ClusterDrainTest, ItsUsersConnectElsewhereAtOnce) {
  ASSERT_NO_FATAL_FAILURE(GoWithoutReleasing());
  const Client again = nodes_.Connect(0, kBob, North(200));
  EXPECT_THAT(nodes_.InSight(again), ElementsAre(kAlice));
  EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
  EXPECT_THAT(Holders(kBob), SizeIs(1));
}

TEST_F(ClusterDrainTest, WhatItWasAskedIsAnsweredFirst) {
  const StatusReply drained = Drain();
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  for (int i = 0; i < 10; ++i) nodes_.runtime(0).PollAll();
  nodes_.Disconnect(bob_);
  // The answer is not acknowledged, for the first node does nothing.
  PollSecond();
  EXPECT_FALSE(HasEnded());
  EXPECT_EQ(hidden.times(), 0);
  for (int i = 0; i < 10; ++i) nodes_.runtime(0).PollAll();
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  nodes_.Settle();
  EXPECT_TRUE(HasEnded());
  EXPECT_TRUE(drained.is_ok()) << drained.status();
}

TEST_F(ClusterDrainTest, LettersThatNobodyTakesAreNotWaitedForLong) {
  const StatusReply drained = Drain();
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  for (int i = 0; i < 10; ++i) nodes_.runtime(0).PollAll();
  nodes_.Disconnect(bob_);
  PollSecond();
  nodes_.clock().Advance(ClusterOptions().call_timeout);
  PollSecond();
  EXPECT_TRUE(HasEnded());
  EXPECT_TRUE(drained.is_ok()) << drained.status();
}

TEST_F(ClusterDrainTest, ItsOwnEditsAreFencedFirst) {
  const FewNodes::EditReply hidden = nodes_.Edit(1, Kind::kHide, kBob, kAlice);
  const StatusReply drained = Drain();
  nodes_.Disconnect(bob_);
  PollSecond();
  EXPECT_EQ(hidden.times(), 0) << "the first node has not answered";
  EXPECT_EQ(drained.times(), 0);
  EXPECT_FALSE(HasEnded());
  nodes_.Settle();
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  EXPECT_TRUE(drained.is_ok()) << drained.status();
  EXPECT_TRUE(HasEnded());
}

TEST_F(ClusterDrainTest, EditsGoOnAfterwards) {
  const StatusReply drained = Drain();
  nodes_.Disconnect(bob_);
  nodes_.Settle();
  ASSERT_TRUE(HasEnded());
  const Client again = nodes_.Connect(0, kBob, North(200));
  ASSERT_THAT(nodes_.InSight(again), ElementsAre(kAlice));
  const FewNodes::EditReply hidden = nodes_.Edit(1, Kind::kHide, kAlice, kBob);
  PollSecond();
  EXPECT_EQ(hidden.times(), 0);
  nodes_.Pass(absl::Seconds(1));
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  EXPECT_THAT(nodes_.InSight(again), IsEmpty());
  EXPECT_EQ(nodes_.stats(1).leases, 2u) << "one to be answered under";
  EXPECT_EQ(nodes_.stats(1).fences_open, 0u);
  nodes_.Pass(absl::Minutes(1));
  EXPECT_EQ(nodes_.stats(1).leases, 2u);
  EXPECT_EQ(nodes_.stats(1).leases_lost, 0u) << "it was given back";
}

TEST_F(ClusterDrainTest, ADirectoryThatDoesNotAnswerIsNotWaitedForLong) {
  const StatusReply drained = Drain();
  nodes_.Disconnect(bob_);
  nodes_.directory(1).Sever(true);
  nodes_.Settle();
  EXPECT_EQ(drained.times(), 0) << "it may be there again soon";
  nodes_.Pass(absl::Seconds(2));
  EXPECT_EQ(drained.times(), 0);
  nodes_.Pass(absl::Seconds(4));
  EXPECT_TRUE(drained.is_ok()) << drained.status();
  EXPECT_FALSE(HasEnded());
  nodes_.Pass(absl::Seconds(10));
  EXPECT_TRUE(HasEnded()) << "of itself";
}

TEST_F(ClusterDrainTest, ADirectoryThatIsThereAgainEndsTheLease) {
  const StatusReply drained = Drain();
  nodes_.Disconnect(bob_);
  nodes_.directory(1).Sever(true);
  nodes_.Pass(absl::Seconds(1));
  nodes_.directory(1).Sever(false);
  nodes_.Pass(absl::Seconds(2));
  EXPECT_TRUE(drained.is_ok()) << drained.status();
  EXPECT_TRUE(HasEnded());
}

TEST_F(ClusterDrainTest, ANodeThatHasNoLeaseIsDrainedLikewise) {
  nodes_.directory(1).Sever(true);
  nodes_.Pass(absl::Seconds(20));
  ASSERT_EQ(nodes_.stats(1).leases_lost, 1u);
  const StatusReply drained = Drain();
  nodes_.Pass(absl::Seconds(6));
  EXPECT_TRUE(drained.is_ok()) << drained.status();
}

// As each deadline of an edit ends, another one has begun.
TEST_F(ClusterDrainTest, EditsWithoutEndDoNotHoldItUpForEver) {
  const StatusReply drained = Drain();
  nodes_.Disconnect(bob_);
  nodes_.Destroy(0);
  for (int second = 0; second < 60 && drained.times() == 0; ++second) {
    nodes_.Edit(1, Kind::kHide, kAlice, UserId{100});
    nodes_.directory(1).Sever(true);  // so that none is ever fenced
    nodes_.Pass(absl::Seconds(1));
    EXPECT_TRUE(second >= 30 || drained.times() == 0) << second;
  }
  EXPECT_TRUE(drained.is_ok()) << drained.status();
}

TEST_F(ClusterDrainTest, ARuntimeThatIsDestroyedGivesTheLeaseBack) {
  nodes_.End(1);
  EXPECT_TRUE(HasEnded());
  const FewNodes::EditReply hidden = nodes_.Edit(0, Kind::kHide, kAlice, kBob);
  nodes_.Settle();
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  nodes_.Pass(absl::Seconds(6));
  EXPECT_THAT(nodes_.InSight(alice_), IsEmpty());
}

TEST_F(ClusterDrainTest, ARuntimeThatIsDestroyedMeanwhileCompletesTheDrain) {
  const StatusReply drained = Drain();
  const FewNodes::EditReply hidden = nodes_.Edit(1, Kind::kHide, kBob, kAlice);
  nodes_.Disconnect(bob_);
  PollSecond();
  ASSERT_EQ(drained.times(), 0);
  nodes_.End(1);
  EXPECT_EQ(drained.times(), 1);
  EXPECT_EQ(drained.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(HasEnded());
}

}  // namespace
}  // namespace nearby
