#ifndef BENCHMARKS_CAPACITY_SPHERE_H_
#define BENCHMARKS_CAPACITY_SPHERE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "nearby/geo.h"

// Geometry for making worlds: fast, and good to a thousandth, which is enough to say who lives
// where. Nothing that is checked or measured rests on it.

namespace capacity {

inline constexpr double kPi = 3.141592653589793;
inline constexpr double kRadiansPerDegree = kPi / 180;
inline constexpr double kRadiansPerUnit = 2 * kPi / 4294967296.0;
inline constexpr double kMetersPerUnit = nearby::kEarthRadiusMeters * kRadiansPerUnit;
inline constexpr double kMetersPerDegree = nearby::kEarthRadiusMeters * kRadiansPerDegree;

inline double CosLat(nearby::Position position) {
  return std::cos(position.lat_units() * kRadiansPerUnit);
}

/// The Taylor series of the sine, for [-pi/2, pi/2].
inline double RoughSine(double x) {
  const double y = x * x;
  return x * (1 - y * (1.0 / 6 - y * (1.0 / 120 - y * (1.0 / 5040 - y * (1.0 / 362880)))));
}

/// hav(d / R) of two positions, their cosines of latitude given.
inline double RoughHaversine(nearby::Position a, double cos_a, nearby::Position b, double cos_b) {
  const double lat = 0.5 * kRadiansPerUnit *
                     (static_cast<double>(a.lat_units()) - static_cast<double>(b.lat_units()));
  const auto wrapped = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lng_units()) -
                                                 static_cast<std::uint32_t>(b.lng_units()));
  const double sin_lat = RoughSine(lat);
  const double sin_lng = RoughSine(0.5 * kRadiansPerUnit * wrapped);
  return sin_lat * sin_lat + cos_a * cos_b * sin_lng * sin_lng;
}

inline double HaversineOfMeters(double meters) {
  const double sine = std::sin(std::min(meters / nearby::kEarthRadiusMeters, kPi) / 2);
  return sine * sine;
}

inline double MetersOfHaversine(double haversine) {
  return 2 * nearby::kEarthRadiusMeters * std::asin(std::sqrt(std::min(haversine, 1.0)));
}

/// A longitude brought back to -180 .. 180. Requires one at most a turn outside.
inline double WrapLongitude(double lng) {
  if (lng > 180) return lng - 360;
  return lng < -180 ? lng + 360 : lng;
}

/// The point moved over the plane that touches it: for some kilometres, and away from the poles.
inline nearby::LatLng Moved(nearby::LatLng from, double north_m, double east_m) {
  const double cos_lat = std::max(0.1, std::cos(from.lat * kRadiansPerDegree));
  return {std::clamp(from.lat + north_m / kMetersPerDegree, -85.0, 85.0),
          WrapLongitude(from.lng + east_m / (kMetersPerDegree * cos_lat))};
}

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_SPHERE_H_
