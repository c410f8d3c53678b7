// What the contract of Transport says of servers that are well. Tests bear the clauses' numbers.

#include "examples/adapters/redis_transport.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/redis_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/transport.h"
#include "tests/adapters/redis_server.h"
#include "tests/adapters/redis_transport_fixture.h"
#include "tests/host/answer.h"
#include "tests/host/gate.h"
#include "tests/host/patience.h"
#include "tests/host/recording_receiver.h"

namespace adapters {
namespace {

using nearby::Channel;
using nearby::NodeId;
using nearby::UserId;
using nearby::test::Answer;
using nearby::test::Eventually;
using nearby::test::Gate;
using nearby::test::RecordingReceiver;
using test::RedisServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};

class RedisTransportTest : public test::RedisTransportFixture {
 protected:
  void SetUp() override {
    RedisTransportFixture::SetUp();
    a_.SetReceiver(&at_a_);
    b_.SetReceiver(&at_b_);
  }
  // Receivers are not called any more when they go.
  ~RedisTransportTest() override {
    a_.SetReceiver(nullptr);
    b_.SetReceiver(nullptr);
  }

  RecordingReceiver at_a_;
  RecordingReceiver at_b_;
  RedisTransport a_;
  RedisTransport b_;
};

TEST(RedisChannelNameTest, NamesComeBack) {
  for (const Channel channel : {Channel(kAlice), Channel(UserId{0}), Channel(UserId{~0ull}),
                                Channel::Inbox(NodeId{0}), Channel::Inbox(NodeId{~0ull})}) {
    EXPECT_EQ(ParseRedisChannelName("p:", RedisChannelName("p:", channel)), channel);
  }
  EXPECT_EQ(RedisChannelName("p:", Channel::Inbox(NodeId{7})), "p:n7");
  for (const char* const other : {"", "p:", "p:u", "p:x1", "p:u1x", "q:u1", "p:u-1", "u1"}) {
    EXPECT_EQ(ParseRedisChannelName("p:", other), std::nullopt) << other;
  }
}

TEST_F(RedisTransportTest, Clause2ATransportThatCanTakeNoMoreSaysSo) {
  RedisTransport::Options options;
  options.max_call_bytes = 1'000;
  RedisTransport transport(options);
  EXPECT_TRUE(Publish(transport, name(0), kAlice, std::string(5'000, 'x')).ok())
      << "as long as nothing else is under way";
  server(0).Pause();
  Answer<absl::Status> waiting;
  transport.Publish(name(0), kAlice, std::string(900, 'x'), waiting.Done());
  EXPECT_TRUE(
      absl::IsResourceExhausted(Publish(transport, name(0), kAlice, std::string(900, 'x'))));
  EXPECT_TRUE(Publish(transport, name(1), kAlice, "x").ok()) << "another server has room";
  server(0).Resume();
  EXPECT_TRUE(waiting.Get().ok());
}

TEST_F(RedisTransportTest, Clause2SubscriptionsAndServersAreBounded) {
  RedisTransport::Options options;
  options.max_subscriptions = 2;
  options.max_servers = 1;
  RedisTransport transport(options);
  RecordingReceiver receiver;
  transport.SetReceiver(&receiver);
  EXPECT_TRUE(Subscribe(transport, name(0), kAlice).ok());
  EXPECT_TRUE(Subscribe(transport, name(0), kBob).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Subscribe(transport, name(0), UserId{3})));
  EXPECT_TRUE(Subscribe(transport, name(0), kBob).ok()) << "which is no further one";
  EXPECT_TRUE(Unsubscribe(transport, name(0), kAlice).ok());
  EXPECT_TRUE(Subscribe(transport, name(0), UserId{3}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Publish(transport, name(1), kAlice, "x")));
  EXPECT_TRUE(absl::IsInvalidArgument(Publish(a_, "nonsense", kAlice, "x")));
  transport.SetReceiver(nullptr);
}

TEST_F(RedisTransportTest, Clause2WhatTheServerRefusesIsNotSubscribedTo) {
  RedisTransport::Options options;
  options.channel_prefix = "other:";
  RedisTransport transport(options);
  RecordingReceiver receiver;
  transport.SetReceiver(&receiver);
  server(0).Call({"ACL", "SETUSER", "default", "resetchannels", "&nearby:*"});
  const absl::Status refused = Subscribe(transport, name(0), kAlice);
  EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
  server(0).Call({"ACL", "SETUSER", "default", "allchannels"});
  EXPECT_TRUE(Subscribe(transport, name(0), kAlice).ok());
  transport.SetReceiver(nullptr);
}

TEST_F(RedisTransportTest, Clause3CallsFromManyThreadsAndFromWithinCalls) {
  constexpr int kThreads = 4;
  constexpr int kMessages = 300;
  std::atomic<int> echoes{0};
  std::atomic<int> subscribed{0};
  at_a_.on_message = [&](absl::string_view from, Channel channel, absl::string_view payload) {
    if (channel != Channel(kAlice)) return;
    a_.Publish(from, kBob, payload, [&, server = std::string(from)](absl::Status status) {
      EXPECT_TRUE(status.ok());
      a_.Unsubscribe(server, UserId{99}, [&](absl::Status) { ++echoes; });
    });
  };
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(Subscribe(a_, name(i), kAlice).ok());
    ASSERT_TRUE(Subscribe(b_, name(i), kBob).ok());
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &subscribed] {
      for (int i = 0; i < kMessages; ++i) {
        b_.Publish(name(static_cast<std::size_t>(i % 2)), kAlice, absl::StrCat(t, " ", i),
                   [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
        a_.Subscribe(name(0), UserId{static_cast<std::uint64_t>(1'000 * t + i)},
                     [&subscribed](absl::Status status) {
                       EXPECT_TRUE(status.ok()) << status;
                       ++subscribed;
                     });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Eventually([&] { return subscribed.load() == kThreads * kMessages; }));
  EXPECT_TRUE(Eventually([&] { return at_b_.lines().size() == kThreads * kMessages; }));
  EXPECT_TRUE(Eventually([&] { return echoes.load() == kThreads * kMessages; }));
}

TEST_F(RedisTransportTest, Clause4SetReceiverEndsTheFormerOne) {
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Subscribe(b_, name(0), kAlice).ok());
  RecordingReceiver other;
  a_.SetReceiver(&other);
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "y").ok());
  ASSERT_TRUE(AwaitLine(at_b_, name(0) + "/1 y"));
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "z").ok());
  ASSERT_TRUE(AwaitLine(other, name(0) + "/1 z"));
  EXPECT_THAT(other.lines(), ElementsAre(name(0) + "/1 z")) << "it had not subscribed before";
  EXPECT_THAT(at_a_.lines(), IsEmpty());
  a_.SetReceiver(nullptr);
}

TEST_F(RedisTransportTest, Clause4SetReceiverWaitsForARunningCall) {
  Gate entered;
  Gate leave;
  at_a_.on_message = [&](absl::string_view, Channel, absl::string_view) {
    entered.Open();
    leave.Await();
  };
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "1").ok());
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "2").ok());
  entered.Await();
  Answer<absl::Status> pending;
  a_.Subscribe(name(0), kBob, pending.Done());
  std::vector<std::string> lines;
  std::thread ender([&] {
    a_.SetReceiver(nullptr);
    EXPECT_FALSE(at_a_.is_running());
    lines = at_a_.lines();
  });
  leave.Open();
  ender.join();
  pending.Get().IgnoreError();
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "3").ok());
  EXPECT_EQ(at_a_.lines(), lines) << "nothing came after SetReceiver had returned";
}

