#include "benchmarks/capacity/matchmaker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/sphere.h"

namespace capacity {
namespace {

using nearby::Position;

// Candidates of one class before another is tried, and in all before the wish is given up.
constexpr std::uint8_t kTriesPerClass = 8;
constexpr std::uint8_t kTries = 96;

// Friendships within which the mix is to come right: longer than any stretch of country in the
// Z-order, where near friends are not to be had, but short beside all.
constexpr double kLongestHorizon = 50'000;
constexpr double kHorizonShare = 0.02;

const std::array<double, kDistanceClasses.size() + 1>& ClassBounds() {
  static const std::array<double, kDistanceClasses.size() + 1> kBounds = [] {
    std::array<double, kDistanceClasses.size() + 1> made{};
    for (std::size_t i = 0; i < kDistanceClasses.size(); ++i) {
      made[i] = HaversineOfMeters(kDistanceClasses[i].from_m);
    }
    made.back() = 2;
    return made;
  }();
  return kBounds;
}

}  // namespace

Matchmaker::Matchmaker(const HugeArray<Position>& homes, std::uint32_t friends, std::uint64_t seed)
    : max_friends_(std::max(3u, friends + friends / 2)),
      random_(seed),
      neighbourhood_(homes),
      people_(homes.size()),
      offsets_(homes.size() + 1) {
  for (std::size_t i = 0; i < homes.size(); ++i) {
    people_[i] = {homes[i], static_cast<float>(CosLat(homes[i])), 0, 0};
    // A quarter to three quarters of the mean number, half of it on average.
    const double to_ask = friends * (0.25 + 0.5 * random_.Uniform());
    offsets_[i + 1] = offsets_[i] + static_cast<std::uint32_t>(to_ask + random_.Uniform());
  }
  asked_ = HugeArray<std::uint32_t>(offsets_[homes.size()]);
  horizon_ = std::min(kLongestHorizon, kHorizonShare * static_cast<double>(asked_.size()));
}

void Matchmaker::Run() {
  for (std::uint32_t user = 0; user < people_.size(); ++user) {
    neighbourhood_.MoveTo(people_[user].home);
    AskFor(user);
  }
}

void Matchmaker::AskFor(std::uint32_t user) {
  wishes_.assign(ToAsk(user), Wish());
  while (!wishes_.empty()) {
    // All wishes are drawn before the first is looked at, so that the waits for memory overlap.
    for (Wish& wish : wishes_) {
      if (wish.tries % kTriesPerClass == 0) DrawClass(&wish);
      DrawCandidate(&wish);
    }
    std::size_t left = 0;
    for (const Wish& wish : wishes_) {
      if (wish.candidate != Neighbourhood::kNobody && Suits(user, wish)) {
        Befriend(user, wish);
      } else if (wish.tries < kTries) {
        wishes_[left++] = wish;
      }
    }
    wishes_.resize(left);
  }
}

void Matchmaker::DrawClass(Wish* wish) {
  std::array<double, kDistanceClasses.size()> up_to{};
  const double goal = static_cast<double>(mix_.total()) + horizon_;
  double sum = 0;
  for (std::size_t i = 0; i < up_to.size(); ++i) {
    const double share = kDistanceClasses[i].share;
    const double missing = share * goal - static_cast<double>(mix_.pairs[i]);
    up_to[i] = sum += std::max(missing, 0.02 * share * horizon_);
  }
  const double drawn = random_.Uniform() * sum;
  const auto at = std::upper_bound(up_to.begin(), up_to.end() - 1, drawn) - up_to.begin();
  wish->distance_class = static_cast<std::uint8_t>(at);
}

void Matchmaker::DrawCandidate(Wish* wish) {
  wish->candidate = neighbourhood_.Draw(wish->distance_class, &random_);
  if (wish->candidate == Neighbourhood::kNobody) {
    // Nor will there be anybody the next time.
    wish->tries = static_cast<std::uint8_t>((wish->tries / kTriesPerClass + 1) * kTriesPerClass);
    return;
  }
  ++wish->tries;
  __builtin_prefetch(&people_[wish->candidate]);
}

bool Matchmaker::Suits(std::uint32_t user, const Wish& wish) const {
  const std::uint32_t other = wish.candidate;
  const Person& me = people_[user];
  const Person& they = people_[other];
  if (other == user) return false;
  // Whoever still has to ask keeps room for it.
  const std::uint32_t reserved = std::max<std::uint32_t>(they.asked, ToAsk(other));
  if (they.asked_by + reserved >= max_friends_) return false;
  const double haversine = RoughHaversine(me.home, me.cos_lat, they.home, they.cos_lat);
  const auto& bounds = ClassBounds();
  if (haversine < bounds[wish.distance_class] || haversine >= bounds[wish.distance_class + 1]) {
    return false;
  }
  const absl::Span<const std::uint32_t> mine = Asked(user);
  if (std::find(mine.begin(), mine.end(), other) != mine.end()) return false;
  if (other > user) return true;  // They have not asked anybody yet.
  const absl::Span<const std::uint32_t> theirs = Asked(other);
  return std::find(theirs.begin(), theirs.end(), user) == theirs.end();
}

void Matchmaker::Befriend(std::uint32_t user, const Wish& wish) {
  asked_[offsets_[user] + people_[user].asked++] = wish.candidate;
  ++people_[wish.candidate].asked_by;
  ++mix_.pairs[wish.distance_class];
}

}  // namespace capacity
