#include "nearby/testing/simulated_random.h"

namespace nearby {

std::uint64_t SimulatedRandom::BelowWide(std::uint64_t bound) {
  // All ones up to the highest bit of bound - 1, so that each draw is in range as likely as not.
  std::uint64_t mask = bound - 1;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  std::uint64_t drawn = Next() & mask;
  while (drawn >= bound) drawn = Next() & mask;
  return drawn;
}

}  // namespace nearby
