#include "examples/echo_server/cluster_metrics.h"

#include <cstdint>

#include "absl/strings/string_view.h"

namespace echo_server {
namespace {

using nearby::ClusterStats;
using nearby::Metric;

struct Row {
  std::uint64_t ClusterStats::*member;
  absl::string_view name;
  absl::string_view help;
  Metric::Kind kind = Metric::Kind::kCounter;
};

constexpr Metric::Kind kGauge = Metric::Kind::kGauge;

constexpr Row kRows[] = {
    {&ClusterStats::guests, "nearby_cluster_guests", "Users elsewhere whom a client may see.",
     kGauge},
    {&ClusterStats::guests_parked, "nearby_cluster_guests_parked",
     "Of these, too far from everybody here to listen to.", kGauge},
    {&ClusterStats::probes, "nearby_cluster_probes_total",
     "Guests asked about because they were silent."},
    {&ClusterStats::guests_lost, "nearby_cluster_guests_lost_total",
     "Guests found gone by asking, not by being told."},
    {&ClusterStats::channels, "nearby_cluster_channels", "Channels to listen to.", kGauge},
    {&ClusterStats::channels_live, "nearby_cluster_channels_live",
     "Of these, acknowledged by the present owner.", kGauge},
    {&ClusterStats::channels_to_move, "nearby_cluster_channels_to_move",
     "Channels that the ring has moved and that wait for their turn.", kGauge},
    {&ClusterStats::ring_changes, "nearby_cluster_ring_changes_total", "Rings heard of."},
    {&ClusterStats::links_lost, "nearby_cluster_links_lost_total", "Links that broke."},
    {&ClusterStats::subscribe_failures, "nearby_cluster_subscribe_failures_total",
     "Subscribes that failed or were not answered."},
    {&ClusterStats::locations_published, "nearby_cluster_locations_published_total",
     "Locations published."},
    {&ClusterStats::jumps, "nearby_cluster_jumps_total",
     "Of these, farther from the one before than was believed possible."},
    {&ClusterStats::publish_failures, "nearby_cluster_publish_failures_total",
     "Publishes that failed."},
    {&ClusterStats::batches_received, "nearby_cluster_batches_received_total",
     "Messages of other nodes."},
    {&ClusterStats::batches_dropped, "nearby_cluster_batches_dropped_total",
     "Of these, dropped because a shard was behind."},
    {&ClusterStats::letters_refused, "nearby_cluster_letters_refused_total",
     "Events for other nodes past the limit."},
    {&ClusterStats::claims_failed, "nearby_cluster_claims_failed_total",
     "Sessions that the directory did not take."},
    {&ClusterStats::query_failures, "nearby_cluster_query_failures_total",
     "Questions to the directory or the location store that failed or were not answered."},
    {&ClusterStats::leases, "nearby_cluster_leases_total", "Leases begun."},
    {&ClusterStats::leases_lost, "nearby_cluster_leases_lost_total",
     "Leases lost, with all sessions."},
    {&ClusterStats::fences_open, "nearby_cluster_fences_open",
     "Changes of friendships that other nodes have not put in force yet.", kGauge},
    {&ClusterStats::fences_refused, "nearby_cluster_fences_refused_total",
     "Edits refused because too many of these were open."},
    {&ClusterStats::guests_refused, "nearby_cluster_guests_refused_total",
     "Announcements of users elsewhere past the limit of guests."},
    {&ClusterStats::queries_refused, "nearby_cluster_queries_refused_total",
     "Questions to the directory or the location store past the limit."},
};

}  // namespace

void AppendMetrics(const ClusterStats& stats, std::vector<Metric>* metrics) {
  for (const Row& row : kRows) {
    metrics->push_back({row.name, row.help, row.kind, "", "", stats.*row.member});
  }
}

}  // namespace echo_server
