#include "nearby/in_memory_transport.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/transport_conformance.h"
#include "nearby/transport.h"
#include "tests/host/answer.h"
#include "tests/host/recording_receiver.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const UserId kAlice{1};
const UserId kBob{2};

absl::Status Publish(Transport& transport, absl::string_view server, Channel channel,
                     absl::string_view payload) {
  test::Answer<absl::Status> answer;
  transport.Publish(server, channel, payload, answer.Done());
  return answer.Get();
}

absl::Status Subscribe(Transport& transport, absl::string_view server, Channel channel) {
  test::Answer<absl::Status> answer;
  transport.Subscribe(server, channel, answer.Done());
  return answer.Get();
}

absl::Status Unsubscribe(Transport& transport, absl::string_view server, Channel channel) {
  test::Answer<absl::Status> answer;
  transport.Unsubscribe(server, channel, answer.Done());
  return answer.Get();
}

class InMemoryTransportTest : public ::testing::Test {
 protected:
  InMemoryTransportTest() {
    a_.SetReceiver(&at_a_);
    b_.SetReceiver(&at_b_);
  }

  // Declared before the transports: receivers outlive them.
  test::RecordingReceiver at_a_;
  test::RecordingReceiver at_b_;
  InMemoryBroker broker_;
  InMemoryTransport a_{&broker_};
  InMemoryTransport b_{&broker_};
};

const bool kConformance = RegisterConformance(
    "InMemoryTransportConformance", TransportConformance([] {
      const auto broker = std::make_shared<InMemoryBroker>();
      TransportUnderTest test;
      test.keeps = broker;
      test.adapter = std::make_unique<InMemoryTransport>(broker.get());
      test.other = std::make_unique<InMemoryTransport>(broker.get());
      test.take_down = [broker](absl::string_view server) { broker->TakeDown(server); };
      test.bring_up = [broker](absl::string_view server) { broker->BringUp(server); };
      // It waits for nothing.
      test.stall = [](bool) {};
      test.stall_server = [](absl::string_view, bool) {};
      return test;
    }));

TEST_F(InMemoryTransportTest, CompletesBeforeItReturns) {
  for (const bool is_up : {true, false}) {
    test::Answer<absl::Status> subscribe;
    a_.Subscribe("s1", kAlice, subscribe.Done());
    EXPECT_EQ(subscribe.times(), 1u);
    test::Answer<absl::Status> publish;
    a_.Publish("s1", kAlice, "x", publish.Done());
    EXPECT_EQ(publish.times(), 1u);
    test::Answer<absl::Status> unsubscribe;
    a_.Unsubscribe("s1", kAlice, unsubscribe.Done());
    EXPECT_EQ(unsubscribe.times(), 1u);
    if (is_up) broker_.TakeDown("s1");
  }
}

TEST_F(InMemoryTransportTest, AFullBrokerRefusesAtOnce) {
  InMemoryBroker::Options options;
  options.max_subscriptions = 2;
  InMemoryBroker broker(options);
  test::RecordingReceiver receiver;
  InMemoryTransport transport(&broker);
  transport.SetReceiver(&receiver);
  ASSERT_TRUE(Subscribe(transport, "s1", kAlice).ok());
  ASSERT_TRUE(Subscribe(transport, "s2", kAlice).ok());
  EXPECT_EQ(Subscribe(transport, "s1", kBob).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Subscribe(transport, "s1", kAlice).ok()) << "again is not more";
  ASSERT_TRUE(Unsubscribe(transport, "s2", kAlice).ok());
  EXPECT_TRUE(Subscribe(transport, "s1", kBob).ok());
  EXPECT_EQ(broker.subscription_count(), 2u);
}

