// A node of a later version among those of this one.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/in_memory_transport.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/session_directory.h"
#include "nearby/transport.h"
#include "tests/cluster/few_nodes.h"
#include "tests/wire/raw_message.h"

namespace nearby {
namespace {

using test::FewNodes;
using test::kHere;
using test::North;
using test::RawMessage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr std::uint64_t kRequest = 77;

// A node that is nothing but its inbox.
class LaterNode : public Transport::Receiver {
 public:
  explicit LaterNode(FewNodes* nodes) : transport_(&nodes->broker()) {
    transport_.SetReceiver(this);
    transport_.Subscribe("server", Channel::Inbox(lease_.node), [](const absl::Status&) {});
  }
  ~LaterNode() override { transport_.SetReceiver(nullptr); }

  void OnMessage(absl::string_view /*server*/, Channel /*channel*/,
                 absl::string_view payload) override {
    NodeBatch batch;
    ASSERT_TRUE(NodeDecoder().Decode(payload, &batch).ok());
    for (const NodeEvent& event : batch.events) {
      if (event.kind == NodeEvent::Kind::kChanged) answered_.push_back(event.request);
    }
  }
  void OnLinkLost(absl::string_view /*server*/, const absl::Status& /*why*/) override {}

  // Has the other node put in force what Alice and Bob are to each other now.
  void Change(const NodeLease& to, std::uint64_t friendship, std::uint64_t version) {
    const RawMessage event = RawMessage()
                                 .Varint(1, 5)
                                 .Varint(2, ToInt(kAlice))
                                 .Varint(3, ToInt(kBob))
                                 .Varint(4, friendship)
                                 .Varint(5, version)
                                 .Varint(11, kRequest);
    const RawMessage batch = RawMessage()
                                 .Varint(1, ToInt(lease_.node))
                                 .Varint(2, ToInt(lease_.life))
                                 .Varint(3, ToInt(to.life))
                                 .Varint(4, 1)
                                 .Message(6, event);
    transport_.Publish("server", Channel::Inbox(to.node), batch.bytes(),
                       [](const absl::Status& status) { EXPECT_TRUE(status.ok()); });
  }

  const std::vector<std::uint64_t>& answered() const { return answered_; }

 private:
  const NodeLease lease_{NodeId{9}, Epoch{1'000'000}};
  InMemoryTransport transport_;
  std::vector<std::uint64_t> answered_;
};

// The bit may mean anything: that Alice hides from Bob in a new way, for instance.
TEST(ClusterVersionsTest, AChangeThatIsNotUnderstoodForbidsAllAndIsAnswered) {
  FewNodes nodes;
  nodes.Befriend(kAlice, kBob);
  nodes.Settle();
  const FewNodes::Client alice = nodes.Connect(0, kAlice, kHere);
  const FewNodes::Client bob = nodes.Connect(0, kBob, North(100));
  ASSERT_THAT(nodes.InSight(bob), ElementsAre(kAlice));
  NodeLease lease;
  nodes.directory(0).Lookup(
      {&kBob, 1}, [&](const absl::StatusOr<std::vector<std::vector<SessionHolder>>>& found) {
        lease = found.value().at(0).at(0).lease;
      });

  LaterNode later(&nodes);
  constexpr std::uint64_t kFriends = 1;
  constexpr std::uint64_t kOfALaterVersion = 32;
  later.Change(lease, kFriends | kOfALaterVersion, /*version=*/1000);
  nodes.Settle();
  EXPECT_THAT(later.answered(), ElementsAre(kRequest));
  EXPECT_THAT(nodes.InSight(alice), IsEmpty());
  EXPECT_THAT(nodes.InSight(bob), IsEmpty());
  nodes.sink(0).MustNotSee(bob.cookie, kAlice);
  nodes.Pass(absl::Seconds(10));
  nodes.Report(alice, North(50));
  nodes.Pass(absl::Seconds(10));
  EXPECT_THAT(nodes.InSight(bob), IsEmpty());
}

}  // namespace
}  // namespace nearby
