#include "benchmarks/peers/country.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace peers {
namespace {

using Index = std::uint32_t;
using replay::Random;
using replay::UnitVector;

constexpr std::size_t kPeoplePerTown = 400;
constexpr std::size_t kTownsPerRegion = 8;
constexpr double kRegionSpreadMeters = 35'000;
constexpr double kTownSpreadMeters = 8'000;
constexpr double kHauntSpreadMeters = 3'000;

// How far from one's own home friends live, and what share of them.
struct Band {
  double from_m;
  double to_m;
  double share;
};
constexpr std::array<Band, 5> kBands = {{{0, 8'046.72, 0.12},
                                         {8'046.72, 20'000, 0.22},
                                         {20'000, 100'000, 0.25},
                                         {100'000, 1'000'000, 0.24},
                                         {1'000'000, 2e7, 0.17}}};

UnitVector Scattered(UnitVector center, double spread_m, Random* random) {
  const double a_m = spread_m * random->Normal();
  const double b_m = spread_m * random->Normal();
  return replay::Displaced(center, a_m, b_m);
}

// Towns stand in regions; those of one region are neighbours in the list.
std::vector<UnitVector> MakeTowns(std::size_t count, Random* random) {
  std::vector<UnitVector> towns;
  UnitVector region;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kTownsPerRegion == 0) {
      const double lat = 32 + 15 * random->Uniform();
      const double lng = -120 + 42 * random->Uniform();
      region = replay::ToUnitVector({lat, lng});
    }
    towns.push_back(Scattered(region, kRegionSpreadMeters, random));
  }
  return towns;
}

std::vector<replay::Place> DrawPlaces(const std::vector<UnitVector>& towns, std::size_t town,
                                      Random* random) {
  const UnitVector home = Scattered(towns[town], kTownSpreadMeters, random);
  const UnitVector office = Scattered(towns[town], kTownSpreadMeters / 2, random);
  std::vector<replay::Place> places = {{home, 4}, {office, 3}};
  for (int i = 0; i < 4; ++i) places.push_back({Scattered(home, kHauntSpreadMeters, random), 1});
  if (random->Chance(0.02)) {
    const UnitVector elsewhere = towns[random->Below(towns.size())];
    places.push_back({Scattered(elsewhere, kTownSpreadMeters, random), 1});
  }
  return places;
}

// Gives everybody friends, band by band.
class Matchmaker {
 public:
  Matchmaker(const std::vector<replay::Person>& people, std::size_t friends, Random* random)
      : people_(&people), wanted_(friends), random_(random), counts_(people.size()) {}

  std::vector<std::pair<Index, Index>> Match() {
    for (Index person = 0; person < people_->size(); ++person) {
      // Who finds nobody at one distance tries another, but not for ever.
      for (std::size_t tries = 0; counts_[person] < wanted_ && tries < 8 * wanted_; ++tries) {
        TryBand(person, DrawBand());
      }
    }
    std::vector<std::pair<Index, Index>> sorted(pairs_.begin(), pairs_.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  const Band& DrawBand() {
    double at = random_->Uniform();
    for (const Band& band : kBands) {
      if (at < band.share) return band;
      at -= band.share;
    }
    return kBands.back();
  }

  // People are listed town by town, region by region.
  Index DrawCandidate(Index person, const Band& band) {
    const std::size_t town = person / kPeoplePerTown * kPeoplePerTown;
    const std::size_t region_size = kPeoplePerTown * kTownsPerRegion;
    const std::size_t region = person / region_size * region_size;
    std::size_t begin = 0;
    std::size_t size = people_->size();
    if (band.to_m <= 20'000) {
      begin = town;
      size = kPeoplePerTown;
    } else if (band.to_m <= 100'000) {
      begin = region;
      size = region_size;
    }
    const std::size_t end = std::min(begin + size, people_->size());
    return static_cast<Index>(begin + random_->Below(end - begin));
  }

  void TryBand(Index person, const Band& band) {
    constexpr int kDraws = 50;
    for (int i = 0; i < kDraws; ++i) {
      const Index other = DrawCandidate(person, band);
      if (other == person || counts_[other] >= wanted_) continue;
      const double distance_m = replay::DistanceMeters((*people_)[person].places[0].point,
                                                       (*people_)[other].places[0].point);
      if (distance_m < band.from_m || distance_m >= band.to_m) continue;
      if (!pairs_.insert(std::minmax(person, other)).second) continue;
      ++counts_[person];
      ++counts_[other];
      return;
    }
  }

  const std::vector<replay::Person>* people_;
  std::size_t wanted_;
  Random* random_;
  std::vector<std::size_t> counts_;
  absl::flat_hash_set<std::pair<Index, Index>> pairs_;
};

}  // namespace

replay::Population MakeCountry(std::size_t users, std::size_t friends, std::uint64_t seed) {
  Random random(seed);
  const std::vector<UnitVector> towns =
      MakeTowns((users + kPeoplePerTown - 1) / kPeoplePerTown, &random);
  replay::Population population;
  for (std::size_t i = 0; i < users; ++i) {
    population.people.push_back(
        {nearby::UserId{i + 1}, DrawPlaces(towns, i / kPeoplePerTown, &random)});
  }
  for (const auto& [a, b] : Matchmaker(population.people, friends, &random).Match()) {
    population.friendships.emplace_back(nearby::UserId{a + std::uint64_t{1}},
                                        nearby::UserId{b + std::uint64_t{1}});
  }
  return population;
}

}  // namespace peers