TEST_F(InMemoryTransportTest, AReceiverMayPublish) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  ASSERT_TRUE(Subscribe(b_, "s1", kBob).ok());
  at_a_.on_message = [&](absl::string_view, Channel, absl::string_view payload) {
    if (payload.size() < 4) {
      EXPECT_TRUE(Publish(a_, "s1", kBob, absl::StrCat(payload, "a")).ok());
    }
  };
  at_b_.on_message = [&](absl::string_view, Channel, absl::string_view payload) {
    EXPECT_TRUE(Publish(b_, "s1", kAlice, absl::StrCat(payload, "b")).ok());
  };
  ASSERT_TRUE(Publish(a_, "s1", kAlice, "").ok());
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1/1 ", "s1/1 ab", "s1/1 abab"));
  EXPECT_THAT(at_b_.lines(), ElementsAre("s1/2 a", "s1/2 aba"));
}

TEST_F(InMemoryTransportTest, AReceiverMaySubscribeAndUnsubscribe) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  at_a_.on_message = [&](absl::string_view server, Channel, absl::string_view) {
    EXPECT_TRUE(Unsubscribe(a_, server, kAlice).ok());
    EXPECT_TRUE(Subscribe(a_, server, kBob).ok());
  };
  for (const UserId channel : {kAlice, kAlice, kBob}) {
    ASSERT_TRUE(Publish(b_, "s1", channel, "x").ok());
  }
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1/1 x", "s1/2 x"));
}

TEST_F(InMemoryTransportTest, ADestroyedTransportIsNotCalled) {
  {
    InMemoryTransport brief(&broker_);
    brief.SetReceiver(&at_a_);
    ASSERT_TRUE(Subscribe(brief, "s1", kAlice).ok());
  }
  EXPECT_EQ(broker_.subscription_count(), 0u);
  ASSERT_TRUE(Publish(b_, "s1", kAlice, "x").ok());
  broker_.TakeDown("s1");
  EXPECT_THAT(at_a_.lines(), IsEmpty());
}

TEST_F(InMemoryTransportTest, MessagesKeepTheirOrder) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  std::vector<std::string> expected;
  // Those that a receiver publishes queue up behind each other.
  at_a_.on_message = [&](absl::string_view, Channel, absl::string_view payload) {
    if (payload != "0") return;
    for (int i = 1; i < 50; ++i) EXPECT_TRUE(Publish(b_, "s1", kAlice, absl::StrCat(i)).ok());
  };
  ASSERT_TRUE(Publish(b_, "s1", kAlice, "0").ok());
  ASSERT_TRUE(Publish(b_, "s1", kAlice, "50").ok());
  for (int i = 0; i <= 50; ++i) expected.push_back(absl::StrCat("s1/1 ", i));
  EXPECT_EQ(at_a_.lines(), expected);
}

TEST_F(InMemoryTransportTest, ALostLinkLosesTheSubscriptionsAndIsTold) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  ASSERT_TRUE(Subscribe(a_, "s1", kBob).ok());
  ASSERT_TRUE(Subscribe(a_, "s2", kAlice).ok());
  broker_.TakeDown("s1");
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1 lost"));
  EXPECT_THAT(at_a_.reasons(), ElementsAre(absl::StatusCode::kUnavailable));
  EXPECT_THAT(at_b_.lines(), IsEmpty()) << "it had subscribed to nothing there";
  EXPECT_EQ(broker_.subscription_count(), 1u);

  EXPECT_EQ(Publish(b_, "s1", kAlice, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Subscribe(a_, "s1", kAlice).code(), absl::StatusCode::kUnavailable);
  broker_.TakeDown("s1");
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1 lost")) << "once";
  EXPECT_TRUE(Publish(b_, "s2", kAlice, "y").ok());
  EXPECT_THAT(at_a_.TakeLines(), ElementsAre("s1 lost", "s2/1 y"));

  broker_.BringUp("s1");
  EXPECT_TRUE(Publish(b_, "s1", kAlice, "x").ok());
  EXPECT_THAT(at_a_.lines(), IsEmpty()) << "nothing is subscribed to any more";
  EXPECT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  EXPECT_TRUE(Publish(b_, "s1", kAlice, "x").ok());
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1/1 x"));
}

