#ifndef NEARBY_TESTS_SIM_PACE_H_
#define NEARBY_TESTS_SIM_PACE_H_

#include <cstdint>

#include "nearby/geo.h"
#include "nearby/testing/simulated_random.h"

// Distances and times of the simulated world.

namespace nearby::sim {

inline constexpr double kRadiusM = 8046.72;
inline constexpr LatLng kTown{48.137, 11.575};
inline constexpr double kMetersPerDegree = 111'195.0;

// Everything goes fifteen times as fast as in life.
// By how much a node's steady clock may run wrong: less than the margin in its lease.
inline constexpr std::int64_t kMaxSteadyPpm = 200'000;
inline constexpr std::int64_t kReportMs = 2000;
inline constexpr std::int64_t kTtlMs = 60'000;
inline constexpr std::int64_t kProbeMs = 3000;
// Later than it is looked whether all is well after the last act.
inline constexpr std::int64_t kRareProbeMs = 45'000;
inline constexpr std::int64_t kMaxParkMs = 10'000;
// Later than all is over: what a park relies on must be looked after meanwhile.
inline constexpr std::int64_t kLongMaxParkMs = 3'600'000;
inline constexpr std::int64_t kRefreshMs = 20'000;
inline constexpr std::int64_t kLeaseMs = 4000;
// Nodes that are cut off: for longer than it takes until their leases have ended, by any clock; or
// for less than it takes until a link is given up. By when a node must have let go of its clients.
inline constexpr SimulatedDelay kLongCutOff{6500, 8000};
inline constexpr SimulatedDelay kShortCutOff{1000, 4500};
inline constexpr std::int64_t kLetGoMs = 5500;
// While users do much in little time.
inline constexpr std::int64_t kBustleMs = 8000;
// After which whatever the faults have begun has ended: the longest delay that they draw, and
// clocks that were put back.
inline constexpr std::int64_t kHealMs = 120'000;
// Nodes that are drained: the time over which their clients spread, and how long somebody waits for
// it.
inline constexpr std::int64_t kDrainSpreadMs = 1000;
inline constexpr SimulatedDelay kDrainPatience{2000, 10'000};
// In which users become friends again.
inline constexpr std::int64_t kMakeUpMs = 10'000;
// In which all must have come to know what is true: a user who reports is heard of by the next
// report, or found out about by a probe, or when a park ends; and retries have their pauses.
inline constexpr std::int64_t kConvergeMs = kMaxParkMs + 3 * kProbeMs + 2 * kReportMs;

// The last acts, of which each run has some: until what was said before has arrived; and until what
// was said in it must have, without anybody's reporting again.
inline constexpr int kLastActs = 3;
inline constexpr std::int64_t kHushMs = 3000;
inline constexpr std::int64_t kLastActMs = kMaxParkMs + 8000;
// In which whoever sees somebody is told what they say.
inline constexpr std::int64_t kFollowMs = 3000;
inline constexpr std::int64_t kSleepMs = kTtlMs + 7000;

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_PACE_H_
