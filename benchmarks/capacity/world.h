#ifndef BENCHMARKS_CAPACITY_WORLD_H_
#define BENCHMARKS_CAPACITY_WORLD_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "benchmarks/capacity/distance_mix.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/random.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace capacity {

/// The users, where they live and who is whose friend. A user's number says nothing about the home.
/// A pure function of users, friends and seed.
///
/// Immutable once made.
struct World {
  HugeArray<nearby::Position> homes;
  HugeArray<std::uint32_t> offsets;  ///< Of user u's friends: offsets[u] .. offsets[u + 1].
  HugeArray<std::uint32_t> friends;  ///< Of each user ascending. Every friendship stands twice.
  DistanceMix mix;

  std::uint32_t size() const { return static_cast<std::uint32_t>(homes.size()); }
  absl::Span<const std::uint32_t> FriendsOf(std::uint32_t user) const {
    return {friends.data() + offsets[user], offsets[user + 1] - offsets[user]};
  }
};

struct WorldOptions {
  std::uint32_t users = 0;
  std::uint32_t friends = 0;  ///< Of a user on average.
  std::uint64_t seed = 0;
};

/// Requires users >= kMinUsers, 0 < friends <= kMaxFriends, and users * friends < 2^32.
/// Cost: at 10 million users with 40 friends some two minutes, and 3 GB at most at one time.
World MakeWorld(const WorldOptions& options);

inline constexpr std::uint32_t kMinUsers = 1'000;
inline constexpr std::uint32_t kMaxFriends = 100;

/// Ids as services that number their users by time of registration have them: ascending, and spread
/// over 64 bits.
constexpr nearby::UserId IdOf(std::uint32_t user) {
  return nearby::UserId{std::uint64_t{user} << 24 | (Mix(user + kGoldenRatio) & 0xFFFFFF)};
}

/// The user of an id that IdOf gave.
constexpr std::uint32_t UserOf(nearby::UserId id) {
  return static_cast<std::uint32_t>(nearby::ToInt(id) >> 24);
}

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_WORLD_H_
