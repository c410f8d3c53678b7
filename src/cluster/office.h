#ifndef NEARBY_SRC_CLUSTER_OFFICE_H_
#define NEARBY_SRC_CLUSTER_OFFICE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/friendship.h"
#include "nearby/node_batch.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "src/cluster/courier.h"
#include "src/cluster/lease_state.h"
#include "src/cluster/user_queries.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// What a node does once, for all its shards: holds the lease, carries letters, and has changes of
// friendships put in force on other nodes.
//
// Thread-compatible, but for stats: belongs to the thread that polls shard 0.
class Office {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  struct Actions {
    // Answered by OnLease, OnRenewed, OnReturned, OnEnded and OnLookedUp with the number.
    std::function<void(std::uint64_t number)> begin_lease;
    std::function<void(std::uint64_t number, const NodeLease& lease)> renew_lease;
    std::function<void(std::uint64_t number, const NodeLease& lease)> end_lease;
    std::function<void(std::uint64_t number, absl::Span<const NodeLease> leases)> find_ended;
    std::function<void(std::uint64_t number, absl::Span<const UserId> users)> look_up;
    // To a node's inbox.
    std::function<void(NodeId node, absl::string_view payload)> publish;
    // All gateways are to work under this lease.
    std::function<void(const NodeLease& lease)> lease_begun;
    // A letter about one user's session, for the gateway where the user is at home.
    std::function<void(const NodeLease& from, const NodeEvent& event)> hand_out;
    // Put a change in force here, and say so by OnApplied.
    std::function<void(const NodeLease& from, std::uint64_t request,
                       const FriendshipChange& change)>
        apply;
    // Load a user's list again, if they are connected here.
    std::function<void(UserId user)> reload;
  };

  Office(const ClusterOptions& options, std::size_t max_payload, Actions actions,
         LeaseState* lease_state);

  void Advance(Time now, std::int64_t steady_ms);
  void Flush();
  Time next_event() const;

  void Send(const NodeLease& to, const NodeEvent& event);
  void Fence(const FriendshipChange& change, Done done);
  void Reload(UserId user);
  // Nobody is connected here any more, nor will be: gives the lease back once no fence of this node
  // is waited for and its letters have arrived, or have had the time that a call has. From then on
  // it has a lease only while it fences a change. Completes with Ok when the directory has ended
  // the lease, or has not answered in the time that a call has; or, where changes go on and on,
  // after the time that one may take.
  void Retire(Done done);
  // Nobody polls any more: completes what is open with Cancelled, and gives the lease back.
  void Cancel();

  void OnInbox(absl::string_view payload) { courier_.OnPayload(payload); }
  void OnLease(std::uint64_t number, const absl::StatusOr<Epoch>& life);
  void OnRenewed(std::uint64_t number, const absl::Status& status);
  void OnReturned(std::uint64_t number, const absl::Status& status);
  void OnEnded(std::uint64_t number, const absl::StatusOr<std::vector<NodeLease>>& ended);
  void OnLookedUp(std::uint64_t number,
                  absl::StatusOr<std::vector<std::vector<SessionHolder>>> answer);
  void OnApplied(const NodeLease& to, std::uint64_t request);

  // Thread-safe: whether there are fewer fences than there may be. One that there should not be is
  // begun all the same, for its change has been stored.
  bool may_fence() const { return open_fences_ < options_.max_fences; }
  ClusterStats stats() const;

 private:
  struct OpenFence {
    FriendshipChange change;
    Done done;  // null once it has been told that it takes too long
    Time deadline;
    int unknown = 2;   // of the two, whose holders have not been found
    int requests = 0;  // nodes that have not answered
    std::vector<NodeLease> asked;
  };

  using Fences = absl::btree_map<std::uint64_t, OpenFence>;

  // A node has been asked to put a fence's change in force.
  struct Request {
    std::uint64_t fence = 0;
    NodeLease to;
  };

  // Somebody about whom the directory is asked.
  struct Question {
    std::uint64_t fence = 0;  // 0: the user's list is to be loaded again
    std::uint64_t after = 0;  // an answer no newer than that is too old
  };

