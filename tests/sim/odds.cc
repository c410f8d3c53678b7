#include "tests/sim/odds.h"

#include <cmath>
#include <cstdint>

namespace nearby::sim {
namespace {

// From a quarter of what is usual to four times as much. Powers of two, so that the arithmetic is
// exact.
double Vary(double usual, SimulatedRandom* random) {
  return std::ldexp(usual, static_cast<int>(random->Between(-2, 2)));
}

}  // namespace

Odds Odds::Draw(SimulatedRandom* random) {
  Odds odds;
  odds.disconnect = Vary(0.02, random);
  odds.reconnect = Vary(0.03, random);
  odds.crash = Vary(0.01, random);
  odds.drain = Vary(0.02, random);
  odds.cut_off_from_directory = Vary(0.01, random);
  odds.cut_off_from_letters = Vary(0.02, random);
  const std::int64_t pace = std::int64_t{1} << random->Below(4);
  odds.edit_pause = {50 * pace, 400 * pace};
  return odds;
}

}  // namespace nearby::sim
