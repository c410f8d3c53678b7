#ifndef BENCHMARKS_SCENARIOS_CROSSING_WALK_H_
#define BENCHMARKS_SCENARIOS_CROSSING_WALK_H_

#include <cstdint>
#include <vector>

#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace scenarios {

/// Everybody crosses one square of 20 km to and fro, each at a speed of their own between 12 and
/// 24.5 m/s, so that friends come within five miles of each other and part all the time: in a
/// report interval one of thirty pairs does. That is as fast as nobody is surprised by: whoever
/// goes faster than was believed of them may be missed on other nodes, for as long as a park
/// lasts. They report once in `capacity::kReportIntervalMs`, evenly spaced, in an order that stays
/// the same.
///
/// Thread-compatible.
class CrossingWalk {
 public:
  CrossingWalk(std::uint32_t users, std::uint64_t seed);

  /// Where a user is at a time since the start.
  nearby::LatLng LocationAt(std::uint32_t user, std::int64_t passed_ms) const;

  /// Appends the reports that are due before a time and have not been asked for.
  void Next(nearby::Time until, std::vector<capacity::TracedReport>* reports);

 private:
  const std::uint32_t users_;
  const std::uint64_t seed_;
  const capacity::Permutation order_;
  std::uint64_t next_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_CROSSING_WALK_H_
