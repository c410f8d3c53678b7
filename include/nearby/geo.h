#ifndef NEARBY_GEO_H_
#define NEARBY_GEO_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <ostream>

#include "absl/status/status.h"
#include "nearby/export.h"

namespace nearby {

/// The mean earth radius R1 = (2a + b) / 3 of WGS 84, in metres (IUGG; Moritz, "Geodetic Reference
/// System 1980", Journal of Geodesy 74, 2000).
inline constexpr double kEarthRadiusMeters = 6'371'008.7714;

/// Half the circumference of that sphere: no two points are farther apart.
inline constexpr double kMaxDistanceMeters = 20'015'114.352186374;

/// A point on the earth in degrees, as phones report it.
struct LatLng {
  double lat = 0;  ///< Degrees north, -90 .. 90.
  double lng = 0;  ///< Degrees east, -180 .. 180; both ends are the same meridian.
};

/// Whether both coordinates are finite and in range.
constexpr bool IsValid(LatLng point) {
  return point.lat >= -90 && point.lat <= 90 && point.lng >= -180 && point.lng <= 180;
}
/// Ok if IsValid, or `InvalidArgument` that names the coordinate that is not finite or out of
/// range.
NEARBY_API absl::Status Validate(LatLng point);

/// The great-circle distance in metres by the haversine formula, in double precision
/// (Boost.Geometry). The plain version that every faster path here is held against; some 30 ns.
/// Requires valid points. Ill-conditioned within a metre of the antipode, where the error grows to
/// some 20 cm.
NEARBY_API double HaversineMeters(LatLng a, LatLng b);

/// A point in 8 bytes: latitude and longitude as 32-bit fractions of a turn, so that longitude
/// wraps by itself and a difference of longitudes needs no seam at the antimeridian. One unit is
/// 9.3 mm of arc, so rounding moves a point by at most 6.6 mm.
///
/// The value `Position::Nowhere()` lies at no valid latitude; it says "offline or expired" in place
/// of a flag that each reader would have to fetch from elsewhere. A default position is nowhere.
///
/// Immutable value type; compares by representation.
class NEARBY_API Position {
 public:
  constexpr Position() = default;
  /// Rounds to the nearest unit. Requires a valid point.
  static Position FromLatLng(LatLng point);
  static constexpr Position Nowhere() { return Position(); }
  static constexpr Position FromUnits(std::int32_t lat_units, std::int32_t lng_units) {
    return Position(lat_units, lng_units);
  }

  /// The centre of the cell that this position stands for, longitude in [-180, 180).
  /// Requires `is_somewhere()`.
  LatLng ToLatLng() const;

  constexpr bool is_somewhere() const { return lat_ != kNowhereLat; }
  /// 2^-32 turns north of the equator: -2^30 .. 2^30.
  constexpr std::int32_t lat_units() const { return lat_; }
  /// 2^-32 turns east of Greenwich, wrapping.
  constexpr std::int32_t lng_units() const { return lng_; }

  friend constexpr bool operator==(Position a, Position b) {
    return a.lat_ == b.lat_ && a.lng_ == b.lng_;
  }
  friend constexpr bool operator!=(Position a, Position b) { return !(a == b); }

 private:
  // As far from every valid latitude as 32 bits allow: the box test, which compares wrapping
  // differences, rejects it without a test of its own.
  static constexpr std::int32_t kNowhereLat = std::numeric_limits<std::int32_t>::min();

  constexpr Position(std::int32_t lat, std::int32_t lng) : lat_(lat), lng_(lng) {}

  std::int32_t lat_ = kNowhereLat;
  std::int32_t lng_ = 0;
};
static_assert(sizeof(Position) == 8);

/// Positions by index, at equal distances in memory: an array of them, or one of larger things that
/// each have a position.
///
/// Immutable value type. Borrows the memory.
class PositionTable {
 public:
  /// An array of positions. Not explicit, for it is one already.
  constexpr PositionTable(const Position* first)  // NOLINT(google-explicit-constructor)
      : PositionTable(first, sizeof(Position)) {}
  constexpr PositionTable(const Position* first, std::size_t stride_bytes)
      : first_(first), stride_bytes_(stride_bytes) {}

  const Position& operator[](std::size_t i) const {
    return *reinterpret_cast<const Position*>(reinterpret_cast<const char*>(first_) +
                                              i * stride_bytes_);
  }
  constexpr std::size_t stride_bytes() const { return stride_bytes_; }

 private:
  const Position* first_;
  std::size_t stride_bytes_;
};

/// The great-circle distance between two positions, rounded to the millimetre. A pure function of
/// the two records: the same on every compiler and platform with IEEE 754 doubles, because it uses
/// only correctly rounded operations. Within 14 mm of the exact distance between the points that
/// the positions were made from, anywhere on the sphere. Requires both to be somewhere.
NEARBY_API std::int64_t DistanceMillimeters(Position a, Position b);

NEARBY_API std::ostream& operator<<(std::ostream& out, LatLng point);
NEARBY_API std::ostream& operator<<(std::ostream& out, Position position);

}  // namespace nearby

#endif  // NEARBY_GEO_H_
