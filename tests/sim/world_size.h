#ifndef NEARBY_TESTS_SIM_WORLD_SIZE_H_
#define NEARBY_TESTS_SIM_WORLD_SIZE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "nearby/testing/simulated_random.h"

namespace nearby::sim {

/// How large a world is. One of few nodes has so few phones that everybody has to do with
/// everybody. With more nodes all grows with them: each has clients, who have as many friends as in
/// a small world, nearly all of them on other nodes; and as much happens on each.
class WorldSize {
 public:
  explicit WorldSize(std::size_t nodes) : nodes_(nodes) {}

  std::size_t nodes() const { return nodes_; }
  /// How many times as much happens as in a small world; 1 in these.
  std::size_t growth() const { return std::max<std::size_t>(1, nodes_ / kFewNodes); }

  /// Actions among faults, of which a small world has `small_world_steps`. Where friends are on
  /// other nodes, there are more for everything that happens.
  std::uint64_t Steps(std::uint64_t small_world_steps) const {
    return nodes_ <= kFewNodes ? small_world_steps : small_world_steps * nodes_ * 4 / kFewNodes;
  }

  std::size_t DrawPhones(SimulatedRandom* random) const {
    if (nodes_ <= kFewNodes) return 4 + random->Below(9);
    return kClients * nodes_ + random->Below(nodes_);
  }

  /// Clients whom a node asks to move in one second.
  double DrainedPerSecond() const { return std::max<double>(4, static_cast<double>(nodes_)); }

  /// That two of so many are friends, if it is `small_world_odds` in a small world.
  static double FriendOdds(std::size_t phones, double small_world_odds) {
    return std::min(small_world_odds, kFriends / static_cast<double>(phones));
  }

 private:
  static constexpr std::size_t kFewNodes = 5;
  static constexpr std::size_t kClients = 3;  // of each node, at least
  // No more than of the most that a small world has.
  static constexpr double kFriends = 8;

  std::size_t nodes_;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_WORLD_SIZE_H_
