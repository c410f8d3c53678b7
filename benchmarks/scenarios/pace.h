#ifndef BENCHMARKS_SCENARIOS_PACE_H_
#define BENCHMARKS_SCENARIOS_PACE_H_

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace scenarios {

/// What a pace goes by.
enum class PaceClock {
  kWall,    ///< What clients wait by. Counts whatever else the machine does.
  kThread,  ///< Goes on only while this thread runs: as if it had a core of its own.
};

/// An open loop: the moments at which reports are due are fixed before the first is handed over and
/// wait for nobody. Whoever is late serves what has become due meanwhile, and each of these counts
/// as late from its own moment on: a pause costs all whom it made wait, not one.
///
/// (Closed loops, which send the next report when the last is done, leave out just those: what Tene
/// calls coordinated omission.)
///
/// Thread-compatible: once started, several threads may read it by the wall.
/// Cost: a reading takes some 30 ns by the wall, 300 ns by the thread.
class Pace {
 public:
  explicit Pace(std::uint32_t per_second, PaceClock clock = PaceClock::kWall)
      : per_second_(per_second),
        clock_(clock == PaceClock::kWall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID) {}

  std::int64_t ElapsedNs() const { return NowNs() - start_ns_; }
  /// When report i is due, since the start.
  std::int64_t DueNs(std::size_t i) const {
    return static_cast<std::int64_t>(i) * 1'000'000'000 / per_second_;
  }

  /// The first report is due now. No other thread may be reading.
  void Start() { start_ns_ = NowNs(); }
  /// Serves `total` reports, at most `most` at once: `serve(begin, count)` for reports that are
  /// due, as soon as the call before returns. Where none is, it sleeps for so long, or with 0 turns
  /// without rest.
  void Run(std::size_t total, std::size_t most, std::int64_t rest_ns,
           absl::FunctionRef<void(std::size_t begin, std::size_t count)> serve) const {
    for (std::size_t next = 0; next < total;) {
      const auto due = static_cast<std::size_t>(ElapsedNs() * per_second_ / 1'000'000'000) + 1;
      if (due <= next) {
        if (rest_ns > 0) absl::SleepFor(absl::Nanoseconds(rest_ns));
        continue;
      }
      const std::size_t count = std::min({due - next, most, total - next});
      serve(next, count);
      next += count;
    }
  }

 private:
  std::int64_t NowNs() const {
    timespec now = {};
    clock_gettime(clock_, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }

  std::int64_t per_second_;
  clockid_t clock_;
  std::int64_t start_ns_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_PACE_H_
