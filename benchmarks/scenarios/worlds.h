#ifndef BENCHMARKS_SCENARIOS_WORLDS_H_
#define BENCHMARKS_SCENARIOS_WORLDS_H_

#include <cstdint>

#include "benchmarks/capacity/world.h"

namespace scenarios {

/// A world in which everybody lives in one small town, so that all friends who stay at home are
/// within five miles.
capacity::World MakeTown(const capacity::WorldOptions& options);

/// A world of so many users without friends.
capacity::World MakeStrangers(std::uint32_t users);

/// The world with so many users more, each with so many friends drawn from all who were there, and
/// the home of one of them. They are numbered behind the others. Requires as many users.
capacity::World WithWhales(const capacity::World& world, std::uint32_t whales,
                           std::uint32_t friends, std::uint64_t seed);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_WORLDS_H_
