#ifndef NEARBY_RUNTIME_OPTIONS_H_
#define NEARBY_RUNTIME_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/export.h"
#include "nearby/options.h"

namespace nearby {

/// What a runtime is told once, when it is made. Every limit is finite.
struct NEARBY_API RuntimeOptions {
  // Behaviour.

  /// For each shard; `shard`, `shard_count` and `emit_locations` are filled in.
  EngineOptions engine;
  /// Engines, each with a mailbox of its own; at most 64. One for each core that the host gives. A
  /// user is at home on one of them for good.
  std::uint32_t shards = 1;
  /// A connect whose friends have not been loaded by then fails with `DeadlineExceeded`. Whatever
  /// else a store has not answered by then counts as failed with it: an edit is of open outcome.
  absl::Duration load_timeout = absl::Seconds(10);
  /// Storage that failed is tried again after this long, and after twice as long each time after
  /// that, up to the maximum; each with up to a half more, so that shards do not keep step.
  absl::Duration min_retry_delay = absl::Milliseconds(100);
  absl::Duration max_retry_delay = absl::Seconds(10);
  /// With a cluster: each client's friend list is loaded again about this often, at an even pace,
  /// in case the store was changed and nobody said so, as when a node dies in between; and what it
  /// takes away is taken away (see Engine::Recheck). Infinite: never.
  absl::Duration list_refresh_interval = absl::Hours(1);
  /// While draining: clients asked to move in one second, over all shards, and the time over which
  /// they are asked to spread their next connect.
  double drain_clients_per_second = 1000;
  absl::Duration drain_spread = absl::Seconds(5);
  /// Statistics go to the metrics sink this often.
  absl::Duration metrics_interval = absl::Seconds(10);

  // Limits, for each shard where not said otherwise. Past them, calls fail with
  // `ResourceExhausted`, unless another consequence is named.

  /// Reports waiting for the shard.
  std::size_t max_queued_reports = 1u << 16;
  /// Calls waiting for the shard: connects, radii, pages. They have room of their own, so that
  /// reports cannot crowd them out; disconnects and what takes sight away are never refused.
  std::size_t max_queued_calls = 1u << 14;
  /// Messages of other shards waiting for the shard. Past it locations are dropped (the next one
  /// heals it), and the other shards take no further friend lists until it has caught up.
  std::size_t max_queued_messages = 1u << 16;
  /// Friend lists being loaded. Further connects wait among the queued calls.
  std::size_t max_loads_in_flight = 1024;
  /// Edits of friendships under way, over all shards.
  std::size_t max_edits_in_flight = 1u << 14;
  /// Events waiting for one client that is busy. Past it they give way to one resync.
  std::size_t max_pending_events = 256;
  /// Locations waiting for a slow location store, and for a slow history. Past it the newest of
  /// each are dropped and counted; the location store holds one for each user.
  std::size_t max_unstored_locations = 1u << 16;

  // Performance.

  /// Reports that one engine takes between two looks at the clock and deliveries to clients: larger
  /// is cheaper for each report, smaller is quicker for the first. Calls wait for all the reports
  /// that were there before them, a microsecond or so each.
  std::size_t max_batch = 512;

  /// Ok, or `InvalidArgument` naming the option and its range.
  absl::Status Validate() const;
};

}  // namespace nearby

#endif  // NEARBY_RUNTIME_OPTIONS_H_
