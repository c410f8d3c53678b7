#ifndef NEARBY_CLUSTER_STATS_H_
#define NEARBY_CLUSTER_STATS_H_

#include <cstdint>

#include "nearby/export.h"

namespace nearby {

/// What a cluster has done and has under way. Counts only grow; the others are as of the last poll.
struct NEARBY_API ClusterStats {
  // Users elsewhere.
  std::uint64_t guests = 0;          ///< known here because a client may see them
  std::uint64_t guests_parked = 0;   ///< of these, not listened to: as a rule too far away
  std::uint64_t probes = 0;          ///< guests asked about because they were silent
  std::uint64_t guests_lost = 0;     ///< found gone by asking, not by being told
  std::uint64_t guests_refused = 0;  ///< announcements of users past max_guests

  // Channels.
  std::uint64_t channels = 0;            ///< subscribed to, or about to be
  std::uint64_t channels_live = 0;       ///< of these, acknowledged by the present owner
  std::uint64_t subscribes = 0;          ///< calls
  std::uint64_t resubscribes = 0;        ///< of these, at the pace of max_resubscribes_per_second
  std::uint64_t unsubscribes = 0;        ///< calls
  std::uint64_t subscribe_failures = 0;  ///< calls that failed or were not answered
  std::uint64_t links_lost = 0;
  std::uint64_t ring_changes = 0;
  std::uint64_t channels_to_move = 0;  ///< that the ring has moved, and that wait for their turn

  // Messages.
  std::uint64_t locations_published = 0;
  std::uint64_t jumps = 0;  ///< of these, farther from the one before than was believed possible
  std::uint64_t publish_failures = 0;
  std::uint64_t batches_received = 0;
  std::uint64_t batches_malformed = 0;
  std::uint64_t batches_repeated = 0;  ///< late or doubled
  std::uint64_t batches_unwanted = 0;  ///< of users who are not known here any more
  std::uint64_t batches_dropped = 0;   ///< because the shard was behind

  // Letters between two nodes.
  std::uint64_t letters_sent = 0;      ///< events
  std::uint64_t letters_resent = 0;    ///< batches
  std::uint64_t letters_received = 0;  ///< events, each once
  std::uint64_t letters_returned = 0;  ///< events to nodes that have died
  std::uint64_t letters_refused = 0;   ///< events past max_unacknowledged

  // The directory and the location store.
  std::uint64_t claims = 0;
  std::uint64_t claims_failed = 0;   ///< among them those past max_queries
  std::uint64_t lookups = 0;         ///< users
  std::uint64_t reads = 0;           ///< users
  std::uint64_t query_failures = 0;  ///< calls that failed or were not answered
  std::uint64_t queries_refused = 0;
  std::uint64_t leases = 0;          ///< begun
  std::uint64_t leases_lost = 0;     ///< with all sessions
  std::uint64_t fences = 0;          ///< changes that other nodes were asked to put in force
  std::uint64_t fences_open = 0;     ///< changes not known to be in force on all nodes yet
  std::uint64_t fences_refused = 0;  ///< edits refused past max_fences

  ClusterStats& operator+=(const ClusterStats& other);
};

}  // namespace nearby

#endif  // NEARBY_CLUSTER_STATS_H_
