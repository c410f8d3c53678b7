#ifndef BENCHMARKS_PEERS_REDIS_PIPELINE_H_
#define BENCHMARKS_PEERS_REDIS_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_link.h"

namespace peers {

/// Commands to one Redis server over several connections, many at once on each. Replies are counted
/// and not looked at, but for errors.
///
/// Thread-compatible. Owns the connections.
class RedisPipeline {
 public:
  explicit RedisPipeline(std::size_t connections);

  /// Connects to a port on loopback. `Unavailable`.
  absl::Status Open(std::uint16_t port);

  /// To be sent on this connection by the next Exchange.
  void Add(std::size_t connection, adapters::RedisCommand command);

  /// Sends all of it, and returns when so many replies and pushes have come, on all connections
  /// together. `DeadlineExceeded` if the server falls silent; an error reply is what it means.
  absl::Status Exchange(std::uint64_t replies);

 private:
  // Waits for the server once, and does what the sockets are ready for.
  absl::Status Turn();
  absl::Status Take(adapters::RedisValue reply);

  std::deque<adapters::RedisLink> links_;
  std::vector<std::string> out_;  // of each link
  std::uint64_t received_ = 0;
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_REDIS_PIPELINE_H_
