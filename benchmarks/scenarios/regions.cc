#include "benchmarks/scenarios/regions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <numeric>
#include <vector>

#include "benchmarks/capacity/huge_array.h"

namespace scenarios {
namespace {

// A cut may lie so far from where it would be even, to a part's share of the users, if that keeps
// friends together.
constexpr double kUnevenness = 0.001;

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

  /// The cuts into parts of nearly the same size, each before one of the users, in ascending order,
  /// that part fewest near friends in all.
  std::vector<std::size_t> FindCuts(std::uint32_t parts) const {
    const std::vector<std::size_t> best =
        BestCuts(static_cast<std::size_t>(static_cast<double>(size()) / parts * kUnevenness));
    const auto cut = [&](std::size_t first, std::uint32_t part) {
      return best[first + std::uint64_t{size()} * part / parts];
    };
    std::size_t best_first = 0;
    std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
    for (std::size_t first = 0; first < size() / parts; ++first) {
      std::int64_t parted = 0;
      for (std::uint32_t part = 0; part < parts; ++part) parted += parted_[cut(first, part)];
      if (parted >= fewest) continue;
      fewest = parted;
      best_first = first;
    }
    std::vector<std::size_t> cuts;
    for (std::uint32_t part = 0; part < parts; ++part) cuts.push_back(cut(best_first, part));
    std::sort(cuts.begin(), cuts.end());
    return cuts;
  }

 private:
  // For each place on the circle the cut nearby, at most `slack` away, that parts fewest.
  std::vector<std::size_t> BestCuts(std::size_t slack) const {
    std::vector<std::size_t> best(size());
    // Of the window those that part fewer than all after them, in ascending order.
    std::deque<std::size_t> candidates;
    for (std::size_t at = 0; at < size() + 2 * slack; ++at) {
      const std::int32_t parted = parted_[at % size()];
      while (!candidates.empty() && parted_[candidates.back() % size()] >= parted) {
        candidates.pop_back();
      }
      candidates.push_back(at);
      if (candidates.front() + 2 * slack < at) candidates.pop_front();
      if (at >= 2 * slack) best[(at - slack) % size()] = candidates.front() % size();
    }
    return best;
  }

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

// The same world, in which each number is the user's who had that one of `old_of`.
capacity::World Renumbered(const capacity::World& world, const std::vector<std::uint32_t>& old_of) {
  std::vector<std::uint32_t> new_of(world.size());
  for (std::uint32_t user = 0; user < world.size(); ++user) new_of[old_of[user]] = user;
  capacity::World made;
  made.mix = world.mix;
  made.homes = capacity::HugeArray<nearby::Position>(world.size());
  made.offsets = capacity::HugeArray<std::uint32_t>(world.offsets.size());
  made.friends = capacity::HugeArray<std::uint32_t>(world.friends.size());
  std::uint32_t* at = made.friends.begin();
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    made.homes[user] = world.homes[old_of[user]];
    std::uint32_t* const begin = at;
    for (const std::uint32_t other : world.FriendsOf(old_of[user])) *at++ = new_of[other];
    std::sort(begin, at);
    made.offsets[user + 1] = static_cast<std::uint32_t>(at - made.friends.begin());
  }
  return made;
}

}  // namespace

Regions CutIntoRegions(const capacity::World& world, std::uint32_t shards) {
  const Circle circle(world);
  const std::vector<std::size_t> cuts = circle.FindCuts(shards);
  std::vector<std::uint8_t> shard_of(world.size());
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    const bool is_last = shard + 1 == shards;
    const std::size_t end = is_last ? cuts.front() + circle.size() : cuts[shard + 1];
    for (std::size_t at = cuts[shard]; at < end; ++at) {
      shard_of[circle[at]] = static_cast<std::uint8_t>(shard);
    }
  }
  // Within a region in the order of before, which says nothing about homes.
  std::vector<std::uint32_t> old_of(world.size());
  std::iota(old_of.begin(), old_of.end(), 0u);
  std::stable_sort(old_of.begin(), old_of.end(), [&shard_of](std::uint32_t a, std::uint32_t b) {
    return shard_of[a] < shard_of[b];
  });
  std::vector<std::uint32_t> ends(shards);
  for (const std::uint8_t shard : shard_of) ++ends[shard];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  ends.pop_back();  // Whoever is not of the world lives in the last region.
  const auto home = [ends](nearby::UserId id) {
    std::uint32_t shard = 0;
    for (const std::uint32_t end : ends) shard += capacity::UserOf(id) >= end ? 1 : 0;
    return nearby::ShardId{shard};
  };
  return {Renumbered(world, old_of), home};
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
