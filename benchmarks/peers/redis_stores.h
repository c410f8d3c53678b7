#ifndef BENCHMARKS_PEERS_REDIS_STORES_H_
#define BENCHMARKS_PEERS_REDIS_STORES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/capacity/random.h"
#include "examples/adapters/redis_location_store.h"
#include "examples/adapters/redis_session_directory.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"

namespace peers {

/// What nodes ask of a Redis server that is their location store and their session directory,
/// through the adapters of examples/adapters: several batches under way, of users drawn by chance.
/// Each method answers how many users it has asked about.
///
/// Thread-compatible.
class RedisStores {
 public:
  /// Users of so many, with a server on loopback.
  RedisStores(std::uint16_t port, std::uint32_t users);

  /// Stores a location and enters a session of everybody's.
  absl::Status Begin();

  absl::StatusOr<std::uint64_t> Write(std::size_t batch);
  absl::StatusOr<std::uint64_t> Read(std::size_t batch);
  /// Of those asked about one in ten has a session.
  absl::StatusOr<std::uint64_t> LookUp(std::size_t batch);
  /// Sessions that begin in the place of earlier ones of the same node's.
  absl::StatusOr<std::uint64_t> Claim(std::size_t batch);

 private:
  using Users = std::vector<nearby::UserId>;
  // Has `ask` begin a call about these users, which it completes with a status.
  using Ask = std::function<void(const Users& users, std::function<void(absl::Status)> done)>;

  // Several batches at once, of users below `among`.
  absl::StatusOr<std::uint64_t> AskAboutAny(std::size_t batch, std::uint64_t among, const Ask& ask);
  absl::Status Await(const std::vector<Users>& batches, const Ask& ask);
  Ask Writing();
  Ask Claiming();

  const std::uint32_t users_;
  capacity::Random random_{2};
  std::unique_ptr<adapters::RedisLocationStore> locations_;
  std::unique_ptr<adapters::RedisSessionDirectory> directory_;
  nearby::NodeLease lease_;
  std::int64_t now_ms_ = 0;  // each location is later than all before
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_REDIS_STORES_H_
