#ifndef EXAMPLES_ECHO_SERVER_METRICS_PAGE_H_
#define EXAMPLES_ECHO_SERVER_METRICS_PAGE_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "examples/echo_server/connection_slots.h"
#include "examples/echo_server/friend_requests.h"
#include "examples/echo_server/server_stats.h"
#include "nearby/cluster.h"
#include "nearby/metrics_sink.h"

namespace echo_server {

/// What /metrics shows: what the runtime exported last, and the server's own counts as of now.
///
/// Thread-safe. Borrows the counts.
class MetricsPage : public nearby::MetricsSink {
 public:
  MetricsPage(const ServerStats* stats, const FriendRequests* requests,
              const ConnectionSlots* slots, const ConnectionSlots* requests_under_way)
      : stats_(stats),
        requests_(requests),
        slots_(slots),
        requests_under_way_(requests_under_way) {}

  void Export(absl::Span<const nearby::Metric> metrics) override;

  std::string Render() const;

  /// Shows this as well. Before the first Render.
  void Add(const nearby::Cluster* cluster) { cluster_ = cluster; }

 private:
  const ServerStats* const stats_;
  const FriendRequests* const requests_;
  const ConnectionSlots* const slots_;
  const ConnectionSlots* const requests_under_way_;
  const nearby::Cluster* cluster_ = nullptr;  // null if the server is alone
  mutable std::mutex mutex_;
  std::vector<nearby::Metric> of_runtime_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_METRICS_PAGE_H_
