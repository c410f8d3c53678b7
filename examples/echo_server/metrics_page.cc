#include "examples/echo_server/metrics_page.h"

#include "examples/echo_server/cluster_metrics.h"
#include "examples/echo_server/prometheus_text.h"

namespace echo_server {

using nearby::Metric;

void MetricsPage::Export(absl::Span<const Metric> metrics) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Names and labels are static: they may be kept.
  of_runtime_.assign(metrics.begin(), metrics.end());
}

std::string MetricsPage::Render() const {
  std::vector<Metric> metrics;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    metrics = of_runtime_;
  }
  if (cluster_ != nullptr) AppendMetrics(cluster_->stats(), &metrics);
  stats_->AppendMetrics(&metrics);
  metrics.push_back({"nearby_server_connections", "Connections that are open.",
                     Metric::Kind::kGauge, "", "", slots_->used()});
  metrics.push_back({"nearby_server_requests_under_way", "HTTP requests that are being answered.",
                     Metric::Kind::kGauge, "", "", requests_under_way_->used()});
  metrics.push_back({"nearby_server_friend_requests", "Friend requests that wait for an answer.",
                     Metric::Kind::kGauge, "", "", requests_->size()});
  return ToPrometheusText(metrics);
}

}  // namespace echo_server
