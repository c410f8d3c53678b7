// Several threads at one broker. Each test means most under ThreadSanitizer, and none depends on
// who is quicker.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/in_memory_transport.h"
#include "nearby/transport.h"
#include "tests/host/gate.h"
#include "tests/host/recording_receiver.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};

void Publish(Transport& transport, absl::string_view server, Channel channel,
             absl::string_view payload) {
  transport.Publish(server, channel, payload,
                    [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
}

void Subscribe(Transport& transport, absl::string_view server, Channel channel) {
  transport.Subscribe(server, channel,
                      [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
}

void Ignore(const absl::Status&) {}

void JoinAll(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

TEST(InMemoryTransportThreadsTest, Clause4SetReceiverWaitsForARunningCall) {
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  test::RecordingReceiver at_a;
  test::RecordingReceiver at_b;
  test::Gate entered;
  test::Gate leave;
  at_a.on_message = [&](absl::string_view server, Channel, absl::string_view payload) {
    if (payload != "first") return;
    entered.Open();
    leave.Await();
    // While another thread waits for this call: nothing may wait for that thread.
    Publish(a, server, kAlice, "again");
    Publish(a, server, kBob, "to b");
  };
  a.SetReceiver(&at_a);
  b.SetReceiver(&at_b);
  Subscribe(a, "s1", kAlice);
  Subscribe(b, "s1", kBob);

  std::thread publisher([&] { Publish(b, "s1", kAlice, "first"); });
  entered.Await();
  std::thread ender([&] {
    a.SetReceiver(nullptr);
    EXPECT_FALSE(at_a.is_running());
  });
  leave.Open();
  ender.join();
  const std::vector<std::string> lines = at_a.lines();
  publisher.join();
  EXPECT_EQ(at_a.lines(), lines) << "nothing came after SetReceiver had returned";
  EXPECT_THAT(at_b.lines(), ElementsAre("s1/2 to b"));
  EXPECT_EQ(broker.subscription_count(), 1u);
}

TEST(InMemoryTransportThreadsTest, Clause4AReceiverMayEndBeforeItsTurnComes) {
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  test::RecordingReceiver at_a;
  test::RecordingReceiver former;
  test::RecordingReceiver next;
  // The message is for both; before the second gets it, another thread ends that one.
  at_a.on_message = [&](absl::string_view server, Channel, absl::string_view payload) {
    if (payload != "x") return;
    std::thread([&] {
      b.SetReceiver(&next);
      Subscribe(b, server, kBob);
    }).join();
  };
  a.SetReceiver(&at_a);
  b.SetReceiver(&former);
  Subscribe(a, "s1", kAlice);
  Subscribe(b, "s1", kAlice);
  Publish(a, "s1", kAlice, "x");
  EXPECT_EQ(broker.subscription_count(), 2u);
  Publish(a, "s1", kBob, "y");
  EXPECT_THAT(former.lines(), IsEmpty());
  EXPECT_THAT(next.lines(), ElementsAre("s1/2 y"));
  a.SetReceiver(nullptr);
  b.SetReceiver(nullptr);
  EXPECT_EQ(broker.subscription_count(), 0u);
}

TEST(InMemoryTransportThreadsTest, Clause4ReceiversComeAndGoAmidMessages) {
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  std::atomic<bool> stop{false};
  std::vector<std::thread> publishers;
  for (int i = 0; i < 2; ++i) {
    publishers.emplace_back([&broker, &stop] {
      InMemoryTransport own(&broker);
      while (!stop.load()) own.Publish("s1", kAlice, "x", Ignore);
    });
  }
  publishers.emplace_back([&broker, &stop] {
    while (!stop.load()) {
      broker.TakeDown("s1");
      broker.BringUp("s1");
    }
  });
  for (int i = 0; i < 300; ++i) {
    // On the heap, so that a call after SetReceiver would be seen.
    auto receiver = std::make_unique<test::RecordingReceiver>();
    a.SetReceiver(receiver.get());
    for (int j = 0; j < 5; ++j) a.Subscribe("s1", kAlice, Ignore);
    a.SetReceiver(nullptr);
    EXPECT_FALSE(receiver->is_running());
  }
  stop.store(true);
  JoinAll(publishers);
  EXPECT_EQ(broker.subscription_count(), 0u);
}

TEST(InMemoryTransportThreadsTest, Clause4TheLastOfTwoReceiversStays) {
  for (int round = 0; round < 100; ++round) {
    InMemoryBroker broker;
    InMemoryTransport a(&broker);
    test::RecordingReceiver first;
    test::RecordingReceiver second;
    std::vector<std::thread> threads;
    for (test::RecordingReceiver* receiver : {&first, &second}) {
      threads.emplace_back([&a, receiver] {
        a.SetReceiver(receiver);
        a.Subscribe("s1", kAlice, Ignore);
        a.Publish("s1", kAlice, "x", Ignore);
      });
    }
    JoinAll(threads);
    first.TakeLines();
    second.TakeLines();
    Subscribe(a, "s1", kAlice);
    Publish(a, "s1", kAlice, "y");
    EXPECT_EQ(first.lines().size() + second.lines().size(), 1u);
    a.SetReceiver(nullptr);
  }
}

TEST(InMemoryTransportThreadsTest, Clause6WhatIsPublishedAfterSubscribingComes) {
  constexpr int kMessages = 5'000;
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  test::RecordingReceiver at_a;
  a.SetReceiver(&at_a);
  std::atomic<bool> subscribed{false};
  std::vector<std::string> due;
  std::thread publisher([&] {
    for (int i = 0; i < kMessages; ++i) {
      if (subscribed.load()) due.push_back(absl::StrCat("s1/1 ", i));
      Publish(b, "s1", kAlice, absl::StrCat(i));
    }
  });
  a.Subscribe("s1", kAlice, [&](absl::Status status) {
    EXPECT_TRUE(status.ok());
    subscribed.store(true);
  });
  publisher.join();
  const std::vector<std::string> lines = at_a.lines();
  ASSERT_GE(lines.size(), due.size());
  EXPECT_TRUE(std::equal(due.rbegin(), due.rend(), lines.rbegin()));
}

TEST(InMemoryTransportThreadsTest, Clause8EachPublishersMessagesArriveInOrder) {
  constexpr int kPublishers = 3;
  constexpr int kMessages = 1'000;
  InMemoryBroker broker;
  std::vector<std::unique_ptr<test::RecordingReceiver>> receivers;
  std::vector<std::unique_ptr<InMemoryTransport>> nodes;
  for (int i = 0; i < kPublishers; ++i) {
    receivers.push_back(std::make_unique<test::RecordingReceiver>());
    nodes.push_back(std::make_unique<InMemoryTransport>(&broker));
    nodes.back()->SetReceiver(receivers.back().get());
    for (const absl::string_view server : {"s1", "s2"}) Subscribe(*nodes.back(), server, kAlice);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kPublishers; ++i) {
    threads.emplace_back([&nodes, i] {
      for (int message = 0; message < kMessages; ++message) {
        Publish(*nodes[static_cast<std::size_t>(i)], message % 3 == 0 ? "s2" : "s1", kAlice,
                absl::StrCat(i, " ", message));
      }
    });
  }
  JoinAll(threads);
  for (const auto& receiver : receivers) {
    std::map<std::string, int> last;  // by server, channel and publisher
    const std::vector<std::string> lines = receiver->lines();
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kPublishers * kMessages)) << "all came";
    for (const std::string& line : lines) {
      const std::size_t space = line.rfind(' ');
      int number = -1;
      ASSERT_TRUE(absl::SimpleAtoi(line.substr(space + 1), &number));
      const auto [it, is_first] = last.try_emplace(line.substr(0, space), number);
      if (!is_first) {
        EXPECT_LT(it->second, number) << line;
      }
      it->second = number;
    }
  }
  for (auto& node : nodes) node.reset();
}

TEST(InMemoryTransportThreadsTest, Clause10ABusyReceiverDelaysNoOtherServer) {
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  test::RecordingReceiver at_a;
  test::Gate entered;
  test::Gate leave;
  at_a.on_message = [&](absl::string_view server, Channel, absl::string_view) {
    if (server != "s1") return;
    entered.Open();
    leave.Await();
  };
  a.SetReceiver(&at_a);
  Subscribe(a, "s1", kAlice);
  Subscribe(a, "s2", kAlice);
  std::thread publisher([&] { Publish(b, "s1", kAlice, "x"); });
  entered.Await();
  Publish(b, "s2", kAlice, "y");
  EXPECT_THAT(at_a.lines(), ElementsAre("s1/1 x", "s2/1 y"));
  // And what comes from the same server waits for it, without holding up who publishes.
  Publish(b, "s1", kAlice, "z");
  EXPECT_THAT(at_a.lines(), ElementsAre("s1/1 x", "s2/1 y"));
  leave.Open();
  publisher.join();
  EXPECT_THAT(at_a.lines(), ElementsAre("s1/1 x", "s2/1 y", "s1/1 z"));
}

TEST(InMemoryTransportThreadsTest, ReceiversThatAnswerEachOtherDoNotDeadlock) {
  InMemoryBroker broker;
  InMemoryTransport a(&broker);
  InMemoryTransport b(&broker);
  test::RecordingReceiver at_a;
  test::RecordingReceiver at_b;
  const auto answer = [](InMemoryTransport& own, UserId to) {
    return [&own, to](absl::string_view server, Channel, absl::string_view payload) {
      int left = 0;
      if (absl::SimpleAtoi(payload, &left) && left > 0) {
        Publish(own, server, to, absl::StrCat(left - 1));
      }
    };
  };
  at_a.on_message = answer(a, kBob);
  at_b.on_message = answer(b, kAlice);
  a.SetReceiver(&at_a);
  b.SetReceiver(&at_b);
  Subscribe(a, "s1", kAlice);
  Subscribe(b, "s1", kBob);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < 100; ++i) Publish(a, "s1", kBob, "9");
  });
  threads.emplace_back([&] {
    for (int i = 0; i < 100; ++i) Publish(b, "s1", kAlice, "9");
  });
  JoinAll(threads);
  EXPECT_EQ(at_a.lines().size(), 1'000u);
  EXPECT_EQ(at_b.lines().size(), 1'000u);
  a.SetReceiver(nullptr);
  b.SetReceiver(nullptr);
}

}  // namespace
}  // namespace nearby
