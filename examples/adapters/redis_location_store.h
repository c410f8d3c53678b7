#ifndef EXAMPLES_ADAPTERS_REDIS_LOCATION_STORE_H_
#define EXAMPLES_ADAPTERS_REDIS_LOCATION_STORE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/adapters/redis_client.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/location_store.h"

namespace adapters {

/// A location store on Redis servers, each of which holds a share of the users (`HomeShard`).
///
///   auto store = RedisLocationStore::Create({"10.0.0.1:6379", "10.0.0.2:6379"}).value();
///   store->Write(accepted, absl::Minutes(10), [](absl::Status status) { ... });
///
/// A location is a string of 36 bytes under a key of the prefix and 8 bytes, which expires when the
/// time to live has passed on the server: no clocks are compared. (Those of 32 bytes, which say
/// nothing of speed, are read as well; nodes of a version that writes them take the longer ones for
/// none.) Of a batch that several servers
/// share, some locations may be written and others not.
/// With another list of servers, most users are elsewhere: what was held is forgotten, which a
/// location store may do, and expires.
///
/// Thread-safe. A server that is full (`maxmemory`, with a policy that evicts nothing) is
/// `ResourceExhausted`. One that cannot be reached, or has too much to do, is `Unavailable`.
/// Ownership: owns a connection to each server, and a thread for it. Destroying the store drops
/// what is under way, uncalled.
/// Cost: on the server, two commands for each location of a write, within a script. About 110 bytes
/// a user.
class RedisLocationStore : public nearby::LocationStore {
 public:
  struct Options {
    /// Begins the keys' names. Nodes of one service must agree on it.
    std::string key_prefix = "nearby:l:";
    /// Users that one command is about: it keeps the server busy for about a microsecond each.
    std::size_t max_users_per_command = 512;
    /// Calls under way and their bytes, of each server, among others.
    RedisClient::Options client;
  };

  /// `InvalidArgument`: no server, or one that is not of the form "host:port". Connects later, when
  /// there is something to say.
  static absl::StatusOr<std::unique_ptr<RedisLocationStore>> Create(
      absl::Span<const std::string> servers) {
    return Create(servers, Options());
  }
  static absl::StatusOr<std::unique_ptr<RedisLocationStore>> Create(
      absl::Span<const std::string> servers, const Options& options);

  void Write(absl::Span<const nearby::AcceptedLocation> locations, absl::Duration ttl,
             Done done) override;
  void Read(absl::Span<const nearby::UserId> users, ReadDone done) override;
  void Erase(absl::Span<const Erasure> erasures, Done done) override;

 private:
  // Those of a call that go into one command, by their indices.
  struct Part {
    std::size_t server = 0;
    std::vector<std::size_t> indices;
  };

  explicit RedisLocationStore(const Options& options) : options_(options) {}
  template <typename UserAt>
  std::vector<Part> Divide(std::size_t count, UserAt user_at) const;
  std::string Key(nearby::UserId user) const;

  const Options options_;
  std::vector<std::unique_ptr<RedisClient>> clients_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_LOCATION_STORE_H_
