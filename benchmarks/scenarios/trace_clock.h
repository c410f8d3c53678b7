#ifndef BENCHMARKS_SCENARIOS_TRACE_CLOCK_H_
#define BENCHMARKS_SCENARIOS_TRACE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "benchmarks/scenarios/pace.h"
#include "nearby/clock.h"
#include "nearby/time.h"

namespace scenarios {

/// The trace's time, for a runtime: set by hand, or running with a pace at which the trace's
/// reports are due, which may be faster or slower than life.
///
/// Thread-safe once it runs. Borrows the pace.
class TraceClock : public nearby::Clock {
 public:
  void Set(nearby::Time now) { set_ms_.store(now.ms, std::memory_order_relaxed); }

  /// From what was set last. Call it before the pace starts, when no other thread reads.
  void RunWith(const Pace* pace, double trace_seconds_per_second) {
    pace_ = pace;
    ms_per_ns_ = trace_seconds_per_second / 1e6;
  }

  /// Stays where it is.
  void Stop() {
    Set(Now());
    pace_ = nullptr;
  }

  nearby::Time Now() const override {
    const std::int64_t set_ms = set_ms_.load(std::memory_order_relaxed);
    if (pace_ == nullptr) return {set_ms};
    const double passed_ms = static_cast<double>(pace_->ElapsedNs()) * ms_per_ns_;
    return {set_ms + static_cast<std::int64_t>(passed_ms)};
  }

 private:
  std::atomic<std::int64_t> set_ms_{0};
  const Pace* pace_ = nullptr;
  double ms_per_ns_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_TRACE_CLOCK_H_
