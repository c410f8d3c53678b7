#include "benchmarks/scenarios/regions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "benchmarks/capacity/huge_array.h"

namespace scenarios {
namespace {

/// Where each part but the first begins.
std::vector<std::int32_t> FindCuts(const capacity::World& world, std::uint32_t parts) {
  std::vector<std::int32_t> longitudes;
  longitudes.reserve(world.size());
  for (const nearby::Position home : world.homes) longitudes.push_back(home.lng_units());
  std::vector<std::int32_t> cuts;
  for (std::uint32_t part = 1; part < parts; ++part) {
    const auto cut = longitudes.begin() +
                     static_cast<std::ptrdiff_t>(std::uint64_t{world.size()} * part / parts);
    std::nth_element(longitudes.begin(), cut, longitudes.end());
    cuts.push_back(*cut);
  }
  return cuts;
}

}  // namespace

std::function<nearby::ShardId(nearby::UserId)> CutIntoRegions(const capacity::World& world,
                                                              std::uint32_t shards) {
  const std::vector<std::int32_t> cuts = FindCuts(world, shards);
  auto table = std::make_shared<capacity::HugeArray<std::uint8_t>>(world.size());
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    const std::int32_t longitude = world.homes[user].lng_units();
    (*table)[user] = static_cast<std::uint8_t>(
        std::upper_bound(cuts.begin(), cuts.end(), longitude) - cuts.begin());
  }
  return [table = std::move(table)](nearby::UserId user) {
    const std::size_t number = std::min<std::size_t>(capacity::UserOf(user), table->size() - 1);
    return nearby::ShardId{(*table)[number]};
  };
}

}  // namespace scenarios
