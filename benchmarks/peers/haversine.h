#ifndef BENCHMARKS_PEERS_HAVERSINE_H_
#define BENCHMARKS_PEERS_HAVERSINE_H_

#include <cmath>

#include "benchmarks/capacity/sphere.h"
#include "nearby/geo.h"

namespace peers {

/// A location as a careful user of a peer keeps it for many checks: what depends on one point alone
/// has been computed.
struct Point {
  double lat_rad = 0;
  double lng_rad = 0;
  double cos_lat = 0;
};

inline Point ToPoint(nearby::LatLng location) {
  const double lat_rad = location.lat * capacity::kRadiansPerDegree;
  return {lat_rad, location.lng * capacity::kRadiansPerDegree, std::cos(lat_rad)};
}

/// hav(d / R). Two sines, no square root and no arc sine: these are for pairs that are in sight.
inline double HavOf(const Point& a, const Point& b) {
  const double sin_lat = std::sin((b.lat_rad - a.lat_rad) / 2);
  const double sin_lng = std::sin((b.lng_rad - a.lng_rad) / 2);
  return sin_lat * sin_lat + a.cos_lat * b.cos_lat * sin_lng * sin_lng;
}

/// Decides "within the radius" by haversine, as a careful programmer would: latitudes that are too
/// far apart spare the trigonometry, and haversines are compared rather than distances.
class RadiusTest {
 public:
  explicit RadiusTest(double radius_m)
      : angle_rad_(radius_m / nearby::kEarthRadiusMeters),
        hav_(std::sin(angle_rad_ / 2) * std::sin(angle_rad_ / 2)) {}

  /// Whether the two are near, and if so the haversine of their distance.
  bool operator()(const Point& a, const Point& b, double* hav) const {
    if (std::abs(a.lat_rad - b.lat_rad) > angle_rad_) return false;
    *hav = HavOf(a, b);
    return *hav <= hav_;
  }

 private:
  double angle_rad_;
  double hav_;
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_HAVERSINE_H_
