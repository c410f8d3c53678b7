#ifndef NEARBY_SRC_RUNTIME_RUNTIME_IMPL_H_
#define NEARBY_SRC_RUNTIME_RUNTIME_IMPL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "nearby/time.h"
#include "src/runtime/calls.h"
#include "src/runtime/edits.h"
#include "src/runtime/gate.h"
#include "src/runtime/joint.h"
#include "src/runtime/mailbox.h"
#include "src/runtime/shard.h"

namespace nearby {

// What shards share, and the way of an edit through the store and the shards. Completions of stores
// come by the gate, which outlives it: one that comes when the runtime is gone, or going, does
// nothing, and the runtime does not go while one is under way.
class Runtime::Impl {
 public:
  Impl(const RuntimeOptions& options, RuntimeHost host);

  // Makes the shards; apart from the constructor, because they need a weak pointer to this.
  absl::Status Start();
  void Shutdown();

  std::uint32_t shard_count() const { return options_.shards; }
  absl::Duration Poll(ShardId shard);
  absl::Duration PollAll();
  void Run(ShardId shard);
  void Stop();
  void Connect(const ConnectCall& call, ConnectDone done);
  void Disconnect(SessionId session);
  void Ready(SessionId session);
  absl::Status Report(const SessionReport& report);
  std::size_t ReportAll(absl::Span<const SessionReport> reports);
  void SetRadius(SessionId session, double radius_m, Done done);
  void Nearby(UserId user, PageToken after, std::size_t page_size, NearbyDone done);
  void Edit(const FriendEdit& edit, EditDone done);
  void Apply(const FriendshipChange& change, Done done);
  void Drain(Done done);
  RuntimeStats stats() const;
  absl::Status CheckInvariants() const;

 private:
  internal::Shard::Services ServicesOf(ShardId shard);
  void JoinCluster();
  // What the end of a drain completes: first the other nodes, if there are any, then `done`.
  Done AfterDrain(Done done);
  // As Apply, and on other nodes as well.
  void ApplyEverywhere(const FriendshipChange& change, Done done);
  internal::Mailbox& mailbox(ShardId shard) { return *mailboxes_[ToInt(shard)]; }
  internal::Mailbox& mailbox_of(UserId user) { return mailbox(options_.engine.HomeOf(user)); }
  bool IsShard(ShardId shard) const { return ToInt(shard) < options_.shards; }
  // Hands a call to a shard, or completes it with the reason why it can't.
  template <typename Request>
  void Post(ShardId shard, Request request);
  // A completion for a store: does `then`, unless the runtime is gone. Whoever is at it keeps
  // Shutdown waiting, and is done with this when it ends.
  template <typename Result, typename Then>
  absl::AnyInvocable<void(Result)> IfThere(Then then);
  void OnEdited(std::uint64_t number, const FriendEdit& edit,
                absl::StatusOr<FriendshipOutcome> outcome);
  void FailEdit(std::uint64_t number, const FriendEdit& edit, const absl::Status& status);
  // Has the lists of both loaded again, if they are connected.
  void ReloadLists(const FriendEdit& edit);
  void TimeOutEdits();
  Done FinishOf(std::uint64_t number);
  void FinishEdit(std::uint64_t number, const absl::Status& status);
  void ExportMetricsIfDue();

  const RuntimeOptions options_;
  const RuntimeHost host_;
  // Before the mailboxes: what is let go of with them may still ask for its edit.
  internal::Edits edits_;
  std::vector<std::unique_ptr<internal::Mailbox>> mailboxes_;
  std::vector<std::unique_ptr<internal::Shard>> shards_;
  const std::shared_ptr<internal::Gate> gate_ = std::make_shared<internal::Gate>();
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> is_shut_down_{false};
  std::atomic<bool> is_draining_{false};
  std::atomic<std::uint64_t> edits_done_{0};
  std::atomic<std::uint64_t> edits_failed_{0};
  std::atomic<std::uint64_t> edit_timeouts_{0};
  std::atomic<std::uint64_t> calls_refused_{0};

  std::mutex metrics_mutex_;
  Time next_export_{-kMaxTimeMs};
};

}  // namespace nearby

#endif  // NEARBY_SRC_RUNTIME_RUNTIME_IMPL_H_
