// What friends are told of somebody whose later session has ended with its node, before anybody
// could tell the node of the former one, which goes on.

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "tests/cluster/few_nodes.h"

namespace nearby {
namespace {

using test::FewNodes;
using test::kHere;
using test::North;
using ::testing::Eq;
using ::testing::Optional;
using Client = FewNodes::Client;

constexpr UserId kAlice{1};

// Bob is connected to the first node, Alice looks on from another. Letters to the two go by another
// server than what is said of Bob.
class ClusterFormerSessionTest : public ::testing::Test {
 protected:
  ClusterFormerSessionTest() : nodes_(MakeOptions()) {
    nodes_.SetRing(2, {"one", "another"});
    while (news() == mail()) bob_id_ = UserId{ToInt(bob_id_) + 1};
    while (nodes_.ServerOf(Channel::Inbox(NodeId{looking_on_ + 1})) != mail()) ++looking_on_;
    nodes_.Befriend(kAlice, bob_id_);
    nodes_.Pass(absl::Seconds(5));
    alice_ = nodes_.Connect(looking_on_, kAlice, kHere);
    bob_ = nodes_.Connect(0, bob_id_, North(100));
    EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(100))));
  }

  static FewNodes::Options MakeOptions() {
    FewNodes::Options options;
    options.nodes = 10;
    options.cluster.ring_settle = absl::Seconds(1);
    return options;
  }

  const std::string& news() const { return nodes_.ServerOf(bob_id_); }
  const std::string& mail() const { return nodes_.ServerOf(Channel::Inbox(NodeId{1})); }

  // Bob connects to the second node as well.
  void ConnectElsewhere(LatLng location) {
    later_ = {1, bob_id_, 1000, {}};
    ConnectCall call;
    call.user = bob_id_;
    call.cookie = later_.cookie;
    call.location = TimedLocation{location, nodes_.clock().Now()};
    nodes_.runtime(1).Connect(call, [this](const absl::StatusOr<ConnectResult>& result) {
      ASSERT_TRUE(result.ok()) << result.status();
      later_.session = result->session;
      nodes_.sink(1).Connected(later_.cookie, bob_id_, result->friends);
    });
    nodes_.Settle();
    ASSERT_NE(later_.session, SessionId());
  }

  void ReportFromFormer(LatLng location) {
    ASSERT_THAT(nodes_.Ended(bob_), Eq(std::nullopt));
    nodes_.Report(bob_, location);
    nodes_.Settle();
  }

  // Where Alice sees Bob, if she does.
  std::optional<Position> PlaceOfBob() {
    const auto in_sight = nodes_.sink(looking_on_).InSight(alice_.cookie);
    const auto bob = in_sight.find(bob_id_);
    return bob == in_sight.end() ? std::nullopt : std::optional<Position>(bob->second.position);
  }

  FewNodes nodes_;
  UserId bob_id_{2};
  std::size_t looking_on_ = 2;
  Client alice_;
  Client bob_;
  Client later_;
};

// Nothing but the store has heard of the later session.
TEST_F(ClusterFormerSessionTest, IsFollowedThoughTheStoreHasALaterOne) {
  nodes_.broker().TakeDown(news());
  nodes_.broker().TakeDown(mail());
  nodes_.Settle();
  ConnectElsewhere(North(110));
  nodes_.Destroy(1);
  nodes_.broker().BringUp(news());
  nodes_.broker().BringUp(mail());
  nodes_.Pass(absl::Seconds(5));
  ReportFromFormer(North(120));
  EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(120))));
}

// Alice's node has followed the later session, until the lease of its node has ended.
TEST_F(ClusterFormerSessionTest, IsSeenAgainWhenTheNodeOfTheLaterOneHasDied) {
  nodes_.broker().TakeDown(mail());
  nodes_.Settle();
  ConnectElsewhere(North(110));
  EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(110))));
  nodes_.Destroy(1);
  nodes_.broker().BringUp(mail());
  nodes_.Pass(absl::Seconds(60));
  ReportFromFormer(North(120));
  EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(120))));
}

// It has heard as well that the later one has ended.
TEST_F(ClusterFormerSessionTest, IsSeenAgainWhenTheLaterOneHasEnded) {
  nodes_.broker().TakeDown(mail());
  nodes_.Settle();
  ConnectElsewhere(North(110));
  nodes_.Disconnect(later_);
  nodes_.Settle();
  EXPECT_THAT(PlaceOfBob(), Eq(std::nullopt));
  nodes_.Destroy(1);
  nodes_.broker().BringUp(mail());
  nodes_.Pass(absl::Seconds(10));
  ReportFromFormer(North(120));
  EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(120))));
}

// The node of the later one lives, and so takes Bob from the first, if late; but where he was when
// he connected there is older by then than what Alice has been told since.
TEST_F(ClusterFormerSessionTest, HasTheLastWordUntilItIsTaken) {
  nodes_.broker().TakeDown(news());
  nodes_.broker().TakeDown(mail());
  nodes_.Settle();
  ConnectElsewhere(North(110));
  nodes_.broker().BringUp(news());
  nodes_.Pass(absl::Seconds(5));
  ReportFromFormer(North(120));
  ASSERT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(120))));
  nodes_.broker().BringUp(mail());
  nodes_.Pass(absl::Seconds(20));
  EXPECT_THAT(nodes_.Ended(bob_), Optional(ClientSink::EndReason::kReplaced));
  EXPECT_THAT(PlaceOfBob(), Eq(std::nullopt)) << "he has not said where he is since";
  nodes_.Report(later_, North(130));
  nodes_.Settle();
  EXPECT_THAT(PlaceOfBob(), Optional(Position::FromLatLng(North(130))));
}

}  // namespace
}  // namespace nearby
