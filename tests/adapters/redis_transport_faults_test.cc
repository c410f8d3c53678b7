// Clause 9 of Transport's contract, and others where a server dies, hangs or cuts a link.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "examples/adapters/redis_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "tests/adapters/redis_server.h"
#include "tests/adapters/redis_transport_fixture.h"
#include "tests/host/answer.h"
#include "tests/host/gate.h"
#include "tests/host/patience.h"
#include "tests/host/recording_receiver.h"

namespace adapters {
namespace {

using nearby::Channel;
using nearby::UserId;
using nearby::test::Answer;
using nearby::test::Eventually;
using nearby::test::Gate;
using nearby::test::RecordingReceiver;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};

class RedisTransportFaultsTest : public test::RedisTransportFixture {
 protected:
  void SetUp() override {
    RedisTransportFixture::SetUp();
    a_.SetReceiver(&at_a_);
  }
  ~RedisTransportFaultsTest() override { a_.SetReceiver(nullptr); }

  bool AwaitSubscribed(std::size_t i, Channel channel) {
    return Eventually([&] { return Subscribe(a_, name(i), channel).ok(); });
  }
  bool AwaitPublished(std::size_t i, Channel channel, absl::string_view payload) {
    return Eventually([&] { return Publish(a_, name(i), channel, payload).ok(); });
  }

  RecordingReceiver at_a_;
  RedisTransport a_{QuickOptions()};
};

TEST_F(RedisTransportFaultsTest, Clause9AKilledServerIsToldOfAndLinkedToAgain) {
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(Subscribe(a_, name(i), kAlice).ok());
  ASSERT_TRUE(Subscribe(a_, name(0), kBob).ok());
  ASSERT_TRUE(Publish(a_, name(0), kAlice, "before").ok());
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/1 before"));
  at_a_.TakeLines();

  server(0).Kill();
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + " lost")) << "without any call";
  EXPECT_THAT(at_a_.reasons(), ElementsAre(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(absl::IsUnavailable(Publish(a_, name(0), kAlice, "x")));
  EXPECT_TRUE(absl::IsUnavailable(Subscribe(a_, name(0), kAlice)));
  EXPECT_TRUE(Unsubscribe(a_, name(0), kAlice).ok()) << "clause 7: nothing is subscribed there";
  EXPECT_TRUE(Publish(a_, name(1), kAlice, "alive").ok()) << "clause 10";
  ASSERT_TRUE(AwaitLine(at_a_, name(1) + "/1 alive"));
  EXPECT_THAT(at_a_.TakeLines(), ElementsAre(name(0) + " lost", name(1) + "/1 alive"));

  server(0).Start();
  ASSERT_TRUE(AwaitPublished(0, kAlice, "nobody listens"));
  ASSERT_TRUE(AwaitSubscribed(0, kAlice));
  ASSERT_TRUE(AwaitPublished(0, kBob, "not subscribed to any more"));
  ASSERT_TRUE(AwaitPublished(0, kAlice, "after"));
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/1 after"));
  EXPECT_THAT(at_a_.lines(), ElementsAre(name(0) + "/1 after"));
}

TEST_F(RedisTransportFaultsTest, Clause9CallsUnderWayFail) {
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Publish(a_, name(0), kBob, "x").ok());
  server(0).Pause();
  Answer<absl::Status> publish;
  Answer<absl::Status> subscribe;
  Answer<absl::Status> unsubscribe;
  a_.Publish(name(0), kAlice, "x", publish.Done());
  a_.Subscribe(name(0), kBob, subscribe.Done());
  a_.Unsubscribe(name(0), kAlice, unsubscribe.Done());
  server(0).Kill();
  EXPECT_TRUE(absl::IsUnavailable(publish.Get()));
  EXPECT_TRUE(absl::IsUnavailable(subscribe.Get()));
  EXPECT_TRUE(unsubscribe.Get().ok()) << "clause 7: it has gone with the link";
}

TEST_F(RedisTransportFaultsTest, Clause9ALinkWithoutSubscriptionsBreaksInSilence) {
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  ASSERT_TRUE(Unsubscribe(a_, name(0), kAlice).ok());
  server(0).Kill();
  EXPECT_TRUE(absl::IsUnavailable(Subscribe(a_, name(0), kAlice)));
  server(0).Start();
  ASSERT_TRUE(AwaitSubscribed(0, kAlice));
  EXPECT_THAT(at_a_.lines(), IsEmpty());
}

TEST_F(RedisTransportFaultsTest, Clause9AServerThatHangsLosesItsLinks) {
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  server(0).Pause();
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + " lost")) << "though nobody has called";
  server(0).Resume();
  ASSERT_TRUE(AwaitSubscribed(0, kAlice));
  ASSERT_TRUE(AwaitPublished(0, kAlice, "after"));
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + "/1 after"));
}

