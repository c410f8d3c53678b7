#ifndef EXAMPLES_ADAPTERS_REDIS_SESSION_DIRECTORY_H_
#define EXAMPLES_ADAPTERS_REDIS_SESSION_DIRECTORY_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/adapters/redis_client.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"

namespace adapters {

/// A session directory on one Redis server, where each call is a script and so takes effect at one
/// instant.
///
///   auto directory = RedisSessionDirectory::Create("10.0.0.1:6379").value();
///   directory->BeginLease(node, absl::Seconds(10), [](absl::StatusOr<Epoch> life) { ... });
///
/// One server means: one core does all that the nodes ask for, some hundred thousand users' claims
/// a second in batches, and a fourth of it one by one, for each call brings its script; while it
/// cannot be reached, nobody can connect; and what it forgets is forgotten. If it restarts with
/// nothing in its memory, all leases have ended (`NotFound`), nodes begin new ones and claim again,
/// and epochs go on above those of before, for they begin at the server's clock, in microseconds.
/// If it restarts with old memory (a snapshot, or a replica that lagged), epochs and holders of
/// before come back: run it with `appendonly yes` and `appendfsync always`, or with nothing at all
/// (`save ""`). It must evict nothing (`maxmemory-policy noeviction`). Leases run by its clock,
/// which must not be set by leaps.
///
/// Thread-safe. `Unavailable` if the server cannot be reached or has too much to do.
/// Ownership: owns a connection and a thread. Destroying the directory drops what is under way,
/// uncalled.
/// Cost: on the server, some 3 commands for each user of a claim or release, 1 of a look-up, within
/// a script; about 250 bytes for each session. Holders whose lease has ended go when
/// their user is next claimed, and each call that changes something removes a few more.
class RedisSessionDirectory : public nearby::SessionDirectory {
 public:
  struct Options {
    /// Begins the keys' names. Nodes of one service must agree on it.
    std::string key_prefix = "nearby:s:";
    /// A user's sessions at once, on different leases. At least 4.
    std::size_t max_holders = 8;
    /// Leases that have not ended; further ones fail with `ResourceExhausted`.
    std::size_t max_leases = std::size_t{1} << 16;
    /// Users or leases that one command asks about: the server answers nothing else meanwhile. A
    /// claim is one command, however large.
    std::size_t max_lookups_per_command = 512;
    /// Calls under way and their bytes, among others.
    RedisClient::Options client;
  };

  /// `InvalidArgument`: not of the form "host:port". Connects later, when there is something to
  /// say.
  static absl::StatusOr<std::unique_ptr<RedisSessionDirectory>> Create(absl::string_view server) {
    return Create(server, Options());
  }
  static absl::StatusOr<std::unique_ptr<RedisSessionDirectory>> Create(absl::string_view server,
                                                                       const Options& options);

  void BeginLease(nearby::NodeId node, absl::Duration duration, LeaseDone done) override;
  void RenewLease(const nearby::NodeLease& lease, absl::Duration duration, Done done) override;
  void EndLease(const nearby::NodeLease& lease, Done done) override;
  void Claim(const nearby::NodeLease& lease, absl::Span<const nearby::UserId> users,
             ClaimDone done) override;
  void Release(const nearby::NodeLease& lease, absl::Span<const Session> sessions,
               Done done) override;
  void Lookup(absl::Span<const nearby::UserId> users, LookupDone done) override;
  void FindEnded(absl::Span<const nearby::NodeLease> leases, EndedDone done) override;
  std::size_t max_holders() const override { return options_.max_holders; }

 private:
  RedisSessionDirectory(RedisAddress address, const Options& options)
      : options_(options), client_(std::move(address), options.client) {}

  const Options options_;
  RedisClient client_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_SESSION_DIRECTORY_H_
