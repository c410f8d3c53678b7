#include "benchmarks/capacity/world.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "benchmarks/capacity/homes.h"
#include "benchmarks/capacity/matchmaker.h"
#include "benchmarks/capacity/permutation.h"

namespace capacity {
namespace {

using nearby::Position;

// The number that each place of the Z-order gets.
HugeArray<std::uint32_t> DrawNumbers(std::uint32_t users, std::uint64_t seed) {
  const Permutation permutation(users, seed);
  HugeArray<std::uint32_t> numbers(users);
  for (std::uint32_t i = 0; i < users; ++i) numbers[i] = permutation(i);
  return numbers;
}

void CopyFriends(const Matchmaker& matchmaker, const HugeArray<std::uint32_t>& numbers,
                 World* world) {
  const std::uint32_t users = world->size();
  world->offsets = HugeArray<std::uint32_t>(std::size_t{users} + 1);
  HugeArray<std::uint32_t>& offsets = world->offsets;
  for (std::uint32_t i = 0; i < users; ++i) offsets[numbers[i] + 1] = matchmaker.friend_count(i);
  for (std::uint32_t i = 0; i < users; ++i) offsets[i + 1] += offsets[i];
  world->friends = HugeArray<std::uint32_t>(offsets[users]);
  HugeArray<std::uint32_t> next(users);
  std::copy(offsets.begin(), offsets.end() - 1, next.begin());
  for (std::uint32_t i = 0; i < users; ++i) {
    const std::uint32_t user = numbers[i];
    for (const std::uint32_t asked : matchmaker.Asked(i)) {
      const std::uint32_t other = numbers[asked];
      world->friends[next[user]++] = other;
      world->friends[next[other]++] = user;
    }
  }
  for (std::uint32_t i = 0; i < users; ++i) {
    std::sort(world->friends.begin() + offsets[i], world->friends.begin() + offsets[i + 1]);
  }
}

}  // namespace

World MakeWorld(const WorldOptions& options) {
  Random seeds(options.seed);
  const HugeArray<Position> homes = MakeHomes(options.users, seeds.Next());
  const HugeArray<std::uint32_t> numbers = DrawNumbers(options.users, seeds.Next());
  World world;
  world.homes = HugeArray<Position>(options.users);
  for (std::uint32_t i = 0; i < options.users; ++i) world.homes[numbers[i]] = homes[i];
  Matchmaker matchmaker(homes, options.friends, seeds.Next());
  matchmaker.Run();
  world.mix = matchmaker.mix();
  CopyFriends(matchmaker, numbers, &world);
  return world;
}

}  // namespace capacity
