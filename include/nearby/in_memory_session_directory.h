#ifndef NEARBY_IN_MEMORY_SESSION_DIRECTORY_H_
#define NEARBY_IN_MEMORY_SESSION_DIRECTORY_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/clock.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"

namespace nearby {

/// A session directory in this process's memory: the embedded default, and what several nodes in
/// one test process share.
///
///   InMemorySessionDirectory directory;
///   directory.BeginLease(NodeId{1}, absl::Seconds(10), [](absl::StatusOr<Epoch> life) { ... });
///
/// Thread-safe: one lock. Every call completes before it returns.
/// Ownership: borrows the clock, which must outlive it. A clock that goes backward stands still
/// meanwhile.
/// Cost: a hash look-up for each user. Some 100 bytes a user with a session. The end of a lease
/// copies the ids of its users; their holders go as calls come, a few with each, and all that is
/// needed where a claim would otherwise find no room.
class NEARBY_API InMemorySessionDirectory : public SessionDirectory {
 public:
  struct Options {
    /// A user's sessions at once, on different leases. 4 to 64; others become the nearest of these.
    std::size_t max_holders = 8;
    /// Users with sessions. Further claims fail with `ResourceExhausted`.
    std::size_t max_users = std::size_t{1} << 26;
    /// Leases that have not ended; further ones fail with `ResourceExhausted`.
    std::size_t max_leases = std::size_t{1} << 16;
  };

  explicit InMemorySessionDirectory(const Clock* clock = SystemClock::Get());
  InMemorySessionDirectory(const Clock* clock, const Options& options);
  ~InMemorySessionDirectory() override;

  void BeginLease(NodeId node, absl::Duration duration, LeaseDone done) override;
  void RenewLease(const NodeLease& lease, absl::Duration duration, Done done) override;
  void EndLease(const NodeLease& lease, Done done) override;
  void Claim(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done) override;
  void Release(const NodeLease& lease, absl::Span<const Session> sessions, Done done) override;
  void Lookup(absl::Span<const UserId> users, LookupDone done) override;
  void FindEnded(absl::Span<const NodeLease> leases, EndedDone done) override;
  std::size_t max_holders() const override;

  /// Users held, those whose holders' leases have all ended and who have not gone yet included.
  std::size_t size() const;

 private:
  struct NEARBY_LOCAL State;
  std::unique_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_SESSION_DIRECTORY_H_