TEST_F(RedisTransportTest, Clause4SetReceiverFromWithinADone) {
  RecordingReceiver next;
  Answer<absl::Status> set;
  a_.Subscribe(name(0), kAlice, [&, done = set.Done()](absl::Status status) mutable {
    a_.SetReceiver(&next);
    done(std::move(status));
  });
  EXPECT_TRUE(set.Get().ok());
  EXPECT_TRUE(Subscribe(a_, name(0), kBob).ok());
  EXPECT_TRUE(Publish(b_, name(0), kAlice, "x").ok());
  EXPECT_TRUE(Publish(b_, name(0), kBob, "y").ok());
  EXPECT_TRUE(AwaitLine(next, name(0) + "/2 y"));
  EXPECT_THAT(next.lines(), ElementsAre(name(0) + "/2 y"));
  a_.SetReceiver(nullptr);
}

TEST_F(RedisTransportTest, Clause4ReceiversComeAndGoAmidMessages) {
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    while (!stop.load()) EXPECT_TRUE(Publish(b_, name(0), kAlice, "x").ok());
  });
  for (int i = 0; i < 30; ++i) {
    // On the heap, so that a call after SetReceiver would be seen.
    auto receiver = std::make_unique<RecordingReceiver>();
    a_.SetReceiver(receiver.get());
    EXPECT_TRUE(Subscribe(a_, name(0), kAlice).ok());
    a_.Subscribe(name(0), kBob, [](absl::Status) {});
    a_.SetReceiver(nullptr);
    EXPECT_FALSE(receiver->is_running());
  }
  stop.store(true);
  publisher.join();
}

