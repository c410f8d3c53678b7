#ifndef EXAMPLES_ECHO_SERVER_SERVER_STATS_H_
#define EXAMPLES_ECHO_SERVER_SERVER_STATS_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "nearby/metrics_sink.h"

namespace echo_server {

/// What the server itself counts; the runtime has counts of its own.
///
/// Thread-safe: each number by itself.
struct ServerStats {
  /// Relaxed: nobody draws conclusions from two of them.
  class Count {
   public:
    void Add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    void Subtract() { value_.fetch_sub(1, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };

  // Now.
  Count websockets;

  // Since the start.
  Count connections_accepted;
  Count connections_refused;  ///< Beyond --max-connections.
  Count accept_errors;
  Count requests_succeeded;  ///< HTTP, by the class of the status.
  Count requests_refused;
  Count requests_failed;
  Count upgrades;
  Count binary_frames_received;
  Count text_frames_received;
  Count binary_frames_sent;
  Count text_frames_sent;
  Count bytes_sent;  ///< In frames.
  Count frames_malformed;
  Count frames_throttled;
  Count errors_sent;
  Count closed_by_client;
  Count closed_by_policy;  ///< A token that expired, malformed frames, no init, too slow.
  Count closed_for_replacement;
  Count closed_for_lost_node;
  Count closed_for_restart;

  void AppendMetrics(std::vector<nearby::Metric>* metrics) const;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SERVER_STATS_H_
