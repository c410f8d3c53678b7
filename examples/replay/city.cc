#include "examples/replay/city.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "examples/replay/city_friends.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace replay {
namespace {

// The city lies where Berlin does, and is about as large: a radius of 5 miles cuts right through
// it.
constexpr nearby::LatLng kCenter = {52.52, 13.405};
constexpr double kCitySpreadMeters = 7'000;
constexpr double kBusinessSpreadMeters = 3'500;
constexpr double kNeighbourhoodSpreadMeters = 600;
// Half an hour by train, a day trip, a flight.
constexpr std::array<nearby::LatLng, 3> kTowns = {
    {{52.39, 13.065}, {51.34, 12.373}, {48.137, 11.576}}};
constexpr double kTownShare = 0.05;

constexpr std::size_t kPeoplePerNeighbourhood = 40;
constexpr std::size_t kPeoplePerOffice = 30;

UnitVector Scattered(UnitVector center, double spread_m, Random* random) {
  const double a_m = spread_m * random->Normal();
  const double b_m = spread_m * random->Normal();
  return Displaced(center, a_m, b_m);
}

struct Neighbourhood {
  UnitVector center;
  std::vector<UnitVector> haunts;  // Cafes, parks, shops.
};

class CityPlan {
 public:
  CityPlan(std::size_t users, Random* random);

  const std::vector<Neighbourhood>& neighbourhoods() const { return neighbourhoods_; }
  const std::vector<UnitVector>& offices() const { return offices_; }
  // Of the neighbourhoods, the last so many are towns of their own.
  std::size_t DrawHome(Random* random) const;

 private:
  void AddNeighbourhood(UnitVector center, Random* random);

  std::vector<Neighbourhood> neighbourhoods_;
  std::vector<UnitVector> offices_;
};

CityPlan::CityPlan(std::size_t users, Random* random) {
  const UnitVector center = ToUnitVector(kCenter);
  const std::size_t count = std::max<std::size_t>(12, users / kPeoplePerNeighbourhood);
  for (std::size_t i = 0; i < count; ++i) {
    AddNeighbourhood(Scattered(center, kCitySpreadMeters, random), random);
  }
  for (const nearby::LatLng town : kTowns) AddNeighbourhood(ToUnitVector(town), random);
  const std::size_t offices = std::max<std::size_t>(4, users / kPeoplePerOffice);
  for (std::size_t i = 0; i < offices; ++i) {
    offices_.push_back(Scattered(center, kBusinessSpreadMeters, random));
  }
}

std::size_t CityPlan::DrawHome(Random* random) const {
  const std::size_t in_city = neighbourhoods_.size() - kTowns.size();
  if (random->Chance(kTownShare)) return in_city + random->Below(kTowns.size());
  return random->Below(in_city);
}

void CityPlan::AddNeighbourhood(UnitVector center, Random* random) {
  constexpr int kHaunts = 6;
  Neighbourhood neighbourhood{center, {}};
  for (int i = 0; i < kHaunts; ++i) {
    neighbourhood.haunts.push_back(Scattered(center, kNeighbourhoodSpreadMeters, random));
  }
  neighbourhoods_.push_back(std::move(neighbourhood));
}

UnitVector DrawHaunt(const Neighbourhood& neighbourhood, Random* random) {
  return neighbourhood.haunts[random->Below(neighbourhood.haunts.size())];
}

// Home most of all, then the office, some haunts around the corner and some anywhere in the city.
std::vector<Place> DrawPlaces(const CityPlan& plan, std::size_t home, std::size_t office,
                              Random* random) {
  const Neighbourhood& own = plan.neighbourhoods()[home];
  std::vector<Place> places;
  places.push_back({Scattered(own.center, kNeighbourhoodSpreadMeters, random), 4});
  places.push_back({plan.offices()[office], 3});
  const std::int64_t near = random->Between(2, 4);
  for (std::int64_t i = 0; i < near; ++i) places.push_back({DrawHaunt(own, random), 1});
  const std::int64_t elsewhere = random->Between(1, 4);
  for (std::int64_t i = 0; i < elsewhere; ++i) {
    const Neighbourhood& other = plan.neighbourhoods()[plan.DrawHome(random)];
    places.push_back({DrawHaunt(other, random), 1});
  }
  return places;
}

// How traffic of a mode flows: at about a speed, with stops.
struct Flow {
  Mode mode;
  double mean_mps;
  double spread_mps;
  double mean_run_s;
  double mean_stop_s;
};

constexpr std::array<Flow, 4> kFlows = {{
    {Mode::kWalk, 1.4, 0.25, 180, 20},
    {Mode::kRide, 4.5, 1.0, 150, 15},
    {Mode::kDrive, 11, 4, 75, 25},
    {Mode::kRail, 19, 3, 110, 30},
}};

// Some hours of it, a speed every step. Speeds drift from one run to the next, as drivers and
// streets differ.
std::vector<float> MakeSpeeds(const Flow& flow, Random* random) {
  constexpr std::size_t kSamples = 8'000;
  constexpr double kStepSeconds = static_cast<double>(MovementModel::kSpeedStepMs) / 1000;
  std::vector<float> speeds;
  while (speeds.size() < kSamples) {
    const double cruise =
        std::max(flow.mean_mps / 3, flow.mean_mps + flow.spread_mps * random->Normal());
    const double run_s = random->Exponential(flow.mean_run_s);
    const double stop_s = random->Exponential(flow.mean_stop_s);
    const auto run_steps = static_cast<int>(std::ceil(run_s / kStepSeconds));
    const auto stop_steps = static_cast<std::size_t>(std::ceil(stop_s / kStepSeconds));
    for (int i = 0; i < run_steps; ++i) {
      const double jitter = 1 + 0.1 * random->Normal();
      speeds.push_back(static_cast<float>(std::max(0.0, cruise * jitter)));
    }
    speeds.insert(speeds.end(), stop_steps, 0.0F);
  }
  return speeds;
}

}  // namespace