TEST_F(RedisTransportFaultsTest, Clause9ALinkThatIsCutIsLinkedUpFromWithinTheCall) {
  Answer<absl::Status> again;
  at_a_.on_lost = [&](absl::string_view from) { a_.Subscribe(from, kBob, again.Done()); };
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  EXPECT_EQ(server(0).CallForInteger({"CLIENT", "KILL", "TYPE", "pubsub"}), 1);
  EXPECT_TRUE(again.Get().ok()) << "the server is there: one attempt suffices";
  ASSERT_TRUE(Publish(a_, name(0), kAlice, "gone").ok());
  ASSERT_TRUE(Publish(a_, name(0), kBob, "there").ok());
  ASSERT_TRUE(AwaitLine(at_a_, name(0) + "/2 there"));
  EXPECT_THAT(at_a_.lines(), ElementsAre(name(0) + " lost", name(0) + "/2 there"));
}

// What comes is a beginning of what was published, then the loss: nothing is missing in between.
TEST_F(RedisTransportFaultsTest, Clause9AReceiverThatIsTooSlowLosesItsLink) {
  EXPECT_EQ(
      server(0).CallForText({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 1mb 0"}),
      "OK");
  Gate leave;
  std::vector<int> received;
  at_a_.on_message = [&](absl::string_view, Channel, absl::string_view payload) {
    leave.Await();
    int number = -1;
    EXPECT_TRUE(absl::SimpleAtoi(payload.substr(0, payload.find(' ')), &number));
    received.push_back(number);
  };
  std::atomic<bool> is_lost{false};
  at_a_.on_lost = [&](absl::string_view) { is_lost.store(true); };
  ASSERT_TRUE(Subscribe(a_, name(0), kAlice).ok());
  RedisTransport publisher;
  const std::string filling(10'000, 'x');
  int published = 0;
  // Until the server has cut the link: what its and the sockets' buffers take is theirs to say.
  ASSERT_TRUE(Eventually([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(
          Publish(publisher, name(0), kAlice, absl::StrCat(published++, " ", filling)).ok());
    }
    return server(0).CallForText({"CLIENT", "LIST", "TYPE", "pubsub"}).empty();
  }));
  leave.Open();
  ASSERT_TRUE(Eventually([&] { return is_lost.load(); }));
  EXPECT_LT(static_cast<int>(received.size()), published);
  for (std::size_t i = 0; i < received.size(); ++i) ASSERT_EQ(received[i], static_cast<int>(i));
  ASSERT_TRUE(AwaitSubscribed(0, kAlice));
  ASSERT_TRUE(Publish(publisher, name(0), kAlice, "0").ok());
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + "/1 0"));
}

TEST_F(RedisTransportFaultsTest, Clause9AServerThatNeverWas) {
  const std::string nowhere = name(0);
  server(0).Kill();
  EXPECT_TRUE(absl::IsUnavailable(Subscribe(a_, nowhere, kAlice)));
  EXPECT_TRUE(absl::IsUnavailable(Publish(a_, nowhere, kAlice, "x")));
  EXPECT_TRUE(Unsubscribe(a_, nowhere, kAlice).ok());
  EXPECT_THAT(at_a_.lines(), IsEmpty());
}

// Every message between an Ok of Subscribe and the next loss comes, whatever is killed meanwhile.
TEST_F(RedisTransportFaultsTest, Clauses6And9LinksAreCutAmidCalls) {
  std::atomic<int> losses{0};
  std::atomic<bool> is_subscribed{false};
  at_a_.on_lost = [&](absl::string_view) {
    is_subscribed.store(false);
    ++losses;
  };
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      while (!stop.load()) {
        if (Subscribe(a_, name(0), UserId{t}).ok()) is_subscribed.store(true);
        Publish(a_, name(0), UserId{t}, "x").IgnoreError();
        EXPECT_TRUE(Unsubscribe(a_, name(0), UserId{10 + t}).ok());
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Eventually([&] { return is_subscribed.load(); }));
    const int before = losses.load();
    // Again and again, for a link may be between two lives when its clients are killed.
    EXPECT_TRUE(Eventually([&] {
      server(0).Call({"CLIENT", "KILL", "TYPE", i % 2 == 0 ? "pubsub" : "normal"});
      server(0).Call({"CLIENT", "KILL", "TYPE", "pubsub"});
      return losses.load() > before;
    }));
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(AwaitSubscribed(0, kBob));
  ASSERT_TRUE(AwaitPublished(0, kBob, "end"));
  EXPECT_TRUE(AwaitLine(at_a_, name(0) + "/2 end"));
}

TEST_F(RedisTransportFaultsTest, Clause10AHangingServerDelaysNoOther) {
  server(0).Pause();
  Answer<absl::Status> hanging;
  a_.Publish(name(0), kAlice, "x", hanging.Done());
  a_.Subscribe(name(0), kAlice, [](absl::Status) {});
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Subscribe(a_, name(1), UserId{static_cast<std::uint64_t>(i)}).ok());
    EXPECT_TRUE(Publish(a_, name(1), kAlice, "y").ok());
  }
  EXPECT_TRUE(absl::IsUnavailable(hanging.Get()));
  server(0).Resume();
}

}  // namespace
}  // namespace adapters
