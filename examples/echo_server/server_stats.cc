#include "examples/echo_server/server_stats.h"

namespace echo_server {

using nearby::Metric;

void ServerStats::AppendMetrics(std::vector<Metric>* metrics) const {
  constexpr Metric::Kind kGauge = Metric::Kind::kGauge;
  constexpr Metric::Kind kCounter = Metric::Kind::kCounter;
  struct Row {
    Metric metric;
    const Count* count;
  };
  const Row rows[] = {
      {{"nearby_server_websockets", "WebSockets that are open.", kGauge, "", ""}, &websockets},
      {{"nearby_server_connections_accepted_total", "Connections let in.", kCounter, "", ""},
       &connections_accepted},
      {{"nearby_server_connections_refused_total", "Connections beyond the limit.", kCounter, "",
        ""},
       &connections_refused},
      {{"nearby_server_accept_errors_total", "Connections that could not be accepted.", kCounter,
        "", ""},
       &accept_errors},
      {{"nearby_server_responses_total", "HTTP responses.", kCounter, "class", "2xx"},
       &requests_succeeded},
      {{"nearby_server_responses_total", "HTTP responses.", kCounter, "class", "4xx"},
       &requests_refused},
      {{"nearby_server_responses_total", "HTTP responses.", kCounter, "class", "5xx"},
       &requests_failed},
      {{"nearby_server_upgrades_total", "Requests that became WebSockets.", kCounter, "", ""},
       &upgrades},
      {{"nearby_server_frames_received_total", "Frames of clients.", kCounter, "kind", "binary"},
       &binary_frames_received},
      {{"nearby_server_frames_received_total", "Frames of clients.", kCounter, "kind", "text"},
       &text_frames_received},
      {{"nearby_server_frames_sent_total", "Frames to clients.", kCounter, "kind", "binary"},
       &binary_frames_sent},
      {{"nearby_server_frames_sent_total", "Frames to clients.", kCounter, "kind", "text"},
       &text_frames_sent},
      {{"nearby_server_sent_bytes_total", "Bytes in frames to clients.", kCounter, "", ""},
       &bytes_sent},
      {{"nearby_server_malformed_frames_total", "Frames that are no call.", kCounter, "", ""},
       &frames_malformed},
      {{"nearby_server_throttled_frames_total", "Frames beyond the limit of calls.", kCounter, "",
        ""},
       &frames_throttled},
      {{"nearby_server_errors_sent_total", "Errors sent to clients.", kCounter, "", ""},
       &errors_sent},
      {{"nearby_server_closes_total", "WebSockets closed.", kCounter, "reason", "client"},
       &closed_by_client},
      {{"nearby_server_closes_total", "WebSockets closed.", kCounter, "reason", "policy"},
       &closed_by_policy},
      {{"nearby_server_closes_total", "WebSockets closed.", kCounter, "reason", "replaced"},
       &closed_for_replacement},
      {{"nearby_server_closes_total", "WebSockets closed.", kCounter, "reason", "node_lost"},
       &closed_for_lost_node},
      {{"nearby_server_closes_total", "WebSockets closed.", kCounter, "reason", "restart"},
       &closed_for_restart},
  };
  for (const Row& row : rows) {
    metrics->push_back(row.metric);
    metrics->back().value = row.count->value();
  }
}

}  // namespace echo_server
