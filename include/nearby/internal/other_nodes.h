#ifndef NEARBY_INTERNAL_OTHER_NODES_H_
#define NEARBY_INTERNAL_OTHER_NODES_H_

#include <cstdint>
#include <functional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"

// Not for hosts: the seam between a Runtime and a Cluster, which know no more of each other than
// this. (It lies between two libraries, so it cannot be hidden with what is internal to one.)

namespace nearby {

/// What one shard of a runtime asks of the other nodes. All calls come from the thread that polls
/// the shard; so do all that it makes of its services, but for those that say otherwise.
class NEARBY_API NodeGateway {
 public:
  using ClaimDone = absl::AnyInvocable<void(absl::StatusOr<Epoch>)>;

  /// What the shard does for it. None of these calls the gateway back before it returns.
  struct Services {
    /// A message from elsewhere for the engine of shard `to`.
    std::function<void(const PeerMessage& message)> deliver;
    /// Ends a session that this node must not hold any more, if it is as old as that or older.
    std::function<void(UserId user, Epoch session, bool is_taken)> end_session;
    /// Loads the friend list again of a user who is connected here.
    std::function<void(UserId user)> reload;
    /// Whether a client of this shard sees the user.
    std::function<bool(UserId user)> is_seen;
  };

  virtual ~NodeGateway() = default;

  /// At the beginning of each poll, and whenever time has passed in it. `steady_ms` is of a clock
  /// that nobody puts back.
  virtual void Advance(Time now, std::int64_t steady_ms) = 0;
  /// A message of an engine to elsewhere, about a user who is at home on this shard.
  virtual void Take(const PeerMessage& message) = 0;
  /// Names this node as holder of a session of the user's. Answers later, from within a task; or at
  /// once, with `ResourceExhausted`, if too many sessions wait for the directory already.
  virtual void Claim(UserId user, Time deadline, ClaimDone done) = 0;
  /// The session is about to begin in the engine.
  virtual void Begin(UserId user, Epoch session) = 0;
  /// The session is over, or has never begun.
  virtual void End(UserId user, Epoch session) = 0;
  /// A client's location was accepted: fills in its session.
  virtual void Located(AcceptedLocation* location) = 0;
  /// At the end of each poll, and of each batch in it.
  virtual void Flush() = 0;
  /// Whether clients may be told anything: whether the node holds its lease.
  virtual bool may_deliver() const = 0;
  virtual Time next_event() const = 0;
};

/// What a runtime asks of the other nodes as a whole.
class NEARBY_API OtherNodes {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Task = absl::AnyInvocable<void()>;

  /// What the runtime does for it, on any thread.
  struct Services {
    /// Runs the task in the shard's next poll.
    std::function<void(ShardId shard, Task task)> post;
    /// Whether so much waits for the shard already that what can be lost should be.
    std::function<bool(ShardId shard)> is_behind;
    /// Of the clock of NodeGateway::Advance, now.
    std::function<std::int64_t()> steady_ms;
    /// Puts a change in force on this node.
    std::function<void(const FriendshipChange& change, Done done)> apply;
  };

  virtual ~OtherNodes() = default;

  /// Before anything else. `options` are those of every shard, but for `shard`.
  virtual void Attach(const EngineOptions& options, Services services) = 0;
  /// Once for each shard.
  virtual NodeGateway* MakeGateway(ShardId shard, NodeGateway::Services services) = 0;
  /// The runtime is about to go: after this has returned, no service is used any more. Nobody polls
  /// during it or later, so other nodes need not wait for this one.
  virtual void Detach() = 0;

  /// Whether another change may be made: `ResourceExhausted` if too many are not known to be in
  /// force elsewhere yet. What has been begun may be fenced all the same. Any thread.
  virtual absl::Status MayFence() = 0;
  /// Has a change that the store has committed put in force wherever else the two are connected.
  /// Completes on a thread that polls, once nobody else can hand over what it forbids. May be
  /// called on any thread.
  virtual void Fence(const FriendshipChange& change, Done done) = 0;
  /// Has the friend lists of a user loaded again wherever else they are connected. Any thread.
  virtual void Reload(UserId user) = 0;
  /// No session is left on any shard, and none will begin: has other nodes wait for this one no
  /// longer. Edits may still be fenced. Completes with Ok, on a thread that polls, when that is so,
  /// or will be without this node. May be called on any thread, and again.
  virtual void Retire(Done done) = 0;
};

}  // namespace nearby

#endif  // NEARBY_INTERNAL_OTHER_NODES_H_
