#ifndef BENCHMARKS_PEERS_REDIS_COMMANDS_H_
#define BENCHMARKS_PEERS_REDIS_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/peers/redis_pipeline.h"
#include "examples/adapters/redis_command.h"

namespace peers {

struct RedisLoad {
  std::uint16_t port = 0;         ///< Of a server on loopback.
  std::uint32_t users = 0;        ///< With a channel, a key and a value each.
  std::uint32_t connections = 0;  ///< That send; as many more listen.
  std::uint32_t listeners = 0;    ///< To each channel, on a connection each.
};

/// Single commands to a Redis server, so many under way on each connection, about users drawn by
/// chance. Each method answers how many of what it is named after have been done.
///
/// Thread-compatible.
class RedisCommands {
 public:
  explicit RedisCommands(const RedisLoad& load);

  /// Keeps a value for everybody, and listens to everybody's channel.
  absl::Status Begin();

  absl::StatusOr<std::uint64_t> PublishUnheard(std::uint32_t depth);
  /// Returns when all have been pushed to those who listen.
  absl::StatusOr<std::uint64_t> PublishHeard(std::uint32_t depth);
  absl::StatusOr<std::uint64_t> Set(std::uint32_t depth);
  absl::StatusOr<std::uint64_t> Get(std::uint32_t depth);
  /// Keys, by MGETs of 40.
  absl::StatusOr<std::uint64_t> GetMany(std::uint32_t depth);

 private:
  using CommandOf = std::function<adapters::RedisCommand(const std::string& user)>;

  std::string AnyUser();
  absl::Status SetAll();
  absl::Status SubscribeToAll();
  absl::StatusOr<std::uint64_t> Send(std::uint32_t depth, const CommandOf& command_of);
  absl::StatusOr<std::uint64_t> PublishTo(absl::string_view channel_prefix, std::uint32_t depth);

  const RedisLoad load_;
  capacity::Random random_{1};
  RedisPipeline senders_;
  RedisPipeline listeners_;
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_REDIS_COMMANDS_H_
