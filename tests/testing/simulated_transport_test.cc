#include "nearby/testing/simulated_transport.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulation.h"
#include "tests/host/answer.h"
#include "tests/host/recording_receiver.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Cut = SimulatedPubSub::Cut;

const UserId kAlice{1};
const UserId kBob{2};

// Longer than anything takes with the faults off.
constexpr std::int64_t kSettledMs = 1'000;

class SimulatedTransportTest : public ::testing::Test {
 protected:
  SimulatedTransportTest() {
    a_.SetReceiver(&at_a_);
    b_.SetReceiver(&at_b_);
  }

  void Set(const SimulatedFaultOptions::Transport& transport) {
    SimulatedFaultOptions options;
    options.transport = transport;
    faults_.SetOptions(options);
  }
  void Settle() { ASSERT_TRUE(simulation_.RunFor(kSettledMs)); }
  std::uint64_t count(SimulatedFault fault) const { return faults_.counts().of(fault); }

  // Makes a call, lets it complete, and answers how.
  absl::StatusCode Publish(Transport& transport, absl::string_view payload,
                           Channel channel = kAlice, std::int64_t settled_ms = kSettledMs) {
    test::Answer<absl::Status> answer;
    transport.Publish("s", channel, payload, answer.Done());
    simulation_.RunFor(settled_ms);
    return answer.Get().code();
  }
  absl::StatusCode Subscribe(Transport& transport, Channel channel = kAlice) {
    test::Answer<absl::Status> answer;
    transport.Subscribe("s", channel, answer.Done());
    Settle();
    return answer.Get().code();
  }
  absl::StatusCode Unsubscribe(Transport& transport, Channel channel = kAlice) {
    test::Answer<absl::Status> answer;
    transport.Unsubscribe("s", channel, answer.Done());
    Settle();
    return answer.Get().code();
  }

  test::RecordingReceiver at_a_;
  test::RecordingReceiver at_b_;
  Simulation simulation_{1};
  SimulatedFaults faults_{&simulation_};
  SimulatedPubSub servers_{&faults_};
  SimulatedTransport a_{&servers_, NodeId{1}};
  SimulatedTransport b_{&servers_, NodeId{2}};
};

constexpr absl::StatusCode kOk = absl::StatusCode::kOk;
constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;

TEST_F(SimulatedTransportTest, CompletesLaterUnlessAskedTo) {
  test::Answer<absl::Status> answer;
  a_.Subscribe("s", kAlice, answer.Done());
  EXPECT_EQ(answer.times(), 0u);
  EXPECT_EQ(servers_.calls_under_way(), 1u);
  Settle();
  EXPECT_EQ(answer.Get(), absl::OkStatus());
  EXPECT_EQ(servers_.calls_under_way(), 0u);

  SimulatedFaultOptions::Transport transport;
  transport.complete_inline = 1;
  Set(transport);
  test::Answer<absl::Status> inline_answer;
  a_.Publish("s", kAlice, "x", inline_answer.Done());
  EXPECT_EQ(inline_answer.Get(), absl::OkStatus());
  EXPECT_THAT(at_a_.lines(), IsEmpty()) << "messages still come later";
  Settle();
  EXPECT_THAT(at_a_.lines(), ElementsAre("s/1 x"));
  EXPECT_EQ(count(SimulatedFault::kInlineCompletion), 1u);
}

TEST_F(SimulatedTransportTest, DeliversOnceToEachSubscriber) {
  EXPECT_EQ(Publish(a_, "to nobody"), kOk);
  EXPECT_EQ(Subscribe(a_), kOk);
  EXPECT_EQ(Subscribe(a_), kOk);
  EXPECT_EQ(Subscribe(b_), kOk);
  EXPECT_EQ(servers_.subscription_count(), 2u);
  EXPECT_EQ(Subscribe(b_, kBob), kOk);
  EXPECT_EQ(servers_.subscription_count(NodeId{1}), 1u);
  EXPECT_EQ(servers_.subscription_count(NodeId{2}), 2u);
  EXPECT_EQ(servers_.subscription_count(NodeId{1000}), 0u) << "nobody has heard of it";
  EXPECT_EQ(Publish(a_, "x"), kOk);
  EXPECT_EQ(Publish(b_, "another channel", Channel::Inbox(NodeId{1})), kOk);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s/1 x"));
  EXPECT_THAT(at_b_.lines(), ElementsAre("s/1 x"));
  EXPECT_EQ(Unsubscribe(b_), kOk);
  EXPECT_EQ(Unsubscribe(b_), kOk) << "also of what is not there";
  EXPECT_EQ(Publish(a_, "y"), kOk);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s/1 x", "s/1 y"));
  EXPECT_THAT(at_b_.lines(), ElementsAre("s/1 x"));
}

