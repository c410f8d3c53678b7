// What friends are told of somebody who goes from one node to another.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "tests/cluster/few_nodes.h"

namespace nearby {
namespace {

using test::FewNodes;
using test::kHere;
using test::North;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using Client = FewNodes::Client;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

// Alice looks on, from the third node as a rule; Bob begins on the first and goes to the second.
class ClusterMovesTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  ClusterMovesTest() : nodes_(OptionsFor(GetParam())) {
    nodes_.Befriend(kAlice, kBob);
    nodes_.Settle();
  }

  static FewNodes::Options OptionsFor(std::uint32_t shards) {
    FewNodes::Options options;
    options.nodes = 3;
    options.runtime.shards = shards;
    return options;
  }

  void ConnectBoth(LatLng where_bob_is, std::size_t looking_on = 2) {
    looking_on_ = looking_on;
    alice_ = nodes_.Connect(looking_on_, kAlice, kHere);
    bob_ = nodes_.Connect(0, kBob, where_bob_is);
    Told();
  }

  // What Alice was told since the last call.
  std::vector<DeliveryKind> Told() {
    std::vector<DeliveryKind> kinds;
    const auto batches = nodes_.sink(looking_on_).batches(alice_.cookie);
    for (; seen_ < batches.size(); ++seen_) {
      for (const ClientEvent& event : batches[seen_].events) kinds.push_back(event.kind);
    }
    return kinds;
  }

  // Bob connects; what comes of it, polls will tell.
  void BeginConnect(std::size_t node, std::optional<LatLng> location) {
    ConnectCall call;
    call.user = kBob;
    call.cookie = kNextCookie;
    if (location) call.location = TimedLocation{*location, nodes_.clock().Now()};
    nodes_.runtime(node).Connect(call, [this, node](const absl::StatusOr<ConnectResult>& result) {
      if (!result.ok()) return;
      session_ = result->session;
      nodes_.sink(node).Connected(kNextCookie, kBob, result->friends);
    });
  }

  void PollOnce(std::size_t node) {
    for (std::uint32_t i = 0; i < GetParam(); ++i) nodes_.runtime(node).Poll(ShardId{i});
  }
  // So that Alice is told of each thing as soon as it can be known.
  void PollStepByStep() {
    for (int i = 0; i < 50; ++i) {
      PollOnce(1);
      nodes_.runtime(0).PollAll();
      nodes_.runtime(2).PollAll();
    }
    nodes_.Settle();
  }

  // Until Alice is told something: what it is.
  std::vector<DeliveryKind> PollUntilTold() {
    for (int i = 0; i < 50; ++i) {
      for (const std::size_t node : {1, 0, 2}) {
        PollOnce(node);
        if (auto told = Told(); !told.empty()) return told;
      }
    }
    return {};
  }

  // With the connect he says where he is. No time passes meanwhile.
  void ExpectHeGoesAndComesBack() {
    BeginConnect(1, North(110));
    EXPECT_THAT(PollUntilTold(), ElementsAre(DeliveryKind::kLeave));
    EXPECT_THAT(PollUntilTold(), ElementsAre(DeliveryKind::kEnter));
    nodes_.Settle();
    EXPECT_THAT(nodes_.Ended(bob_), Optional(ClientSink::EndReason::kReplaced));
    nodes_.Pass(absl::Seconds(20));
    EXPECT_THAT(Told(), IsEmpty());
    EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
  }

  // Until that has been acknowledged, she may be told that he has come back.
  void ExpectHeDoesNotComeBackIfHeHides() {
    BeginConnect(1, North(110));
    EXPECT_THAT(PollUntilTold(), ElementsAre(DeliveryKind::kLeave));
    const FewNodes::EditReply hidden = nodes_.Edit(2, FriendEdit::Kind::kHide, kBob, kAlice);
    for (int i = 0; i < 50; ++i) {
      for (const std::size_t node : {1, 0, 2}) {
        if (node != looking_on_) PollOnce(node);
      }
    }
    EXPECT_EQ(hidden.times(), 0) << "she may still be told something";
    for (int i = 0; i < 50 && !hidden.is_ok(); ++i) {
      for (const std::size_t node : {1, 0, 2}) PollOnce(node);
    }
    EXPECT_TRUE(hidden.is_ok()) << hidden.status();
    Told();
    nodes_.Settle();
    nodes_.Pass(absl::Seconds(20));
    EXPECT_THAT(Told(), Each(DeliveryKind::kLeave));
    EXPECT_THAT(nodes_.InSight(alice_), IsEmpty());
  }

  static constexpr std::uint64_t kNextCookie = 1000;

