#include "examples/replay/movement.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "examples/replay/great_circle.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "nearby/geo.h"

namespace replay {
namespace {

constexpr double kLongestWalkMeters = 2'000;
constexpr double kLongestRideMeters = 8'000;
constexpr double kShortestRailMeters = 4'000;
constexpr double kShortestFlightMeters = 300'000;
constexpr double kShortestStaySeconds = 60;

std::size_t ToIndex(Mode mode) { return static_cast<std::size_t>(mode); }

// Draws an index with a chance in proportion to weight(index). Two passes rather than an array of
// sums: this runs for every trip of everyone. `fallback` if all weights are 0.
template <typename Weight>
std::size_t DrawIndex(std::size_t count, std::size_t fallback, Random* random,
                      const Weight& weight) {
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += weight(i);
  double left = total * random->Uniform();
  std::size_t drawn = fallback;
  for (std::size_t i = 0; i < count; ++i) {
    const double w = weight(i);
    if (w <= 0) continue;
    drawn = i;
    left -= w;
    if (left < 0) break;
  }
  return drawn;
}

}  // namespace

const char* ToString(Mode mode) {
  switch (mode) {
    case Mode::kStill:
      return "still";
    case Mode::kWalk:
      return "walk";
    case Mode::kRide:
      return "ride";
    case Mode::kDrive:
      return "drive";
    case Mode::kRail:
      return "rail";
    case Mode::kFly:
      return "fly";
  }
  return "unknown";
}

Mode ChooseMode(double distance_m, const MovementModel& model, Random* random) {
  if (distance_m > kShortestFlightMeters) return Mode::kFly;
  const bool can_ride = !model.speeds[ToIndex(Mode::kRide)].empty();
  const bool has_rail = !model.speeds[ToIndex(Mode::kRail)].empty();
  if (distance_m < kLongestWalkMeters) {
    return can_ride && random->Chance(0.2) ? Mode::kRide : Mode::kWalk;
  }
  if (can_ride && distance_m < kLongestRideMeters && random->Chance(0.35)) return Mode::kRide;
  if (has_rail && distance_m > kShortestRailMeters && random->Chance(0.4)) return Mode::kRail;
  return Mode::kDrive;
}

Traveller::Traveller(const std::vector<Place>& places, std::int64_t start_ms,
                     const MovementModel& model, Random* random)
    : places_(&places), now_ms_(start_ms) {
  place_ = DrawIndex(places.size(), 0, random, [&](std::size_t i) { return places[i].weight; });
  Stay(model, random);
}

void Traveller::AdvanceTo(std::int64_t time_ms, const MovementModel& model, Random* random) {
  while (now_ms_ < time_ms) {
    if (mode_ != Mode::kStill) {
      Step(time_ms, model);
      if (travelled_m_ >= way_.length_m()) Stay(model, random);
    } else if (leave_ms_ <= time_ms) {
      now_ms_ = std::max(now_ms_, leave_ms_);
      Leave(model, random);
    } else {
      now_ms_ = time_ms;
    }
  }
}

UnitVector Traveller::position() const {
  return mode_ == Mode::kStill ? (*places_)[place_].point : way_.At(travelled_m_);
}

void Traveller::Stay(const MovementModel& model, Random* random) {
  mode_ = Mode::kStill;
  const double rest = std::max(0.0, model.mean_stay_s - kShortestStaySeconds);
  const double stay_s = kShortestStaySeconds + random->Exponential(rest);
  leave_ms_ = now_ms_ + static_cast<std::int64_t>(stay_s * 1000);
}

void Traveller::Leave(const MovementModel& model, Random* random) {
  const std::size_t next = ChooseNext(model, random);
  const std::size_t previous = std::exchange(place_, next);
  if (next == previous) {
    Stay(model, random);
    return;
  }
  way_ = GreatCircle((*places_)[previous].point, (*places_)[next].point);
  mode_ = ChooseMode(way_.length_m(), model, random);
  travelled_m_ = 0;
  speed_index_ = random->Below(model.speeds[ToIndex(mode_)].size());
  step_left_ms_ = MovementModel::kSpeedStepMs;
}

void Traveller::Step(std::int64_t time_ms, const MovementModel& model) {
  const std::vector<float>& speeds = model.speeds[ToIndex(mode_)];
  const std::int64_t step_ms = std::min(step_left_ms_, time_ms - now_ms_);
  travelled_m_ += static_cast<double>(speeds[speed_index_]) * static_cast<double>(step_ms) / 1000;
  now_ms_ += step_ms;
  step_left_ms_ -= step_ms;
  if (step_left_ms_ > 0) return;
  step_left_ms_ = MovementModel::kSpeedStepMs;
  if (++speed_index_ == speeds.size()) speed_index_ = 0;
}

std::size_t Traveller::ChooseNext(const MovementModel& model, Random* random) const {
  const std::vector<Place>& places = *places_;
  const bool anywhere = random->Chance(model.far_trips);
  const double near = model.near_m / nearby::kEarthRadiusMeters;
  const double scale = anywhere ? 0 : 1 / (near * near);
  const UnitVector here = places[place_].point;
  return DrawIndex(places.size(), place_, random, [&](std::size_t i) {
    if (i == place_) return 0.0;
    return places[i].weight / (1 + scale * SquaredChord(here, places[i].point));
  });
}

}  // namespace replay