TEST_F(SimulatedTransportTest, KeepsTheOrderOfAChannel) {
  SimulatedFaultOptions::Transport transport;
  transport.jitter = {0, 500};
  Set(transport);
  Subscribe(b_);
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    a_.Publish("s", kAlice, absl::StrCat(i), [](absl::Status) {});
    expected.push_back(absl::StrCat("s/1 ", i));
    simulation_.RunFor(i % 3);
  }
  Settle();
  Settle();
  EXPECT_EQ(at_b_.lines(), expected);
}

TEST_F(SimulatedTransportTest, RefusesWhatTheContractSays) {
  a_.SetReceiver(nullptr);
  EXPECT_EQ(Subscribe(a_), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Publish(a_, std::string(a_.max_payload() + 1, 'x')),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Publish(a_, std::string(a_.max_payload(), 'x')), kOk);
}

TEST_F(SimulatedTransportTest, AnotherReceiverBeginsWithoutSubscriptions) {
  Subscribe(a_);
  b_.Publish("s", kAlice, "under way", [](absl::Status) {});
  test::RecordingReceiver another;
  a_.SetReceiver(&another);
  EXPECT_EQ(servers_.subscription_count(), 0u);
  Settle();
  EXPECT_THAT(at_a_.lines(), IsEmpty());
  EXPECT_THAT(another.lines(), IsEmpty());
  a_.SetReceiver(nullptr);
}

TEST_F(SimulatedTransportTest, StaysWithinItsLimits) {
  SimulatedPubSub::Options options;
  options.max_subscriptions = 1;
  options.max_calls = 2;
  options.max_servers = 1;
  options.max_held = 3;
  SimulatedPubSub servers(&faults_, options);
  SimulatedTransport transport(&servers, NodeId{1});
  test::RecordingReceiver receiver;
  transport.SetReceiver(&receiver);
  EXPECT_EQ(Subscribe(transport, kAlice), kOk);
  EXPECT_EQ(Subscribe(transport, kBob), absl::StatusCode::kResourceExhausted);
  test::Answer<absl::Status> elsewhere;
  transport.Publish("t", kAlice, "x", elsewhere.Done());
  Settle();
  EXPECT_EQ(elsewhere.Get().code(), kUnavailable);
  std::vector<test::Answer<absl::Status>> answers(3);
  for (auto& answer : answers) transport.Publish("s", kAlice, "x", answer.Done());
  EXPECT_EQ(answers[2].Get().code(), absl::StatusCode::kResourceExhausted);
  Settle();
  // What waits for a partition to heal.
  SimulatedTransport publisher(&servers, NodeId{2});
  servers.SetPartition(NodeId{1}, "s", Cut::kFromServer);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Publish(publisher, "x"), kOk);
  EXPECT_EQ(count(SimulatedFault::kLinkOverflowed), 1u);
  transport.SetReceiver(nullptr);
}

