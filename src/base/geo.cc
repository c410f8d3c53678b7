#include "nearby/geo.h"

#include <algorithm>
#include <boost/geometry/core/cs.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/strategies/spherical/distance_haversine.hpp>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/base/spherical.h"

namespace nearby {
namespace {

constexpr double kUnitsPerDegree = 4294967296.0 / 360.0;

absl::Status CheckCoordinate(absl::string_view name, double value, double bound) {
  if (!std::isfinite(value)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is not a finite number"));
  }
  if (std::fabs(value) > bound) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s %.15g lies outside -%.15g .. %.15g", name, value, bound, bound));
  }
  return absl::OkStatus();
}

// The angle whose haversine is h, for h <= 1/2. By hav(x / 2) = hav(x) / (2 + 2 sqrt(1 - hav(x)))
// (half-angle identity of the sine), until the polynomial applies.
double AngleOf(double h) {
  double scale = 2;
  while (h > internal::kSeriesHaversine) {
    h = h / (2 + 2 * std::sqrt(1 - h));
    scale *= 2;
  }
  return scale * internal::AsinSqrt<false>(h);
}

}  // namespace

absl::Status Validate(LatLng point) {
  absl::Status status = CheckCoordinate("latitude", point.lat, 90);
  if (status.ok()) status = CheckCoordinate("longitude", point.lng, 180);
  return status;
}

double HaversineMeters(LatLng a, LatLng b) {
  namespace bg = boost::geometry;
  using Point = bg::model::point<double, 2, bg::cs::spherical_equatorial<bg::degree>>;
  const bg::strategy::distance::haversine<double> strategy(kEarthRadiusMeters);
  return strategy.apply(Point(a.lng, a.lat), Point(b.lng, b.lat));
}

Position Position::FromLatLng(LatLng point) {
  const auto lat = static_cast<std::int64_t>(std::floor(point.lat * kUnitsPerDegree + 0.5));
  const auto lng = static_cast<std::int64_t>(std::floor(point.lng * kUnitsPerDegree + 0.5));
  // Dropping the high bits wraps the longitude: 180 and -180 degrees are one meridian.
  return Position(static_cast<std::int32_t>(lat),
                  static_cast<std::int32_t>(static_cast<std::uint32_t>(lng)));
}

LatLng Position::ToLatLng() const { return {lat_ / kUnitsPerDegree, lng_ / kUnitsPerDegree}; }

std::int64_t DistanceMillimeters(Position a, Position b) {
  const double cos_lats = internal::CosLat(a) * internal::CosLat(b);
  const double near = internal::Haversine(a, b, cos_lats);
  double meters;
  if (internal::IsNear(a, b)) {
    meters = 2 * kEarthRadiusMeters * internal::AsinSqrt<true>(near);
  } else if (near <= 0.5) {
    meters = kEarthRadiusMeters * AngleOf(near);
  } else {
    const double far = std::min(internal::HaversineToAntipode(a, b, cos_lats), 0.5);
    meters = kMaxDistanceMeters - kEarthRadiusMeters * AngleOf(far);
  }
  return static_cast<std::int64_t>(std::floor(meters * 1000 + 0.5));
}

std::ostream& operator<<(std::ostream& out, LatLng point) {
  return out << "(" << point.lat << ", " << point.lng << ")";
}

std::ostream& operator<<(std::ostream& out, Position position) {
  return position.is_somewhere() ? out << position.ToLatLng() : out << "nowhere";
}

}  // namespace nearby
