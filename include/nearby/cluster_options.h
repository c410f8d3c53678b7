#ifndef NEARBY_CLUSTER_OPTIONS_H_
#define NEARBY_CLUSTER_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// What a node is told once about its place among others. Every limit is finite.
struct NEARBY_API ClusterOptions {
  // Behaviour.

  /// This node: no other that runs at the same time may have the same. Nodes that come and go may
  /// have each other's.
  NodeId node{};
  /// How long the directory counts on this node after it was last heard of. Whoever fences a change
  /// waits that long for a node that has died; a node that cannot renew its lease for as long lets
  /// go of its sessions.
  absl::Duration lease_duration = absl::Seconds(10);
  /// A node tells its clients nothing in the last part of its lease, so that clocks that run
  /// differently, and a thread that sleeps between looking at the clock and telling, do no harm.
  absl::Duration lease_margin = absl::Seconds(2);
  /// Where a user elsewhere has not been heard of for this long, the directory is asked whether
  /// they are still there, and the location store where. A little more than the time between two
  /// reports: it is how long the loss of a message may go unnoticed.
  absl::Duration probe_interval = absl::Seconds(45);
  /// The longest time for which the channel of a user who is too far from everybody here is left
  /// alone. Their own node tells at once if they go faster than was believed; where it does not
  /// know (its skip_far_pairs is off, or its version older), it is noticed within this time.
  absl::Duration max_park = absl::Minutes(5);
  /// A channel's former owner is listened to for this long after the new one has been subscribed
  /// to, for nodes that learn of the ring later.
  absl::Duration ring_settle = absl::Minutes(1);
  /// A call of the transport, the directory or the location store that has not been answered by
  /// then counts as failed.
  absl::Duration call_timeout = absl::Seconds(5);
  /// What failed is tried again after this long, and after twice as long each time after that, up
  /// to the maximum; each with up to a half more.
  absl::Duration min_retry_delay = absl::Milliseconds(100);
  absl::Duration max_retry_delay = absl::Seconds(5);

  // Limits, for each shard.

  /// Subscriptions that are made anew in any one second: after a change of the ring, when a link
  /// was lost, or when a server had failed, whether it is only tried or is back. A tenth of them
  /// may come at once; over a long time it is nine tenths of it.
  double max_resubscribes_per_second = 5000;
  /// Subscriptions that have not been answered.
  std::size_t max_subscribes_in_flight = 1024;
  /// Users about whom the directory, or the location store, is still to be asked. Past it the
  /// friend list that would have had more asked for is loaded again later. Also users whose
  /// sessions are still to be entered in the directory, or taken out: past it a connect fails with
  /// `ResourceExhausted`.
  std::size_t max_queries = std::size_t{1} << 20;
  /// Users in one call of the directory or the location store; at most 4096.
  std::size_t max_query_batch = 1024;
  /// Users elsewhere whom a client here may see, some 550 bytes each. Past it no more are made
  /// known here: their friends here do not see them, until they connect anew or a list is loaded
  /// again.
  std::size_t max_guests = std::size_t{1} << 23;

  // Limits, for the node.

  /// Events waiting to be acknowledged by one other node. Past it those that can be made up for are
  /// dropped, and of those that cannot, but for changes and answers to them, one waits for each
  /// user.
  std::size_t max_unacknowledged = std::size_t{1} << 16;
  /// Changes of friendships made here that are not known to be in force on all other nodes yet,
  /// whether or not somebody still waits for them. Past it an edit fails with `ResourceExhausted`
  /// before anything is changed; those that have begun by then, RuntimeOptions::max_edits_in_flight
  /// at most, are put in force all the same.
  std::size_t max_fences = std::size_t{1} << 16;

  /// Ok, or `InvalidArgument` naming the option and its range.
  absl::Status Validate() const;
};

}  // namespace nearby

#endif  // NEARBY_CLUSTER_OPTIONS_H_
