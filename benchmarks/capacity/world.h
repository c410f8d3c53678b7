#ifndef NEARBY_BENCHMARKS_CAPACITY_WORLD_H_
#define NEARBY_BENCHMARKS_CAPACITY_WORLD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace capacity {

/// Users who live in cities, and who of them are friends. Cities lie in regions, their sizes fall
/// off with their rank; a city has a dense middle and a wide surrounding.
///
/// Friendships are mutual, and their distances follow a mix that is the same for any number of
/// users: a user's friends are drawn from the city, the region or the earth until one at a wanted
/// distance turns up.
///
/// The same seed makes the same world everywhere. Immutable.
class World {
 public:
  /// Up to 8,046.72 m, 20 km, 100 km, 1,000 km, and beyond.
  static constexpr std::size_t kBands = 5;
  static constexpr std::array<double, kBands> kMix = {0.12, 0.22, 0.25, 0.24, 0.17};
  static constexpr std::array<double, kBands> kBandMeters = {8'046.72, 20'000, 100'000, 1'000'000,
                                                             2.1e7};

  /// Requires some thousand users, and an even number of friends of 2 to 100 each on average.
  World(std::uint32_t users, std::uint32_t friends, std::uint64_t seed);

  std::uint32_t users() const { return static_cast<std::uint32_t>(homes_.size()); }
  /// Users by number; their ids are scattered over all 64 bits.
  static nearby::UserId Id(std::uint32_t user);
  nearby::Position home(std::uint32_t user) const { return homes_[user]; }
  absl::Span<const std::uint32_t> friends(std::uint32_t user) const {
    return {&friends_[std::size_t{user} * max_friends_], friend_counts_[user]};
  }

  std::size_t friendships() const { return friendships_; }
  /// The share of the friendships in each band of distance, as drawn.
  std::array<double, kBands> mix() const;

 private:
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t size() const { return end - begin; }
  };

  void PlaceUsers(std::uint64_t seed);
  void MakeFriends(std::uint32_t friends, std::uint64_t seed);
  bool Befriend(std::uint32_t user, std::uint32_t other);

  std::uint32_t max_friends_;
  std::vector<nearby::Position> homes_;
  std::vector<Range> cities_;           // of users, in order
  std::vector<Range> regions_;          // of cities, in order
  std::vector<std::uint32_t> friends_;  // `max_friends_` places a user
  std::vector<std::uint8_t> friend_counts_;
  std::array<std::size_t, kBands> band_counts_{};
  std::size_t friendships_ = 0;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_WORLD_H_
