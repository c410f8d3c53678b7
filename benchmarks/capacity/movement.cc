#include "benchmarks/capacity/movement.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace capacity {
namespace {

using nearby::Position;

constexpr double kTurn = 2 * 3.141592653589793;
constexpr double kUnitsPerMeter = 4294967296.0 / (2 * nearby::kMaxDistanceMeters);
constexpr double kNoiseMeters = 10;
constexpr double kSecondsPerReport = 30;
constexpr double kReportsPerTenMinutes = 20;

struct Mode {
  double share;
  double meters_per_s;
  double range_m;  // turns back when so far from home
};
constexpr std::array<Mode, 5> kModes = {{
    {0.72, 0, 2e7},
    {0.12, 1.4, 3'000},
    {0.11, 14, 20'000},
    {0.047, 45, 150'000},
    {0.003, 240, 3e6},
}};

Position Moved(Position from, double north_m, double east_m) {
  constexpr std::int32_t kLatLimit = (1 << 30) - (1 << 24);
  const double cosine = std::max(0.05, std::cos(from.lat_units() / 4294967296.0 * kTurn));
  const auto lat =
      static_cast<std::int64_t>(from.lat_units()) + std::llround(north_m * kUnitsPerMeter);
  const std::int64_t lng = std::llround(east_m * kUnitsPerMeter / cosine);
  return Position::FromUnits(
      static_cast<std::int32_t>(std::clamp<std::int64_t>(lat, -kLatLimit, kLatLimit)),
      static_cast<std::int32_t>(static_cast<std::uint32_t>(from.lng_units()) +
                                static_cast<std::uint32_t>(lng)));
}

}  // namespace

Movement::Movement(const World& world, std::uint64_t seed)
    : world_(&world),
      random_(Mix(seed + 2)),
      places_(world.users()),
      reported_(world.users()),
      states_(world.users()) {
  for (std::uint32_t user = 0; user < world.users(); ++user) {
    places_[user] = reported_[user] = world.home(user);
    states_[user] = {DrawMode(), static_cast<std::uint8_t>(random_.Below(256))};
  }
}

std::uint8_t Movement::DrawMode() {
  double draw = random_.Unit();
  std::uint8_t mode = 0;
  while (mode + 1u < kModes.size() && draw >= kModes[mode].share) draw -= kModes[mode++].share;
  return mode;
}

Position Movement::Next(std::uint32_t user) {
  State& state = states_[user];
  if (random_.Unit() < 0.05 / kReportsPerTenMinutes) {
    state = {DrawMode(), static_cast<std::uint8_t>(random_.Below(256))};
  }
  const Mode& mode = kModes[state.mode];
  Position& place = places_[user];
  if (mode.meters_per_s > 0) {
    const Position home = world_->home(user);
    // Nearly straight on, but for whoever has gone far enough.
    state.heading = static_cast<std::uint8_t>(state.heading + random_.Below(9) - 4);
    if (random_.Below(8) == 0 &&
        static_cast<double>(nearby::DistanceMillimeters(home, place)) > mode.range_m * 1000) {
      const double north = static_cast<double>(home.lat_units()) - place.lat_units();
      const auto east = static_cast<double>(
          static_cast<std::int32_t>(static_cast<std::uint32_t>(home.lng_units()) -
                                    static_cast<std::uint32_t>(place.lng_units())));
      state.heading = static_cast<std::uint8_t>(std::lround(std::atan2(east, north) / kTurn * 256));
    }
    const double meters = mode.meters_per_s * kSecondsPerReport * (0.6 + 0.4 * random_.Unit());
    const double angle = state.heading * (kTurn / 256);
    place = Moved(place, meters * std::cos(angle), meters * std::sin(angle));
  }
  // The sum of two uniform deviations is near enough to what a phone's is.
  const double spread = random_.Below(4'000) == 0 ? 300 * kNoiseMeters : 2.4 * kNoiseMeters;
  reported_[user] = Moved(place, spread * (random_.Unit() + random_.Unit() - 1),
                          spread * (random_.Unit() + random_.Unit() - 1));
  return reported_[user];
}

}  // namespace capacity