TEST_F(InMemoryTransportTest, MayLinkUpFromWithinTheCall) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  at_a_.on_lost = [&](absl::string_view server) {
    EXPECT_FALSE(Subscribe(a_, server, kAlice).ok());
    broker_.BringUp(server);
    EXPECT_TRUE(Subscribe(a_, server, kAlice).ok());
  };
  broker_.TakeDown("s1");
  ASSERT_TRUE(Publish(b_, "s1", kAlice, "x").ok());
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1 lost", "s1/1 x"));
}

TEST_F(InMemoryTransportTest, NothingOfBeforeComesAfterTheLoss) {
  ASSERT_TRUE(Subscribe(a_, "s1", kAlice).ok());
  at_a_.on_message = [&](absl::string_view, Channel, absl::string_view payload) {
    if (payload != "1") return;
    EXPECT_TRUE(Publish(b_, "s1", kAlice, "2").ok());
    broker_.TakeDown("s1");
    broker_.BringUp("s1");
    EXPECT_EQ(Subscribe(a_, "s1", kAlice).code(), absl::StatusCode::kUnavailable)
        << "it would be lost with the others, by what the receiver is told";
    EXPECT_TRUE(Publish(b_, "s1", kAlice, "3").ok());
  };
  at_a_.on_lost = [&](absl::string_view server) {
    EXPECT_TRUE(Subscribe(a_, server, kAlice).ok());
    EXPECT_TRUE(Publish(b_, server, kAlice, "4").ok());
  };
  ASSERT_TRUE(Publish(b_, "s1", kAlice, "1").ok());
  EXPECT_THAT(at_a_.lines(), ElementsAre("s1/1 1", "s1 lost", "s1/1 4"));
}

