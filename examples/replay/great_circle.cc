#include "examples/replay/great_circle.h"

#include <algorithm>
#include <cmath>

#include "nearby/geo.h"

namespace replay {
namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;

UnitVector Cross(UnitVector a, UnitVector b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

double Dot(UnitVector a, UnitVector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

// p * a + q * b
UnitVector Combined(UnitVector a, double p, UnitVector b, double q) {
  return {a.x * p + b.x * q, a.y * p + b.y * q, a.z * p + b.z * q};
}

UnitVector Normalized(UnitVector v) {
  const double scale = 1 / std::sqrt(Dot(v, v));
  return {v.x * scale, v.y * scale, v.z * scale};
}

UnitVector AnyPerpendicular(UnitVector point) {
  // The axis farther from the point: the product cannot vanish.
  const UnitVector axis = std::abs(point.z) < 0.7 ? UnitVector{0, 0, 1} : UnitVector{1, 0, 0};
  return Normalized(Cross(axis, point));
}

UnitVector Along(UnitVector from, UnitVector heading, double meters) {
  const double angle = meters / nearby::kEarthRadiusMeters;
  return Normalized(Combined(from, std::cos(angle), heading, std::sin(angle)));
}

}  // namespace

UnitVector ToUnitVector(nearby::LatLng point) {
  const double lat = point.lat * kDegree;
  const double lng = point.lng * kDegree;
  return {std::cos(lat) * std::cos(lng), std::cos(lat) * std::sin(lng), std::sin(lat)};
}

nearby::LatLng ToLatLng(UnitVector point) {
  const double equatorial = std::sqrt(point.x * point.x + point.y * point.y);
  return {std::atan2(point.z, equatorial) / kDegree, std::atan2(point.y, point.x) / kDegree};
}

double SquaredChord(UnitVector a, UnitVector b) {
  const UnitVector chord = Combined(a, 1, b, -1);
  return Dot(chord, chord);
}

double DistanceMeters(UnitVector a, UnitVector b) {
  const double half_chord = std::min(1.0, std::sqrt(SquaredChord(a, b)) / 2);
  return 2 * std::asin(half_chord) * nearby::kEarthRadiusMeters;
}

UnitVector Displaced(UnitVector point, double a_m, double b_m) {
  const double meters = std::sqrt(a_m * a_m + b_m * b_m);
  if (meters == 0) return point;
  const UnitVector a = AnyPerpendicular(point);
  const UnitVector b = Cross(point, a);
  return Along(point, Combined(a, a_m / meters, b, b_m / meters), meters);
}

GreatCircle::GreatCircle(UnitVector from, UnitVector to)
    : from_(from), length_m_(DistanceMeters(from, to)) {
  const UnitVector sideways = Combined(to, 1, from, -Dot(to, from));
  // Identical points and antipodes have no heading, so any will do.
  constexpr double kNoHeading = 1e-24;
  heading_ = Dot(sideways, sideways) < kNoHeading ? AnyPerpendicular(from) : Normalized(sideways);
}

UnitVector GreatCircle::At(double meters) const { return Along(from_, heading_, meters); }

}  // namespace replay