TEST_F(RedisTransportTest, Clause4DestructionWithCallsUnderWay) {
  auto alive = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 10; ++i) {
    RecordingReceiver receiver;
    RedisTransport brief;
    brief.SetReceiver(&receiver);
    for (std::uint64_t k = 0; k < 200; ++k) {
      const std::string& to = name(k % 2);
      brief.Subscribe(to, UserId{k}, [alive](absl::Status) { ++*alive; });
      brief.Publish(to, UserId{k / 2}, "x", [alive](absl::Status) { ++*alive; });
    }
  }
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_LE(alive->load(), 10 * 2 * 200);
}

TEST_F(RedisTransportTest, Clause6EachMessageReachesEachSubscriberOnce) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
    ASSERT_TRUE(Subscribe(b_, name(0), kAlice).ok());
  }
  ASSERT_TRUE(Publish(a_, name(0), kAlice, "x").ok());
  ASSERT_TRUE(Publish(a_, name(1), kAlice, "elsewhere").ok());
  ASSERT_TRUE(Publish(a_, name(0), Channel::Inbox(NodeId{1}), "another channel").ok());
  ASSERT_TRUE(Publish(a_, name(0), kAlice, "y").ok());
  for (RecordingReceiver* const receiver : {&at_a_, &at_b_}) {
    ASSERT_TRUE(AwaitLine(*receiver, name(0) + "/1 y"));
    EXPECT_THAT(receiver->lines(), ElementsAre(name(0) + "/1 x", name(0) + "/1 y"));
  }
}

TEST_F(RedisTransportTest, Clause6InboxesAreNotUsersChannels) {
  ASSERT_TRUE(Subscribe(a_, name(0), Channel::Inbox(NodeId{1})).ok());
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "user").ok());
  ASSERT_TRUE(Publish(b_, name(0), Channel::Inbox(NodeId{1}), "node").ok());
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/inbox 1 node"));
  EXPECT_EQ(at_a_.lines().size(), 1u);
}

TEST_F(RedisTransportTest, Clause6SubscribeNeedsAReceiver) {
  a_.SetReceiver(nullptr);
  EXPECT_TRUE(absl::IsFailedPrecondition(Subscribe(a_, name(0), kAlice)));
  EXPECT_TRUE(Publish(a_, name(0), kAlice, "x").ok()) << "publishing needs none";
}

TEST_F(RedisTransportTest, Clause6ManyChannels) {
  constexpr std::uint64_t kChannels = 20'000;
  std::atomic<std::uint64_t> subscribed{0};
  for (std::uint64_t i = 0; i < kChannels; ++i) {
    a_.Subscribe(name(0), UserId{i}, [&](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      ++subscribed;
    });
  }
  ASSERT_TRUE(Eventually([&] { return subscribed.load() == kChannels; }));
  EXPECT_EQ(server(0).Call({"PUBSUB", "CHANNELS"}).value().size(), kChannels);
  for (std::uint64_t i = 0; i < kChannels; ++i) {
    b_.Publish(name(0), UserId{i}, "x", [](absl::Status status) { EXPECT_TRUE(status.ok()); });
  }
  EXPECT_TRUE(Eventually([&] { return at_a_.lines().size() == kChannels; }));
}

