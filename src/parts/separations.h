#ifndef NEARBY_SRC_PARTS_SEPARATIONS_H_
#define NEARBY_SRC_PARTS_SEPARATIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "nearby/geo.h"

namespace nearby {

/// How far two positions are apart: what both the test against a radius and the distance told to
/// clients are made of. Where either is nowhere, the rest says nothing.
struct Separation {
  bool is_somewhere = false;
  double haversine = 0;          ///< sin^2(d / 2R)
  std::int64_t distance_mm = 0;  ///< DistanceMillimeters, bit for bit.

  static Separation Between(Position a, Position b);

  /// A bound of the distance from below: the chord.
  double MinMeters() const;
};

/// An upper bound of the distance; 0 for 0. Within 0.1 % of it up to 5 km and 60 degrees of
/// latitude, as most ways from one report to the next are; farther and towards the poles it is less
/// tight.
double MaxMetersBetween(Position a, Position b);

/// The separations of a centre from several positions at once: the same results as one at a time,
/// in steps that the compiler turns into vectors.
class SeparationBlock {
 public:
  static constexpr std::size_t kSize = 8;

  explicit SeparationBlock(Position center);

  /// Requires 1 .. kSize positions.
  void Compute(const Position* positions, std::size_t count);
  Separation operator[](std::size_t i) const {
    return {is_somewhere_[i] && center_.is_somewhere(), haversines_[i], distances_mm_[i]};
  }

 private:
  Position center_;
  double center_cos_;
  std::array<bool, kSize> is_somewhere_;
  std::array<double, kSize> haversines_;
  std::array<std::int64_t, kSize> distances_mm_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SEPARATIONS_H_