  FewNodes nodes_;
  std::size_t looking_on_ = 0;  // Alice's node
  Client alice_;
  Client bob_;
  SessionId session_;  // Bob's next one
  std::size_t seen_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shards, ClusterMovesTest, ::testing::Values(1, 2));

// He connects to the second node while he is still connected to the first, and says where he is:
// that is published before the first node can say that he has left it.
TEST_P(ClusterMovesTest, WhoConnectsElsewhereFirstIsNeverOutOfSight) {
  ConnectBoth(North(100));
  BeginConnect(1, North(110));
  PollStepByStep();
  EXPECT_THAT(nodes_.Ended(bob_), Optional(ClientSink::EndReason::kReplaced));
  EXPECT_THAT(Told(), ElementsAre(DeliveryKind::kMove));
  nodes_.Pass(absl::Seconds(20));
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(nodes_.InSight(alice_), ElementsAre(kBob));
}

// An engine knows somebody either as a client or as a user elsewhere. Where one becomes the other,
// those who look on from there are told that he has gone, and that he is there, once each.
TEST_P(ClusterMovesTest, WhoGoesFromTheVeryNodeOfAFriendGoesAndComesBack) {
  ConnectBoth(North(100), /*looking_on=*/0);
  ExpectHeGoesAndComesBack();
}

TEST_P(ClusterMovesTest, WhoComesToTheVeryNodeOfAFriendGoesAndComesBack) {
  ConnectBoth(North(100), /*looking_on=*/1);
  ExpectHeGoesAndComesBack();
}

// What is acknowledged meanwhile holds for what she is told of the session that comes.
TEST_P(ClusterMovesTest, WhoHidesOnTheWayFromTheVeryNodeOfAFriendDoesNotComeBack) {
  ConnectBoth(North(100), /*looking_on=*/0);
  ExpectHeDoesNotComeBackIfHeHides();
}

TEST_P(ClusterMovesTest, WhoHidesOnTheWayToTheVeryNodeOfAFriendDoesNotComeBack) {
  ConnectBoth(North(100), /*looking_on=*/1);
  ExpectHeDoesNotComeBackIfHeHides();
}

TEST_P(ClusterMovesTest, WhoDisconnectsFirstGoesAndComesBack) {
  ConnectBoth(North(100));
  nodes_.Disconnect(bob_);
  PollStepByStep();
  EXPECT_THAT(Told(), ElementsAre(DeliveryKind::kLeave));
  BeginConnect(1, North(110));
  PollStepByStep();
  EXPECT_THAT(Told(), ElementsAre(DeliveryKind::kEnter));
}

// The second node has taken him from the first, and does not keep him.
TEST_P(ClusterMovesTest, WhoIsRefusedElsewhereHasGone) {
  ConnectBoth(North(100));
  nodes_.Connect(1, UserId{3}, kHere);  // or the second node would be drained at once
  BeginConnect(1, North(110));
  nodes_.runtime(1).Drain([](const absl::Status&) {});
  PollStepByStep();
  EXPECT_THAT(nodes_.Ended(bob_), Optional(ClientSink::EndReason::kReplaced));
  EXPECT_THAT(Told(), ElementsAre(DeliveryKind::kLeave));
}

// Alice comes near where he was last known to be, at the moment in which the first node has let go
// of him and the second has not announced him yet. To Alice's engine he is offline for so long; but
// nobody sees a guest who is parked, so nobody is told that he has gone.
TEST_P(ClusterMovesTest, AParkedGuestWhoMovesIsNotMissed) {
  constexpr double kApart = 300'000;
  ConnectBoth(North(kApart));
  for (int report = 0; report < 12; ++report) {
    nodes_.Pass(absl::Seconds(10));
    nodes_.Report(bob_, North(kApart));
    nodes_.Report(alice_, kHere);
    nodes_.Settle();
  }
  ASSERT_EQ(nodes_.stats(2).guests_parked, 1u);
  BeginConnect(1, std::nullopt);
  // Until the first node has been told, and not until the second has loaded his list.
  for (int i = 0; i < 10 && !nodes_.Ended(bob_); ++i) {
    PollOnce(1);
    nodes_.runtime(0).PollAll();
  }
  ASSERT_TRUE(nodes_.Ended(bob_).has_value());
  nodes_.Report(alice_, North(kApart - 100));
  nodes_.runtime(2).PollAll();
  EXPECT_EQ(nodes_.stats(2).guests_lost, 1u) << "this is about who is missed";
  EXPECT_THAT(Told(), IsEmpty());

  PollStepByStep();
  EXPECT_THAT(Told(), IsEmpty()) << "he has not said where he is";
  bob_.node = 1;
  bob_.session = session_;
  nodes_.Report(bob_, North(kApart));
  PollStepByStep();
  EXPECT_THAT(Told(), ElementsAre(DeliveryKind::kEnter));
}

}  // namespace
}  // namespace nearby
