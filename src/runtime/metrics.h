#ifndef NEARBY_SRC_RUNTIME_METRICS_H_
#define NEARBY_SRC_RUNTIME_METRICS_H_

#include "nearby/metrics_sink.h"
#include "nearby/runtime_stats.h"

namespace nearby::internal {

void ExportMetrics(const RuntimeStats& stats, MetricsSink* sink);

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_METRICS_H_
