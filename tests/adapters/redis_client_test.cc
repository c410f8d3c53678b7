#include "examples/adapters/redis_client.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_reply.h"
#include "examples/adapters/redis_socket.h"
#include "gtest/gtest.h"
#include "tests/adapters/redis_server.h"
#include "tests/host/answer.h"
#include "tests/host/patience.h"

namespace adapters {
namespace {

using nearby::test::Answer;
using test::RedisServer;

// Its text, or why there is none.
absl::StatusOr<std::string> Call(RedisClient& client,
                                 std::initializer_list<absl::string_view> words) {
  Answer<absl::StatusOr<std::string>> answer;
  client.Call(RedisCommand(words).Take(),
              [done = answer.Done()](const absl::StatusOr<RedisReply>& reply) mutable {
                if (!reply.ok()) return done(reply.status());
                done(std::string(reply->value().text()));
              });
  return answer.Get();
}

RedisAddress AddressOf(const RedisServer& server) {
  return RedisAddress::Parse(server.name()).value();
}

class RedisClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
  }
};

TEST(RedisAddressTest, TellsHostFromPort) {
  EXPECT_EQ(RedisAddress::Parse("localhost:1")->host, "localhost");
  EXPECT_EQ(RedisAddress::Parse("[::1]:65535")->host, "::1");
  EXPECT_EQ(RedisAddress::Parse("[::1]:65535")->port, "65535");
  for (const char* const bad : {"", "host", ":1", "host:", "host:0", "host:65536", "host:x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RedisAddress::Parse(bad).status())) << bad;
  }
}

TEST(RedisReaderTest, ReadsWhatComesInPieces) {
  RedisReader reader(1'000);
  for (const char c : absl::string_view("*2\r\n$2\r\n\r\n\r\n:-7\r")) {
    ASSERT_TRUE(reader.Feed({&c, 1}).ok());
    ASSERT_FALSE(reader.Next()->has_value());
  }
  ASSERT_TRUE(reader.Feed("\n+OK\r\n").ok());
  const RedisReply array = **reader.Next();
  ASSERT_EQ(array.value().size(), 2u);
  EXPECT_EQ(array.value()[0].text(), "\r\n");
  EXPECT_EQ(array.value()[1].integer(), -7);
  EXPECT_EQ((*reader.Next())->value().text(), "OK");
  EXPECT_FALSE(reader.Next()->has_value());
}

TEST(RedisReaderTest, RefusesWhatIsTooLongOrMeansNothing) {
  RedisReader reader(1'000);
  EXPECT_TRUE(reader.Feed("$5000\r\n").ok());
  EXPECT_FALSE(reader.Next()->has_value());
  EXPECT_TRUE(absl::IsDataLoss(reader.Feed(std::string(2'000, 'x'))));
  RedisReader other(1'000);
  EXPECT_TRUE(other.Feed("what?\r\n").ok());
  EXPECT_TRUE(absl::IsDataLoss(other.Next().status()));
}

TEST_F(RedisClientTest, AnswersInOrderFromManyThreads) {
  RedisServer server;
  RedisClient client(AddressOf(server), {});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&client, &wrong, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string text = absl::StrCat(t, " ", i);
        client.Call(RedisCommand({"ECHO", text}).Take(), [text, &wrong](auto reply) {
          if (!reply.ok() || reply->value().text() != text) ++wrong;
        });
      }
      EXPECT_EQ(*Call(client, {"ECHO", "last"}), "last");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_F(RedisClientTest, CallsFromWithinADone) {
  RedisServer server;
  RedisClient client(AddressOf(server), {});
  Answer<absl::StatusOr<std::string>> answer;
  client.Call(RedisCommand({"PING"}).Take(), [&](const auto&) {
    client.Call(RedisCommand({"ECHO", "x"}).Take(),
                [done = answer.Done()](const absl::StatusOr<RedisReply>& reply) mutable {
                  done(std::string(reply.value().value().text()));
                });
  });
  EXPECT_EQ(*answer.Get(), "x");
}

TEST_F(RedisClientTest, TellsFailuresApart) {
  RedisServer server;
  RedisClient client(AddressOf(server), {});
  EXPECT_TRUE(absl::IsInternal(Call(client, {"NONSENSE"}).status()));
  EXPECT_TRUE(Call(client, {"CONFIG", "SET", "maxmemory", "1"}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Call(client, {"SET", "a", "b"}).status()));
  const absl::Status of_script =
      Call(client, {"EVAL", "return redis.call('SET', 'a', 'b')", "0"}).status();
  EXPECT_TRUE(absl::IsResourceExhausted(of_script)) << of_script;
  EXPECT_TRUE(Call(client, {"CONFIG", "SET", "maxmemory", "0"}).ok());
  EXPECT_TRUE(Call(client, {"CONFIG", "SET", "requirepass", "x"}).ok());
  RedisClient stranger(AddressOf(server), {});
  EXPECT_TRUE(absl::IsPermissionDenied(Call(stranger, {"PING"}).status()));
}

TEST_F(RedisClientTest, LinksUpAgain) {
  RedisServer server;
  RedisClient client(AddressOf(server), {});
  EXPECT_TRUE(Call(client, {"PING"}).ok());
  server.Kill();
  EXPECT_TRUE(absl::IsUnavailable(Call(client, {"PING"}).status()));
  EXPECT_TRUE(absl::IsUnavailable(Call(client, {"PING"}).status()));
  server.Start();
  EXPECT_TRUE(nearby::test::Eventually([&] { return Call(client, {"PING"}).ok(); }));
}

TEST_F(RedisClientTest, GivesUpOnAServerThatDoesNotAnswer) {
  RedisServer server;
  RedisClient::Options options;
  options.reply_timeout = absl::Milliseconds(50);
  RedisClient client(AddressOf(server), options);
  EXPECT_TRUE(Call(client, {"PING"}).ok());
  server.Pause();
  EXPECT_TRUE(absl::IsUnavailable(Call(client, {"PING"}).status()));
  server.Resume();
  EXPECT_TRUE(nearby::test::Eventually([&] { return Call(client, {"PING"}).ok(); }));
}

TEST_F(RedisClientTest, RefusesWhatItCannotQueue) {
  RedisServer server;
  RedisClient::Options options;
  options.max_calls = 2;
  options.when_full = absl::StatusCode::kResourceExhausted;
  RedisClient client(AddressOf(server), options);
  EXPECT_TRUE(Call(client, {"PING"}).ok());
  server.Pause();
  std::vector<Answer<absl::Status>> answers(3);
  for (Answer<absl::Status>& answer : answers) {
    client.Call(RedisCommand({"PING"}).Take(),
                [done = answer.Done()](const auto& reply) mutable { done(reply.status()); });
  }
  EXPECT_EQ(answers[0].times(), 0u);
  EXPECT_EQ(answers[1].times(), 0u);
  EXPECT_TRUE(absl::IsResourceExhausted(answers[2].Get())) << "at once";
  server.Resume();
  EXPECT_TRUE(answers[0].Get().ok());
  EXPECT_TRUE(answers[1].Get().ok());
  EXPECT_TRUE(Call(client, {"PING"}).ok());
}

TEST_F(RedisClientTest, DropsWhatIsUnderWayWhenItGoes) {
  RedisServer server;
  auto alive = std::make_shared<int>(0);
  {
    RedisClient client(AddressOf(server), {});
    EXPECT_TRUE(Call(client, {"PING"}).ok());
    server.Pause();
    for (int i = 0; i < 10; ++i) {
      client.Call(RedisCommand({"PING"}).Take(), [alive](const auto&) { ++*alive; });
    }
  }
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(*alive, 0);
}

TEST_F(RedisClientTest, StopFailsWhatIsUnderWay) {
  RedisServer server;
  RedisClient client(AddressOf(server), {});
  EXPECT_TRUE(Call(client, {"PING"}).ok());
  server.Pause();
  Answer<absl::Status> answer;
  client.Call(RedisCommand({"PING"}).Take(),
              [done = answer.Done()](const auto& reply) mutable { done(reply.status()); });
  client.Stop();
  EXPECT_TRUE(absl::IsUnavailable(answer.Get()));
  EXPECT_TRUE(absl::IsUnavailable(Call(client, {"PING"}).status()));
  EXPECT_TRUE(nearby::test::Eventually([&] { return client.is_finished(); }));
}

}  // namespace
}  // namespace adapters