TEST_F(SimulatedTransportTest, AServerThatCrashesForgetsAndTells) {
  Subscribe(a_);
  Subscribe(b_, kBob);
  servers_.CrashServer("s");
  EXPECT_FALSE(servers_.is_up("s"));
  EXPECT_EQ(servers_.subscription_count(), 0u);
  test::Answer<absl::Status> early;
  a_.Subscribe("s", kBob, early.Done());
  simulation_.RunFor(10'000);
  EXPECT_EQ(early.Get().code(), kUnavailable)
      << "until the loss has been told, or the server is up";
  EXPECT_THAT(at_a_.lines(), ElementsAre("s lost"));
  EXPECT_THAT(at_b_.lines(), ElementsAre("s lost"));
  EXPECT_EQ(Publish(a_, "x"), kUnavailable);
  EXPECT_EQ(Unsubscribe(a_), kOk);
  servers_.RestartServer("s");
  EXPECT_EQ(Publish(a_, "x"), kOk);
  EXPECT_EQ(Subscribe(a_), kOk);
  EXPECT_EQ(Publish(a_, "y"), kOk);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s lost", "s/1 y"));
  EXPECT_EQ(count(SimulatedFault::kServerCrashed), 1u);
  EXPECT_EQ(count(SimulatedFault::kServerRestarted), 1u);
}

TEST_F(SimulatedTransportTest, ALinkThatBreaksFailsWhatIsUnderWay) {
  Subscribe(a_);
  test::Answer<absl::Status> publish;
  test::Answer<absl::Status> unsubscribe;
  a_.Publish("s", kAlice, "lost", publish.Done());
  a_.Unsubscribe("s", kBob, unsubscribe.Done());
  servers_.BreakLink(NodeId{1}, "s");
  simulation_.RunFor(10'000);
  EXPECT_EQ(publish.Get().code(), kUnavailable);
  EXPECT_EQ(unsubscribe.Get().code(), kOk);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s lost"));
  EXPECT_EQ(count(SimulatedFault::kMessageLost), 1u);
  EXPECT_EQ(Subscribe(a_), kOk);
}

TEST_F(SimulatedTransportTest, ALinkWithoutSubscriptionsBreaksInSilence) {
  EXPECT_EQ(Publish(a_, "x"), kOk);
  servers_.BreakLink(NodeId{1}, "s");
  simulation_.RunFor(10'000);
  EXPECT_THAT(at_a_.lines(), IsEmpty());
}

TEST_F(SimulatedTransportTest, APartitionHoldsWhatIsSent) {
  Subscribe(a_);
  Subscribe(b_);
  servers_.SetPartition(NodeId{1}, "s", Cut::kToServer);
  std::vector<test::Answer<absl::Status>> answers(2);
  a_.Publish("s", kAlice, "1", answers[0].Done());
  a_.Publish("s", kAlice, "2", answers[1].Done());
  EXPECT_EQ(Publish(b_, "from b"), kOk);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s/1 from b")) << "one way is open";
  EXPECT_EQ(answers[0].times(), 0u);
  servers_.SetPartition(NodeId{1}, "s", Cut::kNone);
  Settle();
  EXPECT_EQ(answers[1].Get(), absl::OkStatus());
  EXPECT_THAT(at_b_.lines(), ElementsAre("s/1 from b", "s/1 1", "s/1 2"));
  EXPECT_EQ(count(SimulatedFault::kLinkPartitionedOneWay), 1u);
  EXPECT_EQ(count(SimulatedFault::kLinkHealed), 1u);
  EXPECT_EQ(count(SimulatedFault::kLinkTimedOut), 0u);
}

TEST_F(SimulatedTransportTest, APartitionThatLastsCostsTheLink) {
  Subscribe(a_);
  servers_.SetPartition(NodeId{1}, "s", Cut::kBoth);
  test::Answer<absl::Status> publish;
  a_.Publish("s", kAlice, "lost", publish.Done());
  simulation_.RunFor(60'000);
  EXPECT_EQ(publish.Get().code(), kUnavailable);
  EXPECT_THAT(at_a_.lines(), ElementsAre("s lost"));
  EXPECT_EQ(count(SimulatedFault::kLinkTimedOut), 1u);
  EXPECT_EQ(Subscribe(a_), kUnavailable) << "no new link either";
  servers_.SetPartition(NodeId{1}, "s", Cut::kNone);
  EXPECT_EQ(Subscribe(a_), kOk);
}

TEST_F(SimulatedTransportTest, DropsDuplicatesAndReorders) {
  Subscribe(b_);
  SimulatedFaultOptions::Transport transport;
  transport.drop_message = 1;
  Set(transport);
  EXPECT_EQ(Publish(a_, "dropped"), kOk);
  EXPECT_THAT(at_b_.TakeLines(), IsEmpty());
  EXPECT_EQ(count(SimulatedFault::kMessageDropped), 1u);

  transport = {};
  transport.duplicate_message = 1;
  transport.duplicate_delay = {0, 10};
  Set(transport);
  EXPECT_EQ(Publish(a_, "twice"), kOk);
  EXPECT_THAT(at_b_.TakeLines(), ElementsAre("s/1 twice", "s/1 twice"));
  EXPECT_EQ(count(SimulatedFault::kMessageDuplicated), 1u);

  transport = {};
  transport.reorder_message = 1;
  transport.reorder_delay = {500, 500};
  Set(transport);
  EXPECT_EQ(Publish(a_, "1", kAlice, 100), kOk);
  Set({});
  EXPECT_EQ(Publish(a_, "2"), kOk);
  EXPECT_THAT(at_b_.TakeLines(), ElementsAre("s/1 2", "s/1 1"));
  EXPECT_EQ(count(SimulatedFault::kMessageReordered), 1u);
}

TEST_F(SimulatedTransportTest, WhatIsDelayedDelaysWhatComesAfterIt) {
  Subscribe(b_);
  SimulatedFaultOptions::Transport transport;
  transport.delay_message = 1;
  transport.message_delay = {5'000, 5'000};
  Set(transport);
  a_.Publish("s", kAlice, "1", [](absl::Status) {});
  Set({});
  a_.Publish("s", kAlice, "2", [](absl::Status) {});
  EXPECT_EQ(Publish(a_, "elsewhere", kBob), kOk);
  EXPECT_THAT(at_b_.lines(), IsEmpty());
  simulation_.RunFor(5'000);
  EXPECT_THAT(at_b_.lines(), ElementsAre("s/1 1", "s/1 2"));
  EXPECT_EQ(count(SimulatedFault::kMessageDelayed), 1u);
}

TEST_F(SimulatedTransportTest, RefusesOrLeavesUnknown) {
  Subscribe(b_);
  SimulatedFaultOptions::Transport transport;
  transport.refuse_publish = 1;
  transport.refuse_subscribe = 1;
  Set(transport);
  EXPECT_NE(Publish(a_, "refused"), kOk);
  EXPECT_NE(Subscribe(a_), kOk);
  EXPECT_EQ(servers_.subscription_count(), 1u);
  EXPECT_THAT(at_b_.TakeLines(), IsEmpty());
  transport = {};
  transport.unknown_publish = 1;
  transport.unknown_subscribe = 1;
  Set(transport);
  EXPECT_NE(Publish(a_, "unknown"), kOk);
  EXPECT_NE(Subscribe(a_), kOk);
  EXPECT_EQ(servers_.subscription_count(), 2u);
  EXPECT_THAT(at_b_.TakeLines(), ElementsAre("s/1 unknown"));
  EXPECT_EQ(count(SimulatedFault::kPublishRefused), 1u);
  EXPECT_EQ(count(SimulatedFault::kSubscribeRefused), 1u);
  EXPECT_EQ(count(SimulatedFault::kPublishUnknown), 1u);
  EXPECT_EQ(count(SimulatedFault::kSubscribeUnknown), 1u);
}

TEST_F(SimulatedTransportTest, ANodeThatCrashesIsDeaf) {
  Subscribe(a_);
  Subscribe(b_);
  test::Answer<absl::Status> under_way;
  const auto held = std::make_shared<int>(0);
  a_.Publish("s", kAlice, "last words", under_way.Done());
  a_.Publish("s", kAlice, "more", [held](absl::Status) {});
  b_.Publish("s", kAlice, "from b", [](absl::Status) {});
  a_.Crash();
  EXPECT_TRUE(a_.has_crashed());
  test::Answer<absl::Status> later;
  a_.Subscribe("s", kBob, later.Done());
  a_.SetReceiver(&at_a_);
  simulation_.RunFor(60'000);
  EXPECT_EQ(under_way.times(), 0u);
  EXPECT_EQ(later.times(), 0u);
  EXPECT_THAT(at_a_.lines(), IsEmpty());
  EXPECT_EQ(held.use_count(), 2) << "kept until the transport goes";
  EXPECT_EQ(servers_.subscription_count(), 1u);
  EXPECT_THAT(at_b_.lines(), ::testing::Contains("s/1 from b"));
  EXPECT_EQ(count(SimulatedFault::kNodeCrashed), 1u);

  // The next life of the node.
  SimulatedTransport again(&servers_, NodeId{1});
  test::RecordingReceiver receiver;
  again.SetReceiver(&receiver);
  EXPECT_EQ(Subscribe(again), kOk);
  EXPECT_EQ(Publish(b_, "hello"), kOk);
  EXPECT_THAT(receiver.lines(), ElementsAre("s/1 hello"));
  EXPECT_THAT(at_a_.lines(), IsEmpty());
  again.SetReceiver(nullptr);
}

TEST_F(SimulatedTransportTest, LastWordsAreHeardOrNot) {
  Subscribe(b_);
  bool was_heard = false;
  bool was_lost = false;
  for (int i = 0; i < 100 && !(was_heard && was_lost); ++i) {
    SimulatedTransport node(&servers_, NodeId{3});
    node.Publish("s", kAlice, "x", [](absl::Status) { ADD_FAILURE(); });
    node.Crash();
    Settle();
    (at_b_.TakeLines().empty() ? was_lost : was_heard) = true;
  }
  EXPECT_TRUE(was_heard);
  EXPECT_TRUE(was_lost);
}

TEST_F(SimulatedTransportTest, MayCrashWhereItIsCalled) {
  Subscribe(a_);
  Subscribe(b_);
  at_a_.on_message = [this](absl::string_view, Channel, absl::string_view) { a_.Crash(); };
  EXPECT_EQ(Publish(b_, "x"), kOk);
  EXPECT_EQ(Publish(b_, "y"), kOk);
  EXPECT_THAT(at_a_.lines(), SizeIs(1));
  b_.Publish("s", kAlice, "z", [this](absl::Status) { b_.Crash(); });
  Settle();
  EXPECT_TRUE(b_.has_crashed());
}

TEST_F(SimulatedTransportTest, QuietHeals) {
  Subscribe(a_);
  Subscribe(b_);
  servers_.CrashServer("t");
  servers_.SetPartition(NodeId{1}, "s", Cut::kBoth);
  b_.Publish("s", kAlice, "held", [](absl::Status) {});
  Settle();
  faults_.Quiet();
  EXPECT_TRUE(servers_.is_up("t"));
  Settle();
  EXPECT_THAT(at_a_.lines(), ElementsAre("s/1 held"));
}

}  // namespace
}  // namespace nearby
