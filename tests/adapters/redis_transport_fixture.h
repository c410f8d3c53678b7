#ifndef NEARBY_TESTS_ADAPTERS_REDIS_TRANSPORT_FIXTURE_H_
#define NEARBY_TESTS_ADAPTERS_REDIS_TRANSPORT_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_transport.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "tests/adapters/redis_server.h"
#include "tests/host/answer.h"
#include "tests/host/patience.h"
#include "tests/host/recording_receiver.h"

namespace adapters::test {

/// Two servers, and transports to them. Skips where there is no redis-server.
class RedisTransportFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    for (std::unique_ptr<RedisServer>& server : servers_) server = std::make_unique<RedisServer>();
  }

  // One that does not wait long for anything.
  static RedisTransport::Options QuickOptions() {
    RedisTransport::Options options;
    options.ping_interval = absl::Milliseconds(50);
    options.reply_timeout = absl::Milliseconds(200);
    return options;
  }

  RedisServer& server(std::size_t i) { return *servers_[i]; }
  const std::string& name(std::size_t i) const { return servers_[i]->name(); }

  static absl::Status Publish(nearby::Transport& transport, absl::string_view server,
                              nearby::Channel channel, absl::string_view payload) {
    nearby::test::Answer<absl::Status> answer;
    transport.Publish(server, channel, payload, answer.Done());
    return answer.Get();
  }
  static absl::Status Subscribe(nearby::Transport& transport, absl::string_view server,
                                nearby::Channel channel) {
    nearby::test::Answer<absl::Status> answer;
    transport.Subscribe(server, channel, answer.Done());
    return answer.Get();
  }
  static absl::Status Unsubscribe(nearby::Transport& transport, absl::string_view server,
                                  nearby::Channel channel) {
    nearby::test::Answer<absl::Status> answer;
    transport.Unsubscribe(server, channel, answer.Done());
    return answer.Get();
  }

  static bool AwaitLine(const nearby::test::RecordingReceiver& receiver, const std::string& line) {
    return nearby::test::Eventually([&] {
      const std::vector<std::string> lines = receiver.lines();
      return std::find(lines.begin(), lines.end(), line) != lines.end();
    });
  }

 private:
  std::unique_ptr<RedisServer> servers_[2];
};

}  // namespace adapters::test

#endif  // NEARBY_TESTS_ADAPTERS_REDIS_TRANSPORT_FIXTURE_H_
