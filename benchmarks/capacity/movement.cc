#include "benchmarks/capacity/movement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/sphere.h"

namespace capacity {
namespace {

using nearby::LatLng;
using nearby::Position;

constexpr std::uint32_t kModeMs = 600'000;
constexpr double kModeChange = 0.05;

constexpr double kGpsNoiseMeters = 7;  // In each direction: ten in all.
constexpr double kGlitch = 1.0 / 5'000;
constexpr double kGlitchFromMeters = 1'000;
constexpr double kGlitchToMeters = 12'000;

struct Habits {
  double share;  // Of the people who do this at any time.
  double slow_mps;
  double fast_mps;
  double turn;     // Radians from one report to the next, as a deviation.
  double stop;     // The chance to stand still until the next report: lights, stations.
  double leash_m;  // Farther from home than this they turn back.
};

// By Mode.
constexpr std::array<Habits, 5> kHabits = {{
    {0.700, 0, 0, 0, 1, 0},
    {0.150, 0.9, 1.8, 0.7, 0.15, 3'000},
    {0.110, 7, 32, 0.4, 0.12, 60'000},
    {0.036, 18, 75, 0.08, 0.10, 300'000},
    {0.004, 190, 260, 0.01, 0, 8'000'000},
}};

}  // namespace

Movement::Movement(const HugeArray<Position>& homes, std::uint64_t seed, Mobility mobility)
    : homes_(homes), seed_(seed), mobility_(mobility), travellers_(homes.size()) {
  for (std::uint32_t user = 0; user < homes.size(); ++user) {
    Random random(seed_, user, 0);
    travellers_[user].position = travellers_[user].reported = homes[user];
    if (mobility_ == Mobility::kAsPeopleDo) DrawMode(&travellers_[user], &random);
  }
}

void Movement::DrawMode(Traveller* traveller, Random* random) {
  double left = random->Uniform();
  std::size_t mode = 0;
  while (mode + 1 < kHabits.size() && left >= kHabits[mode].share) left -= kHabits[mode++].share;
  const Habits& habits = kHabits[mode];
  traveller->mode = static_cast<Mode>(mode);
  traveller->speed_mps = static_cast<float>(random->Uniform(habits.slow_mps, habits.fast_mps));
  traveller->heading = static_cast<float>(random->Uniform(-kPi, kPi));
}

void Movement::MaybeChangeMode(std::uint32_t user, std::uint32_t at_ms,
                               Traveller* traveller) const {
  // Everybody's ten minutes begin at another moment.
  const auto shift = static_cast<std::uint32_t>(Mix(seed_ ^ (user * kGoldenRatio)) % kModeMs);
  const std::uint32_t before = (traveller->at_ms + shift) / kModeMs;
  const std::uint32_t now = (at_ms + shift) / kModeMs;
  if (before == now) return;
  Random random(seed_ + 1, user, now);
  if (random.Chance(kModeChange)) DrawMode(traveller, &random);
}

void Movement::Travel(std::uint32_t user, double seconds, Random* random,
                      Traveller* traveller) const {
  const Habits& habits = kHabits[static_cast<std::size_t>(traveller->mode)];
  if (random->Chance(habits.stop)) return;
  const Position home = homes_[user];
  double heading = traveller->heading + habits.turn * random->RoughNormal();
  const double cos_lat = CosLat(traveller->position);
  const double haversine = RoughHaversine(traveller->position, cos_lat, home, CosLat(home));
  if (haversine > HaversineOfMeters(habits.leash_m)) {
    const double north = static_cast<double>(home.lat_units()) - traveller->position.lat_units();
    const auto east =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(home.lng_units()) -
                                  static_cast<std::uint32_t>(traveller->position.lng_units()));
    heading = std::atan2(east * cos_lat, north);
  }
  const double way_m = seconds * traveller->speed_mps * random->Uniform(0.7, 1.15);
  const LatLng there =
      Moved(traveller->position.ToLatLng(), way_m * std::cos(heading), way_m * std::sin(heading));
  traveller->position = Position::FromLatLng(there);
  traveller->heading = static_cast<float>(std::remainder(heading, 2 * kPi));
}

LatLng Movement::Report(std::uint32_t user, std::uint32_t at_ms) {
  Traveller& traveller = travellers_[user];
  Random random(seed_, user, std::uint64_t{at_ms} + 1);
  if (mobility_ == Mobility::kAsPeopleDo) MaybeChangeMode(user, at_ms, &traveller);
  if (traveller.mode != Mode::kStill) {
    Travel(user, (at_ms - traveller.at_ms) / 1e3, &random, &traveller);
  }
  double north_m = kGpsNoiseMeters * random.RoughNormal();
  double east_m = kGpsNoiseMeters * random.RoughNormal();
  if (random.Chance(kGlitch)) {
    const double off_m = random.Uniform(kGlitchFromMeters, kGlitchToMeters);
    const double bearing = random.Uniform(-kPi, kPi);
    north_m += off_m * std::cos(bearing);
    east_m += off_m * std::sin(bearing);
  }
  const LatLng reported = Moved(traveller.position.ToLatLng(), north_m, east_m);
  traveller.at_ms = at_ms;
  traveller.reported = Position::FromLatLng(reported);
  return reported;
}

}  // namespace capacity
