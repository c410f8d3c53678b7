#include "benchmarks/capacity/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "benchmarks/capacity/distance_mix.h"
#include "nearby/geo.h"

namespace capacity {
namespace {

bool Lists(const World& world, std::uint32_t user, std::uint32_t other) {
  const absl::Span<const std::uint32_t> friends = world.FriendsOf(user);
  return std::binary_search(friends.begin(), friends.end(), other);
}

TEST(CapacityWorld, HasMutualFriendsEachOnceAndInOrder) {
  const World world = MakeWorld({3'000, 40, 7});
  ASSERT_EQ(world.size(), 3'000u);
  std::uint64_t edges = 0;
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    const absl::Span<const std::uint32_t> friends = world.FriendsOf(user);
    edges += friends.size();
    EXPECT_LE(friends.size(), 60u);
    for (std::size_t i = 0; i < friends.size(); ++i) {
      EXPECT_NE(friends[i], user);
      EXPECT_TRUE(i == 0 || friends[i - 1] < friends[i]);
      EXPECT_TRUE(Lists(world, friends[i], user)) << user << " and " << friends[i];
    }
  }
  EXPECT_EQ(edges, 2 * world.mix.total());
  EXPECT_NEAR(static_cast<double>(edges) / world.size(), 40, 0.5);
}

// Counted by the library's haversine, which shares nothing with what made the world.
TEST(CapacityWorld, HasTheMixOfDistancesWhateverItsSize) {
  for (const std::uint32_t users : {2'000u, 10'000u, 60'000u}) {
    const World world = MakeWorld({users, 40, 1});
    std::array<double, kDistanceClasses.size()> counted{};
    double edges = 0;
    for (std::uint32_t user = 0; user < users; ++user) {
      for (const std::uint32_t other : world.FriendsOf(user)) {
        const double away_m =
            nearby::HaversineMeters(world.homes[user].ToLatLng(), world.homes[other].ToLatLng());
        std::size_t i = 0;
        while (i + 1 < counted.size() && away_m >= kDistanceClasses[i].to_m) ++i;
        ++counted[i];
        ++edges;
      }
    }
    for (std::size_t i = 0; i < counted.size(); ++i) {
      EXPECT_NEAR(counted[i] / edges, kDistanceClasses[i].share, 0.01)
          << users << " users, " << kDistanceClasses[i].name;
      EXPECT_NEAR(counted[i] / edges, world.mix.share(i), 0.001);
    }
  }
}

TEST(CapacityWorld, IsAFunctionOfItsSeed) {
  const World a = MakeWorld({2'000, 10, 5});
  const World b = MakeWorld({2'000, 10, 5});
  const World c = MakeWorld({2'000, 10, 6});
  EXPECT_TRUE(std::equal(a.homes.begin(), a.homes.end(), b.homes.begin(), b.homes.end()));
  EXPECT_TRUE(std::equal(a.friends.begin(), a.friends.end(), b.friends.begin(), b.friends.end()));
  EXPECT_FALSE(std::equal(a.homes.begin(), a.homes.end(), c.homes.begin(), c.homes.end()));
}

TEST(CapacityWorld, GivesAscendingIdsThatNameTheirUser) {
  for (const std::uint32_t user : {0u, 1u, 9'999'999u, (1u << 26) - 1}) {
    EXPECT_EQ(UserOf(IdOf(user)), user);
    EXPECT_LT(IdOf(user), IdOf(user + 1));
  }
}

}  // namespace
}  // namespace capacity
