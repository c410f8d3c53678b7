#ifndef BENCHMARKS_CAPACITY_MATCHMAKER_H_
#define BENCHMARKS_CAPACITY_MATCHMAKER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/distance_mix.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/neighbourhood.h"
#include "benchmarks/capacity/random.h"
#include "nearby/geo.h"

namespace capacity {

/// Makes friendships, each from the one who asked: a user asks half as many others as they are to
/// have friends, and is asked by as many on average. Which distance comes next is steered by what
/// is missing in the whole world's mix: somebody in the country has few neighbours, and somebody
/// else makes up for it.
///
/// Users are named by their place in the Z-order of homes.
///
/// Thread-compatible. Borrows the homes, which must outlive it.
class Matchmaker {
 public:
  Matchmaker(const HugeArray<nearby::Position>& homes, std::uint32_t friends, std::uint64_t seed);

  void Run();

  const DistanceMix& mix() const { return mix_; }
  /// Those whom the user asked, successfully, in no order.
  absl::Span<const std::uint32_t> Asked(std::uint32_t user) const {
    return {asked_.data() + offsets_[user], people_[user].asked};
  }
  std::uint32_t friend_count(std::uint32_t user) const {
    return std::uint32_t{people_[user].asked} + people_[user].asked_by;
  }

 private:
  // All that is looked at about a candidate, in one place.
  struct Person {
    nearby::Position home;
    float cos_lat = 0;
    std::uint16_t asked = 0;
    std::uint16_t asked_by = 0;
  };
  struct Wish {
    std::uint32_t candidate = 0;
    std::uint8_t distance_class = 0;
    std::uint8_t tries = 0;
  };

  void AskFor(std::uint32_t user);
  void DrawClass(Wish* wish);
  void DrawCandidate(Wish* wish);
  bool Suits(std::uint32_t user, const Wish& wish) const;
  void Befriend(std::uint32_t user, const Wish& wish);
  std::uint32_t ToAsk(std::uint32_t user) const { return offsets_[user + 1] - offsets_[user]; }

  std::uint32_t max_friends_;
  Random random_;
  Neighbourhood neighbourhood_;
  HugeArray<Person> people_;
  HugeArray<std::uint32_t> offsets_;
  HugeArray<std::uint32_t> asked_;
  double horizon_ = 0;
  DistanceMix mix_;
  std::vector<Wish> wishes_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_MATCHMAKER_H_