  // A lease that the directory has been asked to end, because nobody needs it any more.
  struct Return {
    NodeLease lease;
    std::uint64_t number;  // of the call under way, 0: none
    std::uint32_t failures;
    Time again_at;  // if there is none
    Time give_up_at;
  };

  bool has_lease() const { return lease_.life != Epoch{}; }
  // Whether anybody is connected here, or is waiting for a fence.
  bool NeedsLease() const { return !is_retired_ || NextDeadline() != kNever; }
  Time After(absl::Duration duration) const {
    return Time{now_.ms + absl::ToInt64Milliseconds(duration)};
  }
  // How long somebody waits for a fence.
  absl::Duration FenceTimeout() const {
    return 2 * options_.lease_duration + options_.call_timeout;
  }
  // Of the fences that somebody waits for. O(log) of those that are open.
  Time NextDeadline() const;
  void KeepLease();
  void LeaveLease();
  void ReturnLease();
  void AskReturn();
  void RetireIfIdle();
  void AskLater();
  // Until when clients may be told something under a lease asked for at asked_at_ms_.
  std::int64_t DeliverUntilMs() const;
  std::int64_t RenewAtMs() const {
    return asked_at_ms_ + absl::ToInt64Milliseconds(options_.lease_duration) / 4;
  }
  void Receive(const NodeLease& from, const NodeEvent& event);
  void EndRequest(std::uint64_t request);
  void EndRequestsTo(const std::vector<NodeLease>& ended);
  void OnFound(const Question& question, UserId user, const std::vector<SessionHolder>& holders);
  void BeginFencesAnew();
  // Has the directory asked where the two of a fence are connected.
  void AskWhere(std::uint64_t fence, const FriendshipChange& change);
  void AskFence(std::uint64_t number, const NodeLease& lease);
  void FinishFenceIfDone(std::uint64_t number);
  void CountFences() { open_fences_ = fences_.size(); }
  // The fence with the earliest deadline that somebody still waits for, or the end.
  Fences::const_iterator FirstAwaited() const { return fences_.lower_bound(first_awaited_); }
  Fences::iterator FirstAwaited() { return fences_.lower_bound(first_awaited_); }
  void TimeOutFences();
  void FindEndedLeases();

  const ClusterOptions& options_;
  const Actions actions_;
  LeaseState& lease_state_;
  Time now_{-kMaxTimeMs};
  std::int64_t steady_ms_ = 0;

  NodeLease lease_;
  std::uint64_t lease_number_ = 0;  // of the call under way
  bool is_asking_ = false;
  // By the steady clock.
  std::int64_t asked_at_ms_ = 0;
  std::int64_t ask_at_ms_ = std::numeric_limits<std::int64_t>::min();  // when to ask next
  std::uint32_t lease_failures_ = 0;
  Backoff backoff_;

  bool is_retired_ = false;
  std::vector<Done> retiring_;        // to be told once the lease has gone
  Time last_letters_until_ = kNever;  // for how long they keep it
  Time retire_by_ = kNever;           // when they are told at the latest
  std::optional<Return> return_;
  std::uint64_t last_return_ = 0;

  Courier courier_;
  std::uint64_t applying_ = 0;  // changes for other nodes
  std::uint64_t ended_number_ = 0;
  Time find_ended_at_ = kNever;

  std::uint64_t next_fence_ = 1;
  // In order of their deadlines, too, for all have as long. Of those before first_awaited_ it has
  // been told that they take too long; they may be many, and are passed by.
  Fences fences_;
  std::uint64_t first_awaited_ = 1;
  std::atomic<std::size_t> open_fences_{0};  // as many as there are
  std::uint64_t next_request_ = 1;
  absl::btree_map<std::uint64_t, Request> requests_;
  absl::btree_map<UserId, std::vector<Question>> questions_;
  UserQueries lookups_;

  ClusterStats counts_;
  mutable std::mutex stats_mutex_;
  ClusterStats published_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_OFFICE_H_
