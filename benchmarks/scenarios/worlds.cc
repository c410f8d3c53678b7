#include "benchmarks/scenarios/worlds.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/permutation.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/sphere.h"
#include "nearby/geo.h"

namespace scenarios {
namespace {

using capacity::HugeArray;
using capacity::World;
using nearby::Position;

// Two homes are never farther apart than twice this, half a radius.
constexpr double kTownRadiusMeters = 2'000;
constexpr nearby::LatLng kTownHall = {48.5, 9.06};

Position DrawTownHome(std::uint64_t seed, std::uint32_t user) {
  capacity::Random random(seed, user, 0);
  const double away_m = kTownRadiusMeters * std::sqrt(random.Uniform());
  const double bearing = random.Uniform(-capacity::kPi, capacity::kPi);
  return Position::FromLatLng(
      capacity::Moved(kTownHall, away_m * std::cos(bearing), away_m * std::sin(bearing)));
}

// Each whale's friends, ascending, and the same the other way round: each friend's whales.
struct Following {
  std::vector<std::vector<std::uint32_t>> friends_of_whale;
  std::vector<std::vector<std::uint32_t>> whales_of_user;
};

Following DrawFollowing(std::uint32_t users, std::uint32_t whales, std::uint32_t friends,
                        std::uint64_t seed) {
  Following following;
  following.whales_of_user.resize(users);
  for (std::uint32_t whale = 0; whale < whales; ++whale) {
    const capacity::Permutation order(users, capacity::Mix(seed + whale));
    std::vector<std::uint32_t>& of_whale = following.friends_of_whale.emplace_back();
    for (std::uint32_t i = 0; i < friends; ++i) of_whale.push_back(order(i));
    std::sort(of_whale.begin(), of_whale.end());
    for (const std::uint32_t user : of_whale) {
      following.whales_of_user[user].push_back(users + whale);
    }
  }
  return following;
}

}  // namespace

World MakeTown(const capacity::WorldOptions& options) {
  World world = capacity::MakeWorld(options);
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    world.homes[user] = DrawTownHome(options.seed, user);
  }
  world.mix.pairs = {world.mix.total()};
  return world;
}

World MakeStrangers(std::uint32_t users) {
  World world;
  world.homes = HugeArray<Position>(users);
  world.offsets = HugeArray<std::uint32_t>(std::size_t{users} + 1);
  for (std::uint32_t user = 0; user < users; ++user) world.homes[user] = DrawTownHome(1, user);
  return world;
}

World WithWhales(const World& world, std::uint32_t whales, std::uint32_t friends,
                 std::uint64_t seed) {
  const std::uint32_t users = world.size();
  const Following following = DrawFollowing(users, whales, friends, seed);
  World with;
  with.mix = world.mix;
  with.homes = HugeArray<Position>(users + whales);
  with.offsets = HugeArray<std::uint32_t>(std::size_t{users} + whales + 1);
  with.friends = HugeArray<std::uint32_t>(world.friends.size() + std::size_t{2} * whales * friends);
  std::uint32_t* end = with.friends.begin();
  for (std::uint32_t user = 0; user < users + whales; ++user) {
    if (user < users) {
      with.homes[user] = world.homes[user];
      end = std::copy(world.FriendsOf(user).begin(), world.FriendsOf(user).end(), end);
      const std::vector<std::uint32_t>& of_user = following.whales_of_user[user];
      end = std::copy(of_user.begin(), of_user.end(), end);
    } else {
      const std::vector<std::uint32_t>& of_whale = following.friends_of_whale[user - users];
      with.homes[user] = world.homes[of_whale[of_whale.size() / 2]];
      end = std::copy(of_whale.begin(), of_whale.end(), end);
    }
    with.offsets[user + 1] = static_cast<std::uint32_t>(end - with.friends.begin());
  }
  return with;
}

}  // namespace scenarios
