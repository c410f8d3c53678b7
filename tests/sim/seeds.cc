#include "tests/sim/seeds.h"

namespace nearby::sim {

bool RunSeed(const WorldOptions& options, const std::vector<RingSource::Ring>& rings,
             std::uint64_t seed, Report* report) {
  WorldOptions of_seed = options;
  of_seed.seed = seed;
  World world(of_seed, rings);
  const bool was_right = world.Run();
  report->Add(seed, was_right, world);
  return was_right;
}

}  // namespace nearby::sim
