#ifndef BENCHMARKS_CAPACITY_DISTANCE_MIX_H_
#define BENCHMARKS_CAPACITY_DISTANCE_MIX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "nearby/geo.h"

namespace capacity {

/// How far apart the homes of friends lie.
struct DistanceClass {
  const char* name;
  double from_m;
  double to_m;
  double share;  ///< Of all friendships, as the world is to have it.
};

inline constexpr std::array<DistanceClass, 5> kDistanceClasses = {{
    {"within 5 miles", 0, 8'046.72, 0.12},
    {"to 20 km", 8'046.72, 20'000, 0.22},
    {"to 100 km", 20'000, 100'000, 0.25},
    {"to 1,000 km", 100'000, 1'000'000, 0.24},
    {"farther", 1'000'000, nearby::kMaxDistanceMeters, 0.17},
}};

/// Friendships by class, as the world has it.
struct DistanceMix {
  std::array<std::uint64_t, kDistanceClasses.size()> pairs{};

  std::uint64_t total() const {
    return std::accumulate(pairs.begin(), pairs.end(), std::uint64_t{0});
  }
  double share(std::size_t i) const {
    return total() == 0 ? 0 : static_cast<double>(pairs[i]) / static_cast<double>(total());
  }
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_DISTANCE_MIX_H_
