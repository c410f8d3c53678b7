#ifndef EXAMPLES_ECHO_SERVER_CLUSTER_METRICS_H_
#define EXAMPLES_ECHO_SERVER_CLUSTER_METRICS_H_

#include <vector>

#include "nearby/cluster_stats.h"
#include "nearby/metrics_sink.h"

namespace echo_server {

/// Appends what an operator watches of a node among others (docs/operations.md).
void AppendMetrics(const nearby::ClusterStats& stats, std::vector<nearby::Metric>* metrics);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CLUSTER_METRICS_H_