TEST_F(RedisTransportTest, Clause7UnsubscribeEndsOneChannelOfOneServer) {
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(Subscribe(a_, name(i), kAlice).ok());
    ASSERT_TRUE(Subscribe(a_, name(i), kBob).ok());
  }
  ASSERT_TRUE(Unsubscribe(a_, name(0), kAlice).ok());
  EXPECT_TRUE(Unsubscribe(a_, name(0), UserId{77}).ok()) << "what is not subscribed to";
  EXPECT_TRUE(Unsubscribe(a_, "never heard of", kAlice).ok());
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(Publish(b_, name(i), kAlice, "x").ok());
    ASSERT_TRUE(Publish(b_, name(i), kBob, "y").ok());
    ASSERT_TRUE(AwaitLine(at_a_, name(i) + "/2 y"));
  }
  EXPECT_EQ(at_a_.lines().size(), 3u);
  // To the last, and from the beginning again.
  ASSERT_TRUE(Unsubscribe(a_, name(0), kBob).ok());
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Publish(b_, name(0), kAlice, "z").ok());
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + "/1 z"));
}

TEST_F(RedisTransportTest, Clause8EachPublishersMessagesArriveInOrder) {
  constexpr int kMessages = 1'000;
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(Subscribe(a_, name(i), kAlice).ok());
  std::vector<std::thread> threads;
  std::vector<RedisTransport*> publishers = {&a_, &b_};
  for (std::size_t p = 0; p < publishers.size(); ++p) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < kMessages; ++i) {
        publishers[p]->Publish(name(static_cast<std::size_t>(i % 2)), kAlice,
                               absl::StrCat(p, " ", i), [](absl::Status) {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(Eventually([&] { return at_a_.lines().size() == 2u * kMessages; }));
  std::map<std::string, int> last;  // by server, channel and publisher
  for (const std::string& line : at_a_.lines()) {
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

TEST_F(RedisTransportTest, Clause10ABusyReceiverDelaysNoOtherServer) {
  Gate entered;
  Gate leave;
  at_a_.on_message = [&](absl::string_view from, Channel, absl::string_view) {
    if (from != name(0)) return;
    entered.Open();
    leave.Await();
  };
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(Subscribe(a_, name(i), kAlice).ok());
  ASSERT_TRUE(Publish(a_, name(0), kAlice, "x").ok());
  entered.Await();
  EXPECT_TRUE(Publish(a_, name(0), kAlice, "z").ok()) << "publishing goes on, too";
  EXPECT_TRUE(Publish(a_, name(1), kAlice, "y").ok());
  EXPECT_TRUE(AwaitLine(at_a_, name(1) + "/1 y"));
  leave.Open();
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + "/1 z"));
}

TEST_F(RedisTransportTest, Clause11PayloadsAreBytesUpToTheMaximum) {
  EXPECT_GE(a_.max_payload(), 64u << 10);
  std::string all_values;
  for (int i = 0; i < 256; ++i) all_values.push_back(static_cast<char>(i));
  const std::vector<std::string> payloads = {"", std::string(1, '\0'), "\r\n$5\r\n", all_values,
                                             std::string(a_.max_payload(), 'x')};
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  for (const std::string& payload : payloads) {
    EXPECT_TRUE(Publish(b_, name(0), kAlice, payload).ok());
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      Publish(b_, name(0), kAlice, std::string(b_.max_payload() + 1, 'x'))));
  EXPECT_TRUE(Publish(b_, name(0), kAlice, "last").ok());
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/1 last"));
  std::vector<std::string> expected;
  for (const std::string& payload : payloads) expected.push_back(name(0) + "/1 " + payload);
  expected.push_back(name(0) + "/1 last");
  EXPECT_EQ(at_a_.lines(), expected);
}

TEST_F(RedisTransportTest, PassesOverWhatIsNotItsOwn) {
  RedisTransport::Options options;
  options.channel_prefix = "other:";
  RedisTransport other(options);
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  EXPECT_TRUE(Publish(other, name(0), kAlice, "theirs").ok());
  EXPECT_TRUE(Publish(b_, name(0), kAlice, "ours").ok());
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/1 ours"));
  EXPECT_EQ(at_a_.lines().size(), 1u);
}

}  // namespace
}  // namespace adapters
