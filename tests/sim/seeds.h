#ifndef NEARBY_TESTS_SIM_SEEDS_H_
#define NEARBY_TESTS_SIM_SEEDS_H_

#include <cstdint>
#include <vector>

#include "nearby/ring_source.h"
#include "tests/sim/report.h"
#include "tests/sim/world.h"

namespace nearby::sim {

/// Runs one world, whatever seed the options name, and reports it. False if something was violated.
bool RunSeed(const WorldOptions& options, const std::vector<RingSource::Ring>& rings,
             std::uint64_t seed, Report* report);

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_SEEDS_H_
