#ifndef BENCHMARKS_CAPACITY_TRACE_H_
#define BENCHMARKS_CAPACITY_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/world.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace capacity {

/// Everybody reports once in this long.
inline constexpr std::uint32_t kReportIntervalMs = 30'000;
/// When the trace begins: some time in 2023.
inline constexpr nearby::Time kTraceStart{1'700'000'000'000};

struct TracedReport {
  std::uint32_t user = 0;
  nearby::LatLng location;
  nearby::Time time;
};

/// All reports, in order of time: round after round of 30 s, in each of which every user reports
/// once, evenly spaced, in a random order. From round to round the order changes within each second
/// only: a user's reports come 30 s apart, give or take one.
///
/// Thread-compatible. Borrows the world, which must outlive it.
class Trace {
 public:
  Trace(const World& world, std::uint64_t seed, Mobility mobility = Mobility::kAsPeopleDo);

  /// Appends the next `count` reports.
  void Next(std::size_t count, std::vector<TracedReport>* reports);

  /// Where everybody was at their last report.
  const Movement& movement() const { return movement_; }

  /// Of the last report; the start if there was none.
  nearby::Time now() const { return now_; }

 private:
  std::uint32_t TimeMs(std::uint64_t round, std::uint32_t place) const;
  // The user who reports at a place of the present round.
  std::uint32_t UserAt(std::uint32_t place) const;

  std::uint32_t users_;
  std::uint64_t seed_;
  Movement movement_;
  Permutation order_;
  std::uint32_t in_a_second_;    ///< Places.
  Permutation within_a_second_;  ///< Of the present round.
  std::uint64_t round_ = 0;
  std::uint32_t place_ = 0;  ///< In the round.
  nearby::Time now_ = kTraceStart;
  std::vector<std::uint32_t> upcoming_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_TRACE_H_
