#ifndef NEARBY_SESSION_DIRECTORY_H_
#define NEARBY_SESSION_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// One life of a node: from its BeginLease until the lease is ended or runs out.
struct NodeLease {
  NodeId node{};
  Epoch life{};

  friend bool operator==(const NodeLease& a, const NodeLease& b) {
    return a.node == b.node && a.life == b.life;
  }
  friend bool operator!=(const NodeLease& a, const NodeLease& b) { return !(a == b); }
  /// By node, and then by life.
  friend bool operator<(const NodeLease& a, const NodeLease& b) {
    return a.node != b.node ? a.node < b.node : a.life < b.life;
  }
};

/// A session, by the node that may tell the user's client something.
struct SessionHolder {
  NodeLease lease;
  Epoch epoch{};

  friend bool operator==(const SessionHolder& a, const SessionHolder& b) {
    return a.lease == b.lease && a.epoch == b.epoch;
  }
  friend bool operator!=(const SessionHolder& a, const SessionHolder& b) { return !(a == b); }
};

/// Which nodes hold a session of which user: what several nodes agree by. A store in which writes
/// wait for each other, such as Redis with scripts or etcd. `InMemorySessionDirectory` is the
/// embedded default.
///
/// A node holds one lease, which it renews, and its sessions live no longer than that: so only
/// connects and disconnects are written. A user normally has one holder. There are more while a
/// client moves: the old node holds the old session until it has let go of it, and until then may
/// still tell the old client something.
///
/// Contract:
///   1. Completion: each call calls its `done` exactly once, before it returns or later, on any
///      thread, and throws nothing.
///   2. Blocking: no call blocks on I/O. One for which too much waits already completes
///      `Unavailable`.
///   3. Thread safety: calls come from several threads at once, and from within a `done`.
///   4. Lifespan: the directory outlives the node that uses it. A `done` may be destroyed uncalled
///      only when the directory itself is destroyed; calling it after the node is gone is harmless.
///      Spans are valid during the call alone.
///   5. Linearizability: a call takes effect at one instant between its beginning and its `done`
///      (a batch: each user at an instant of its own), and whatever begins after the `done` sees
///      it. A call that failed with DeadlineExceeded, Unavailable or Unknown may have taken effect,
///      and the caller may repeat it.
///   6. Leases: BeginLease gives the node a life with a higher epoch than all it had before; those
///      run on until they end of themselves. A lease ends when EndLease says so, or as soon as
///      `duration` has passed since the last BeginLease or RenewLease that took effect, by the
///      directory's clock, which need not be the nodes', but must run as fast. RenewLease of one
///      that has ended is `NotFound` and does not bring it back.
///   7. Claim adds the lease's node to the user's holders, in place of an earlier session on that
///      same lease, with a higher epoch than any that the user was ever given, and answers with the
///      other holders. Under a lease that has ended: `FailedPrecondition`, and nothing is added.
///   8. Release removes a holder if it is there exactly so; otherwise it does nothing and completes
///      Ok.
///   9. Lookup and Claim answer one element for each user asked for, in that order; holders in
///      ascending order of epoch. Holders whose lease has ended are not among them.
///   10. FindEnded answers which of the given leases have ended. One never heard of has.
///   11. Users with more than `max_holders()` holders: Claim fails for the batch with
///      `ResourceExhausted` before it has added any. At least 4. Nothing else is
///      `ResourceExhausted` but a directory that has no room for more users or leases.
///   12. Claim, Release and Lookup of more than kMaxBatch users: `InvalidArgument`, and nothing is
///      done.
class NEARBY_API SessionDirectory {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  /// A session that has begun.
  struct Claimed {
    Epoch epoch{};
    std::vector<SessionHolder> others;
  };

  using LeaseDone = absl::AnyInvocable<void(absl::StatusOr<Epoch>)>;
  using ClaimDone = absl::AnyInvocable<void(absl::StatusOr<std::vector<Claimed>>)>;
  using LookupDone =
      absl::AnyInvocable<void(absl::StatusOr<std::vector<std::vector<SessionHolder>>>)>;
  using EndedDone = absl::AnyInvocable<void(absl::StatusOr<std::vector<NodeLease>>)>;

  /// A session that is to be let go of.
  struct Session {
    UserId user{};
    Epoch epoch{};
  };

  /// Users in one call.
  static constexpr std::size_t kMaxBatch = 4096;

  virtual ~SessionDirectory() = default;

  /// `InvalidArgument` for a duration that is not positive.
  virtual void BeginLease(NodeId node, absl::Duration duration, LeaseDone done) = 0;
  virtual void RenewLease(const NodeLease& lease, absl::Duration duration, Done done) = 0;
  /// Ends all its sessions with it. Ok as well if it has ended before.
  virtual void EndLease(const NodeLease& lease, Done done) = 0;

  /// A user may occur once in a batch.
  virtual void Claim(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done) = 0;
  virtual void Release(const NodeLease& lease, absl::Span<const Session> sessions, Done done) = 0;
  virtual void Lookup(absl::Span<const UserId> users, LookupDone done) = 0;
  virtual void FindEnded(absl::Span<const NodeLease> leases, EndedDone done) = 0;

  virtual std::size_t max_holders() const = 0;
};

}  // namespace nearby

#endif  // NEARBY_SESSION_DIRECTORY_H_
