#include "nearby/cluster_stats.h"

namespace nearby {

ClusterStats& ClusterStats::operator+=(const ClusterStats& other) {
  using Field = std::uint64_t ClusterStats::*;
  static constexpr Field kFields[] = {
      &ClusterStats::guests,
      &ClusterStats::guests_parked,
      &ClusterStats::probes,
      &ClusterStats::guests_lost,
      &ClusterStats::guests_refused,
      &ClusterStats::channels,
      &ClusterStats::channels_live,
      &ClusterStats::subscribes,
      &ClusterStats::resubscribes,
      &ClusterStats::unsubscribes,
      &ClusterStats::subscribe_failures,
      &ClusterStats::links_lost,
      &ClusterStats::ring_changes,
      &ClusterStats::channels_to_move,
      &ClusterStats::locations_published,
      &ClusterStats::jumps,
      &ClusterStats::publish_failures,
      &ClusterStats::batches_received,
      &ClusterStats::batches_malformed,
      &ClusterStats::batches_repeated,
      &ClusterStats::batches_unwanted,
      &ClusterStats::batches_dropped,
      &ClusterStats::letters_sent,
      &ClusterStats::letters_resent,
      &ClusterStats::letters_received,
      &ClusterStats::letters_returned,
      &ClusterStats::letters_refused,
      &ClusterStats::claims,
      &ClusterStats::claims_failed,
      &ClusterStats::lookups,
      &ClusterStats::reads,
      &ClusterStats::query_failures,
      &ClusterStats::queries_refused,
      &ClusterStats::leases,
      &ClusterStats::leases_lost,
      &ClusterStats::fences,
      &ClusterStats::fences_open,
      &ClusterStats::fences_refused,
  };
  static_assert(sizeof(kFields) / sizeof(kFields[0]) * sizeof(std::uint64_t) ==
                sizeof(ClusterStats));
  for (const Field field : kFields) this->*field += other.*field;
  return *this;
}

}  // namespace nearby
