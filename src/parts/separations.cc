#include "src/parts/separations.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>

#include "src/base/spherical.h"

namespace nearby {
namespace {

// What rounding can have added to a distance, relative to it.
constexpr double kRounding = 1e-9;

// Up to this haversine (some 2,500 km) the series of the inverse sine serves alone.
constexpr double kSeriesLimit = 0.04;

}  // namespace

Separation Separation::Between(Position a, Position b) {
  if (!a.is_somewhere() || !b.is_somewhere()) return {};
  const double cos_lats = internal::CosLat(a.lat_units()) * internal::CosLat(b.lat_units());
  return {true, internal::Haversine(a, b, cos_lats), DistanceMillimeters(a, b)};
}

double Separation::MinMeters() const {
  return 2 * kEarthRadiusMeters * std::sqrt(haversine) * (1 - kRounding);
}

double MaxMetersBetween(Position a, Position b) {
  // The larger cosine for both: the bound grows a little, and one is enough.
  const std::int32_t nearer_equator =
      std::abs(a.lat_units()) < std::abs(b.lat_units()) ? a.lat_units() : b.lat_units();
  const double cosine = internal::CosLat(nearer_equator);
  const double haversine = internal::Haversine(a, b, cosine * cosine);
  // asin(x) <= x (1 + 0.17 x^2) for x <= 0.1, by its series.
  if (haversine <= 0.01) {
    return 2 * kEarthRadiusMeters * std::sqrt(haversine) * (1 + 0.17 * haversine) * (1 + kRounding);
  }
  return static_cast<double>(DistanceMillimeters(a, b) + 1) / 1000;
}

SeparationBlock::SeparationBlock(Position center)
    : center_(center), center_cos_(internal::CosLat(center.lat_units())) {}

void SeparationBlock::Compute(const Position* positions, std::size_t count) {
  assert(count >= 1 && count <= kSize);
  // A loop for each step, with a fixed number of rounds and nothing to decide in it. A difference
  // of latitudes is exact as a double, too.
  std::array<double, kSize> lats;
  std::array<double, kSize> lngs;
  for (std::size_t i = 0; i < kSize; ++i) {
    const Position position = positions[std::min(i, count - 1)];
    is_somewhere_[i] = position.is_somewhere();
    lats[i] = position.lat_units();
    lngs[i] = internal::WrappingDifference(center_.lng_units(), position.lng_units());
  }
  const double center_lat = center_.lat_units();
  for (std::size_t i = 0; i < kSize; ++i) {
    // As internal::CosLat, HalfSine2 and Haversine, which take integers.
    const double cosine = internal::SinPi(0.5 - 2.0 * std::fabs(internal::kTurnsPerUnit * lats[i]));
    const double lat_sine =
        internal::SinPi(internal::kTurnsPerUnit * std::fabs(center_lat - lats[i]));
    const double lng_sine = internal::SinPi(internal::kTurnsPerUnit * std::fabs(lngs[i]));
    haversines_[i] = lat_sine * lat_sine + center_cos_ * cosine * (lng_sine * lng_sine);
  }
  std::array<double, kSize> meters;
  for (std::size_t i = 0; i < kSize; ++i) {
    meters[i] = 2 * kEarthRadiusMeters * internal::AsinSmall(std::sqrt(haversines_[i]));
  }
  for (std::size_t i = 0; i < kSize; ++i) {
    // Not negative, so that to truncate is to round down.
    distances_mm_[i] = static_cast<std::int64_t>(std::min(meters[i], 1e9) * 1000 + 0.5);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (haversines_[i] > kSeriesLimit && is_somewhere_[i]) {
      distances_mm_[i] = DistanceMillimeters(center_, positions[i]);
    }
  }
}

}  // namespace nearby
