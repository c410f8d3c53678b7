#ifndef BENCHMARKS_SCENARIOS_REGIONS_H_
#define BENCHMARKS_SCENARIOS_REGIONS_H_

#include <cstdint>
#include <functional>

#include "benchmarks/capacity/world.h"
#include "nearby/ids.h"

namespace scenarios {

/// A world of a host that knows where its users live and says so in their ids: they are numbered
/// region by region.
struct Regions {
  capacity::World world;
  /// EngineOptions::home_shard: each region is at home on one shard. Owns what it reads.
  std::function<nearby::ShardId(nearby::UserId)> home;
};

/// The world cut by longitude into as many regions with as many users each, within some
/// thousandths, cut there where few who live near each other are friends: between cities, not
/// through them. Requires 0 < shards <= 64. Takes as much memory again as the world while it is at
/// work.
Regions CutIntoRegions(const capacity::World& world, std::uint32_t shards);

/// The world without the friendships whose two are not at home on the same shard.
capacity::World WithoutCrossing(const capacity::World& world,
                                const std::function<nearby::ShardId(nearby::UserId)>& home);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_REGIONS_H_
