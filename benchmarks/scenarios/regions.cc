#include "benchmarks/scenarios/regions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "benchmarks/capacity/huge_array.h"

namespace scenarios {
namespace {

// A part may have so much more or less than its share of the users, if that keeps friends together.
constexpr double kUnevenness = 0.02;

// Friends nearer than this may soon be in sight of each other, and cost most on two sides of a cut.
constexpr std::int64_t kNearMillimeters = 100'000'000;

// Differences wrap as longitudes do.
std::uint32_t LngOf(nearby::Position position) {
  return static_cast<std::uint32_t>(position.lng_units());
}

bool IsEastOf(nearby::Position a, nearby::Position b) {
  return static_cast<std::int32_t>(LngOf(a) - LngOf(b)) > 0;
}

/// The world as a circle of users, from west to east.
class Circle {
 public:
  explicit Circle(const capacity::World& world) : users_(world.size()), parted_(world.size()) {
    std::iota(users_.begin(), users_.end(), 0u);
    std::sort(users_.begin(), users_.end(), [&world](std::uint32_t a, std::uint32_t b) {
      return LngOf(world.homes[a]) < LngOf(world.homes[b]);
    });
    CountParted(world);
  }

  std::size_t size() const { return users_.size(); }
  std::uint32_t operator[](std::size_t i) const { return users_[i % size()]; }

  /// Where among so many users from the i-th on a cut would part fewest near friends: before whom.
  std::size_t FindCut(std::size_t i, std::size_t count) const {
    std::size_t best = i;
    for (std::size_t at = i; at < i + count; ++at) {
      if (parted_[at % size()] < parted_[best % size()]) best = at;
    }
    return best;
  }

 private:
  void CountParted(const capacity::World& world) {
    std::vector<std::uint32_t> place(size());
    for (std::uint32_t i = 0; i < size(); ++i) place[users_[i]] = i;
    std::vector<std::int32_t> change(size());
    std::int32_t parted = 0;
    for (std::uint32_t west = 0; west < size(); ++west) {
      const nearby::Position home = world.homes[users_[west]];
      for (const std::uint32_t other : world.FriendsOf(users_[west])) {
        if (!IsEastOf(world.homes[other], home)) continue;
        if (DistanceMillimeters(home, world.homes[other]) > kNearMillimeters) continue;
        const std::uint32_t east = place[other];
        ++change[(west + 1) % size()];
        --change[(east + 1) % size()];
        if (east < west) ++parted;  // around the end of the numbers
      }
    }
    for (std::size_t i = 0; i < size(); ++i) parted_[i] = parted += change[i];
  }

  std::vector<std::uint32_t> users_;
  std::vector<std::int32_t> parted_;  // near friends, by a cut before each of the users
};

/// The shard of each user, in as few bits as it takes: so that most of it stays cached, as with a
/// host that writes the region into the user's id.
class HomeTable {
 public:
  HomeTable(std::uint32_t users, std::uint32_t shards)
      : users_(users),
        bits_(shards <= 2    ? 1
              : shards <= 16 ? 4
                             : 8),
        bytes_((std::size_t{users} * bits_ + 7) / 8) {}

  std::uint32_t users() const { return users_; }
  std::uint32_t Get(std::uint32_t user) const {
    return static_cast<std::uint32_t>(bytes_[ByteOf(user)]) >> ShiftOf(user) & ((1u << bits_) - 1);
  }
  /// Requires that it has not been set yet.
  void Set(std::uint32_t user, std::uint32_t shard) {
    std::uint8_t& byte = bytes_[ByteOf(user)];
    byte = static_cast<std::uint8_t>(byte | shard << ShiftOf(user));
  }

 private:
  std::size_t ByteOf(std::uint32_t user) const { return std::size_t{user} * bits_ / 8; }
  std::size_t ShiftOf(std::uint32_t user) const { return std::size_t{user} * bits_ % 8; }

  std::uint32_t users_;
  std::uint32_t bits_;
  capacity::HugeArray<std::uint8_t> bytes_;
};

}  // namespace

std::function<nearby::ShardId(nearby::UserId)> CutIntoRegions(const capacity::World& world,
                                                              std::uint32_t shards) {
  const Circle circle(world);
  const std::size_t begin = circle.FindCut(0, circle.size());
  const auto slack =
      static_cast<std::size_t>(static_cast<double>(circle.size()) / shards * (kUnevenness / 2));
  auto table = std::make_shared<HomeTable>(world.size(), shards);
  std::size_t done = begin;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    const std::size_t even = begin + std::uint64_t{circle.size()} * (shard + 1) / shards;
    const bool is_last = shard + 1 == shards;
    const std::size_t end = is_last ? even : circle.FindCut(even - slack, 2 * slack + 1);
    for (; done < end; ++done) table->Set(circle[done], shard);
  }
  return [table = std::move(table)](nearby::UserId user) {
    return nearby::ShardId{table->Get(std::min(capacity::UserOf(user), table->users() - 1))};
  };
}

capacity::World WithoutCrossing(const capacity::World& world,
                                const std::function<nearby::ShardId(nearby::UserId)>& home) {
  capacity::World without;
  without.mix = world.mix;
  without.homes = capacity::HugeArray<nearby::Position>(world.size());
  std::copy(world.homes.begin(), world.homes.end(), without.homes.begin());
  without.offsets = capacity::HugeArray<std::uint32_t>(world.offsets.size());
  std::vector<std::uint32_t> friends;
  friends.reserve(world.friends.size());
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    const nearby::ShardId mine = home(capacity::IdOf(user));
    for (const std::uint32_t other : world.FriendsOf(user)) {
      if (home(capacity::IdOf(other)) == mine) friends.push_back(other);
    }
    without.offsets[user + 1] = static_cast<std::uint32_t>(friends.size());
  }
  without.friends = capacity::HugeArray<std::uint32_t>(friends.size());
  std::copy(friends.begin(), friends.end(), without.friends.begin());
  return without;
}

}  // namespace scenarios
