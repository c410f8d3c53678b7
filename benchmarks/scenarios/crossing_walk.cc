#include "benchmarks/scenarios/crossing_walk.h"

#include <cmath>

#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/sphere.h"

namespace scenarios {
namespace {

constexpr double kSideMeters = 20'000;
constexpr double kLeastSpeed = 12;
constexpr double kGreatestSpeed = 24.5;
constexpr nearby::LatLng kMiddle = {48.5, 9.06};

// A way of that length, walked to and fro.
double Folded(double way_m) {
  const double there_and_back = std::fmod(way_m, 2 * kSideMeters);
  return there_and_back < kSideMeters ? there_and_back : 2 * kSideMeters - there_and_back;
}

}  // namespace

CrossingWalk::CrossingWalk(std::uint32_t users, std::uint64_t seed)
    : users_(users), seed_(seed), order_(users, capacity::Mix(seed + 5)) {}

nearby::LatLng CrossingWalk::LocationAt(std::uint32_t user, std::int64_t passed_ms) const {
  capacity::Random random(seed_, user, 0);
  const double north_m = random.Uniform(0, 2 * kSideMeters);
  const double east_m = random.Uniform(0, 2 * kSideMeters);
  const double way_m =
      random.Uniform(kLeastSpeed, kGreatestSpeed) * static_cast<double>(passed_ms) / 1'000;
  const double bearing = random.Uniform(0, capacity::kPi / 2);
  return capacity::Moved(kMiddle, Folded(north_m + way_m * std::cos(bearing)) - kSideMeters / 2,
                         Folded(east_m + way_m * std::sin(bearing)) - kSideMeters / 2);
}

void CrossingWalk::Next(nearby::Time until, std::vector<capacity::TracedReport>* reports) {
  while (true) {
    const std::uint64_t round = next_ / users_;
    const std::uint64_t place = next_ % users_;
    const auto passed_ms = static_cast<std::int64_t>(round * capacity::kReportIntervalMs +
                                                     place * capacity::kReportIntervalMs / users_);
    const nearby::Time time{capacity::kTraceStart.ms + passed_ms};
    if (time >= until) return;
    const std::uint32_t user = order_(static_cast<std::uint32_t>(place));
    reports->push_back({user, LocationAt(user, passed_ms), time});
    ++next_;
  }
}

}  // namespace scenarios