TEST_F(InMemoryTransportTest, AReceiverThatIsTooSlowLosesItsLink) {
  InMemoryBroker::Options options;
  options.max_waiting_bytes = 1'000;
  InMemoryBroker broker(options);
  test::RecordingReceiver slow;
  test::RecordingReceiver quick;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  a.SetReceiver(&slow);
  b.SetReceiver(&quick);
  ASSERT_TRUE(Subscribe(a, "s1", kAlice).ok());
  ASSERT_TRUE(Subscribe(a, "s1", kBob).ok());
  ASSERT_TRUE(Subscribe(b, "s1", kBob).ok());
  slow.on_message = [&](absl::string_view, Channel, absl::string_view) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(Publish(b, "s1", kBob, "0123456789").ok());
  };
  ASSERT_TRUE(Publish(b, "s1", kAlice, "x").ok());
  EXPECT_THAT(slow.lines(), ElementsAre("s1/1 x", "s1 lost"));
  EXPECT_THAT(slow.reasons(), ElementsAre(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(quick.lines().size(), 100u) << "others are not concerned";
  EXPECT_EQ(broker.subscription_count(), 1u);
  // A message larger than the room is no trouble as long as nobody is busy.
  slow.on_message = nullptr;
  ASSERT_TRUE(Subscribe(a, "s1", kAlice).ok());
  ASSERT_TRUE(Publish(b, "s1", kAlice, std::string(5'000, 'y')).ok());
  EXPECT_EQ(slow.lines().size(), 3u);
  EXPECT_THAT(slow.lines().back(), StartsWith("s1/1 yyy"));
}

TEST_F(InMemoryTransportTest, ABrokerMayGoBeforeItsTransports) {
  auto broker = std::make_unique<InMemoryBroker>();
  test::RecordingReceiver receiver;
  InMemoryTransport transport(broker.get());
  transport.SetReceiver(&receiver);
  broker.reset();
  ASSERT_TRUE(Subscribe(transport, "s1", kAlice).ok());
  ASSERT_TRUE(Publish(transport, "s1", kAlice, "x").ok());
  EXPECT_THAT(receiver.lines(), ElementsAre("s1/1 x"));
}

// The oracle: a set of (node, server, channel), and the servers that are down.
class RandomCluster {
 public:
  explicit RandomCluster(std::uint64_t seed) : random_(seed) {
    for (std::size_t node = 0; node < kNodes; ++node) {
      transports_[node] = std::make_unique<InMemoryTransport>(&broker_);
      transports_[node]->SetReceiver(&receivers_[node]);
    }
  }
  // Receivers are not called any more when they go.
  ~RandomCluster() {
    for (auto& transport : transports_) transport.reset();
  }

  void Step() {
    const std::size_t node = random_() % kNodes;
    const std::string server = absl::StrCat("s", random_() % 3);
    const UserId channel{random_() % 5};
    Transport& transport = *transports_[node];
    const bool is_down = down_.count(server) > 0;
    const std::uint64_t draw = random_() % 40;
    if (draw < 10) {
      ASSERT_EQ(Subscribe(transport, server, channel).ok(), !is_down);
      if (!is_down) subscribed_.insert({node, server, channel});
    } else if (draw < 17) {
      ASSERT_TRUE(Unsubscribe(transport, server, channel).ok());
      subscribed_.erase({node, server, channel});
    } else if (draw < 18) {
      transport.SetReceiver(&receivers_[node]);
      Drop([&](const Subscription& held) { return held.node == node; });
    } else if (draw < 19) {
      TakeDown(server);
    } else if (draw < 22) {
      broker_.BringUp(server);
      down_.erase(server);
    } else {
      const std::string payload = absl::StrCat("m", ++published_);
      ASSERT_EQ(Publish(transport, server, channel, payload).ok(), !is_down);
      for (std::size_t other = 0; other < kNodes; ++other) {
        if (subscribed_.count({other, server, channel}) == 0) continue;
        expected_[other].push_back(absl::StrCat(server, "/", ToInt(channel), " ", payload));
      }
    }
    ASSERT_EQ(broker_.subscription_count(), subscribed_.size());
    for (std::size_t other = 0; other < kNodes; ++other) {
      ASSERT_EQ(receivers_[other].lines(), expected_[other]) << "node " << other;
      received_ += receivers_[other].TakeLines().size();
      expected_[other].clear();
    }
  }

  std::size_t received() const { return received_; }

 private:
  static constexpr std::size_t kNodes = 3;

  struct Subscription {
    std::size_t node = 0;
    std::string server;
    UserId channel{};

    friend bool operator<(const Subscription& a, const Subscription& b) {
      return std::tie(a.node, a.server, a.channel) < std::tie(b.node, b.server, b.channel);
    }
  };

  template <typename Predicate>
  void Drop(Predicate predicate) {
    for (auto it = subscribed_.begin(); it != subscribed_.end();) {
      it = predicate(*it) ? subscribed_.erase(it) : std::next(it);
    }
  }

  void TakeDown(const std::string& server) {
    for (std::size_t node = 0; node < kNodes; ++node) {
      const std::size_t before = subscribed_.size();
      Drop([&](const Subscription& held) { return held.node == node && held.server == server; });
      if (subscribed_.size() < before) expected_[node].push_back(absl::StrCat(server, " lost"));
    }
    broker_.TakeDown(server);
    down_.insert(server);
  }

  std::mt19937_64 random_;
  InMemoryBroker broker_;
  std::array<test::RecordingReceiver, kNodes> receivers_;
  std::array<std::unique_ptr<InMemoryTransport>, kNodes> transports_;
  std::set<Subscription> subscribed_;
  std::set<std::string> down_;
  std::array<std::vector<std::string>, kNodes> expected_;
  std::uint64_t published_ = 0;
  std::size_t received_ = 0;
};

TEST(InMemoryTransportRandomTest, RandomOperationsAgreeWithTheModel) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomCluster cluster(seed);
    for (int step = 0; step < 2'000; ++step) {
      cluster.Step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(cluster.received(), 200u);
  }
}

}  // namespace
}  // namespace nearby
