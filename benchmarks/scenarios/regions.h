#ifndef BENCHMARKS_SCENARIOS_REGIONS_H_
#define BENCHMARKS_SCENARIOS_REGIONS_H_

#include <cstdint>
#include <functional>

#include "benchmarks/capacity/world.h"
#include "nearby/ids.h"

namespace scenarios {

/// EngineOptions::home_shard of a host that knows where its users live: the world cut by longitude
/// into as many parts with as many users each, within some hundredths, cut there where few who
/// live near each other are friends: between regions, not through cities. Whoever is not of the
/// world lives where the user of the next lower number does. Requires 0 < shards <= 64.
///
/// The function holds a byte a user at most, and may be called from any thread.
std::function<nearby::ShardId(nearby::UserId)> CutIntoRegions(const capacity::World& world,
                                                              std::uint32_t shards);

/// The world without the friendships whose two are not at home on the same shard.
capacity::World WithoutCrossing(const capacity::World& world,
                                const std::function<nearby::ShardId(nearby::UserId)>& home);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_REGIONS_H_
