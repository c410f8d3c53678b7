#ifndef NEARBY_BENCHMARKS_CAPACITY_MOVEMENT_H_
#define NEARBY_BENCHMARKS_CAPACITY_MOVEMENT_H_

#include <cstdint>
#include <vector>

#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/world.h"
#include "nearby/geo.h"

namespace capacity {

/// How everybody moves: still, on foot, by car, by rail, a few by air; one in twenty changes that
/// in ten minutes, and tells nobody. Positions bear some 10 m of noise, and now and then a glitch
/// of several kilometres. Whoever is far from home turns back, so that the world stays as it is.
///
/// Positions are whole units of nearby::Position, so that whoever rounds them finds what whoever
/// does not finds.
class Movement {
 public:
  Movement(const World& world, std::uint64_t seed);

  /// The user's next report, 30 s after their last one.
  nearby::Position Next(std::uint32_t user);
  /// What Next said last; home before.
  nearby::Position reported(std::uint32_t user) const { return reported_[user]; }

 private:
  struct State {
    std::uint8_t mode = 0;
    std::uint8_t heading = 0;  // 256ths of a turn
  };

  std::uint8_t DrawMode();

  const World* world_;
  Random random_;
  std::vector<nearby::Position> places_;
  std::vector<nearby::Position> reported_;
  std::vector<State> states_;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_MOVEMENT_H_