Population MakeCity(std::size_t users, std::uint64_t seed) {
  Random random(seed);
  const CityPlan plan(users, &random);
  Population population;
  Circles homes;
  Circles offices;
  population.people.reserve(users);
  for (std::size_t i = 0; i < users; ++i) {
    const std::size_t home = plan.DrawHome(&random);
    const std::size_t office = random.Below(plan.offices().size());
    population.people.push_back({nearby::UserId{i + 1}, DrawPlaces(plan, home, office, &random)});
    homes.push_back(static_cast<std::uint32_t>(home));
    offices.push_back(static_cast<std::uint32_t>(office));
  }
  for (const auto& [a, b] : InventFriendships(homes, offices, &random)) {
    population.friendships.emplace_back(nearby::UserId{a + std::uint64_t{1}},
                                        nearby::UserId{b + std::uint64_t{1}});
  }
  return population;
}

MovementModel MakeCityMovement(std::uint64_t seed) {
  Random random(seed);
  MovementModel model;
  for (const Flow& flow : kFlows) {
    model.speeds[static_cast<std::size_t>(flow.mode)] = MakeSpeeds(flow, &random);
  }
  model.speeds[static_cast<std::size_t>(Mode::kFly)] = {230};
  // Rates and sizes as recordings show them, rounded; a train dives into a tunnel every few
  // minutes.
  model.glitches_per_report = 0.0003;
  model.glitch_speeds_mps = {80, 110, 150, 200, 270, 350, 660, 916};
  model.gaps_per_report.fill(0.004);
  model.gaps_per_report[static_cast<std::size_t>(Mode::kRail)] = 0.15;
  model.gap_seconds = {60, 75, 90, 120, 150, 240, 420, 780};
  model.mean_stay_s = 480;
  model.far_trips = 0.03;
  return model;
}

}  // namespace replay
