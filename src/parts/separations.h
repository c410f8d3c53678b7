#ifndef NEARBY_SRC_PARTS_SEPARATIONS_H_
#define NEARBY_SRC_PARTS_SEPARATIONS_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "nearby/geo.h"
#include "src/base/spherical.h"
#include "src/base/vectors.h"

namespace nearby {

/// How far two positions are apart: what both the test against a radius and the distance told to
/// clients are made of. Where either is nowhere, the rest says nothing.
struct Separation {
  Position a;
  Position b;
  double haversine = 0;  ///< sin^2(d / 2R), as RadiusLimit compares it.
  double meters = -1;    ///< What DistanceMillimeters rounds; negative if not known yet.
  bool is_somewhere = false;

  static Separation Between(Position a, Position b);

  /// DistanceMillimeters(a, b).
  std::int64_t DistanceMm() const {
    if (meters < 0) return DistanceMillimeters(a, b);
    // Not negative, so that to truncate is to round down.
    return static_cast<std::int64_t>(meters * 1000 + 0.5);  // NOLINT(bugprone-incorrect-roundings)
  }
  /// A bound of the distance from below: the distance or the chord, less what rounding may have
  /// added.
  double MinMeters() const {
    return (1 - 1e-9) * (meters >= 0 ? meters : 2 * kEarthRadiusMeters * std::sqrt(haversine));
  }
};

/// An upper bound of the distance, within 1.2 % of it below 100 km and 65 degrees of latitude; 0
/// for 0.
double MaxMetersBetween(Position a, Position b);

/// The separations of a centre from several positions at once: the same bits as one at a time, by
/// the widest vectors that the processor has.
///
///   SeparationBlock apart(center);
///   for (Position position : positions) apart.Add(position);
///   apart.Compute();
///   use(apart[0]);
class SeparationBlock {
 public:
  static constexpr std::size_t kSize = 32;
  /// Computed are multiples of so many; what fills up the last is computed for nothing.
  static constexpr std::size_t kGroup = 8;

  explicit SeparationBlock(Position center);

  /// Requires fewer than kSize positions.
  void Add(Position position) { positions_[size_++] = position; }
  void Compute();
  /// As Compute, by these, which the processor must have: for tests.
  void ComputeBy(internal::Vectors vectors);
  void Clear() { size_ = 0; }

  std::size_t size() const { return size_; }
  Separation operator[](std::size_t i) const {
    return {center_, positions_[i], haversines_[i],
            haversines_[i] <= internal::kSeriesHaversine ? meters_[i] : -1,
            positions_[i].is_somewhere() && center_.is_somewhere()};
  }

 private:
  Position center_;
  double center_cos_;
  std::size_t size_ = 0;
  std::array<Position, kSize> positions_;
  std::array<double, kSize> haversines_;
  std::array<double, kSize> meters_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SEPARATIONS_H_
