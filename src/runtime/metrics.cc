#include "src/runtime/metrics.h"

#include <vector>

#include "nearby/effects.h"
#include "nearby/metrics_sink.h"
#include "nearby/runtime_stats.h"
#include "nearby/stats.h"
#include "src/runtime/stats_fields.h"

namespace nearby::internal {
namespace {

template <typename Stats>
Metric ToMetric(const StatsField<Stats>& field, const Stats& stats) {
  return {field.name, field.help, field.kind, field.label, field.label_value, stats.*field.member};
}

constexpr LeaveReason kReasons[] = {LeaveReason::kRange,        LeaveReason::kExpired,
                                    LeaveReason::kOffline,      LeaveReason::kUnfriended,
                                    LeaveReason::kUnsubscribed, LeaveReason::kHidden};

}  // namespace

void ExportMetrics(const RuntimeStats& stats, MetricsSink* sink) {
  std::vector<Metric> metrics;
  for (const auto& field : kRuntimeFields) metrics.push_back(ToMetric(field, stats));
  for (const auto& field : kEngineFields) metrics.push_back(ToMetric(field, stats.engine));
  for (const LeaveReason reason : kReasons) {
    metrics.push_back({"nearby_leaves_total", "Friends that went out of sight, by the true reason.",
                       Metric::Kind::kCounter, "reason", ToString(reason),
                       stats.engine.leaves_for(reason)});
  }
  sink->Export(metrics);
}

}  // namespace nearby::internal
