#ifndef NEARBY_TESTS_BASE_SPHERE_REFERENCE_H_
#define NEARBY_TESTS_BASE_SPHERE_REFERENCE_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <random>

#include "nearby/geo.h"

// What the fixed-point geometry is held against: distances and points on the sphere by vectors in
// long double, which share neither a formula nor a rounding with it; and points chosen to be
// awkward.

namespace nearby::testing {

inline constexpr long double kPi = 3.14159265358979323846264338327950288L;
inline constexpr long double kReferenceRadiusMeters = 6'371'008.7714L;

// Boost's haversine formula loses its precision towards the antipode; up to here it has plenty.
inline constexpr double kHaversineGoodMeters = 19'000'000;

struct Vector {
  long double x, y, z;
};

inline Vector Scaled(const Vector& v, long double s) { return {v.x * s, v.y * s, v.z * s}; }
inline Vector Sum(const Vector& a, const Vector& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline long double Dot(const Vector& a, const Vector& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

inline Vector UnitVector(LatLng point) {
  const long double lat = point.lat * kPi / 180;
  const long double lng = point.lng * kPi / 180;
  return {std::cos(lat) * std::cos(lng), std::cos(lat) * std::sin(lng), std::sin(lat)};
}

// The great-circle distance from the chord between the points or, beyond a quarter turn, from the
// chord to the antipode: well-conditioned everywhere.
inline long double ReferenceMeters(LatLng a, LatLng b) {
  const Vector u = UnitVector(a);
  const Vector v = UnitVector(b);
  const bool beyond_quarter = Dot(u, v) < 0;
  const Vector chord = Sum(u, Scaled(v, beyond_quarter ? 1 : -1));
  const long double angle = 2 * std::asin(std::min(std::sqrt(Dot(chord, chord)) / 2, 1.0L));
  return kReferenceRadiusMeters * (beyond_quarter ? kPi - angle : angle);
}

// The distance that the library's promises are measured by: Boost.Geometry's as far as that is
// good.
inline double TrueMeters(LatLng a, LatLng b) {
  const double haversine = HaversineMeters(a, b);
  if (haversine <= kHaversineGoodMeters) return haversine;
  return static_cast<double>(ReferenceMeters(a, b));
}

// The point that lies `meters` from `start` in the direction `bearing`, in radians clockwise from
// north. At a pole north is along the start's own meridian.
inline LatLng Destination(LatLng start, long double bearing, long double meters) {
  const long double lat = start.lat * kPi / 180;
  const long double lng = start.lng * kPi / 180;
  const Vector north{-std::sin(lat) * std::cos(lng), -std::sin(lat) * std::sin(lng), std::cos(lat)};
  const Vector east{-std::sin(lng), std::cos(lng), 0};
  const Vector ahead = Sum(Scaled(north, std::cos(bearing)), Scaled(east, std::sin(bearing)));
  const long double angle = meters / kReferenceRadiusMeters;
  const Vector end =
      Sum(Scaled(UnitVector(start), std::cos(angle)), Scaled(ahead, std::sin(angle)));
  const long double end_lat = std::atan2(end.z, std::hypot(end.x, end.y));
  const long double end_lng = std::atan2(end.y, end.x);
  return {std::clamp(static_cast<double>(end_lat * 180 / kPi), -90.0, 90.0),
          std::clamp(static_cast<double>(end_lng * 180 / kPi), -180.0, 180.0)};
}

// The direction in which `to` lies from `from`, as Destination takes it.
inline double InitialBearing(LatLng from, LatLng to) {
  const long double lat = from.lat * kPi / 180;
  const long double lng = from.lng * kPi / 180;
  const Vector north{-std::sin(lat) * std::cos(lng), -std::sin(lat) * std::sin(lng), std::cos(lat)};
  const Vector east{-std::sin(lng), std::cos(lng), 0};
  const Vector target = UnitVector(to);
  return static_cast<double>(std::atan2(Dot(target, east), Dot(target, north)));
}

inline LatLng Antipode(LatLng point) {
  return {-point.lat, point.lng <= 0 ? point.lng + 180 : point.lng - 180};
}

struct PointPair {
  LatLng a;
  LatLng b;
};

inline std::ostream& operator<<(std::ostream& out, const PointPair& pair) {
  const std::streamsize precision = out.precision(17);
  out << pair.a << " to " << pair.b;
  out.precision(precision);
  return out;
}

enum class PairKind {
  kUniform,       // both anywhere
  kNear,          // a millimetre to 20 km apart
  kSameMeridian,  // or the opposite one
  kSameParallel,
  kPoles,         // one within 100 km of a pole, the other there or anywhere
  kAntimeridian,  // on both sides of it
  kAntipodal,     // a millimetre to 1,000 km from the antipode
  kCorners,       // coordinates at and beside their extremes
};

inline constexpr std::array<PairKind, 8> kAllPairKinds = {
    PairKind::kUniform, PairKind::kNear,         PairKind::kSameMeridian, PairKind::kSameParallel,
    PairKind::kPoles,   PairKind::kAntimeridian, PairKind::kAntipodal,    PairKind::kCorners};

inline const char* ToString(PairKind kind) {
  constexpr std::array<const char*, 8> kNames = {"Uniform",      "Near",   "SameMeridian",
                                                 "SameParallel", "Poles",  "Antimeridian",
                                                 "Antipodal",    "Corners"};
  return kNames[static_cast<std::size_t>(kind)];
}

inline void PrintTo(PairKind kind, std::ostream* out) { *out << ToString(kind); }

// Seeded draws of awkward points.
class PointSource {
 public:
  explicit PointSource(std::uint64_t seed) : random_(seed) {}

  std::mt19937_64& random() { return random_; }

  // In [low, high).
  double Between(double low, double high) {
    return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1p-53;
  }
  // Every order of magnitude alike.
  double LogBetween(double low, double high) {
    return std::exp(Between(std::log(low), std::log(high)));
  }
  double Bearing() { return Between(0, 6.283185307179586); }
  bool Coin() { return (random_() & 1) != 0; }

  // Uniform over the area of the sphere.
  LatLng Anywhere() {
    const double lat = std::asin(Between(-1, 1)) * (180 / static_cast<double>(kPi));
    return {std::clamp(lat, -90.0, 90.0), Between(-180, 180)};
  }
  LatLng NearPole() {
    const LatLng pole{Coin() ? 90.0 : -90.0, Between(-180, 180)};
    return Destination(pole, Bearing(), LogBetween(1e-3, 1e5));
  }
  LatLng Corner() {
    constexpr std::array<double, 6> kOffsets = {0, 1e-9, 4.2e-8, 8.4e-8, 1e-6, 1e-3};
    constexpr std::array<double, 5> kLats = {-90, -45, 0, 45, 90};
    constexpr std::array<double, 5> kLngs = {-180, -90, 0, 90, 180};
    return {Beside(kLats[random_() % kLats.size()], kOffsets[random_() % kOffsets.size()], 90),
            Beside(kLngs[random_() % kLngs.size()], kOffsets[random_() % kOffsets.size()], 180)};
  }

  PointPair Pair(PairKind kind) {
    const LatLng a = Anywhere();
    switch (kind) {
      case PairKind::kUniform:
        return {a, Anywhere()};
      case PairKind::kNear:
        return {a, Destination(a, Bearing(), LogBetween(1e-3, 2e4))};
      case PairKind::kSameMeridian:
        return {a, {Between(-90, 90), Coin() ? a.lng : Antipode(a).lng}};
      case PairKind::kSameParallel:
        return {a, {a.lat, Between(-180, 180)}};
      case PairKind::kPoles:
        return {NearPole(), Coin() ? NearPole() : a};
      case PairKind::kAntimeridian: {
        const LatLng east{a.lat, 180 - LogBetween(1e-9, 1)};
        const double lat = std::clamp(a.lat + Between(-0.1, 0.1), -90.0, 90.0);
        return {east, {lat, -180 + LogBetween(1e-9, 1)}};
      }
      case PairKind::kAntipodal:
        return {a, Destination(Antipode(a), Bearing(), LogBetween(1e-3, 1e6))};
      case PairKind::kCorners:
        return {Corner(), Corner()};
    }
    return {a, a};
  }

 private:
  double Beside(double value, double offset, double bound) {
    return std::clamp(Coin() ? value + offset : value - offset, -bound, bound);
  }

  std::mt19937_64 random_;
};

}  // namespace nearby::testing

#endif  // NEARBY_TESTS_BASE_SPHERE_REFERENCE_H_
