#ifndef EXAMPLES_REPLAY_GREAT_CIRCLE_H_
#define EXAMPLES_REPLAY_GREAT_CIRCLE_H_

#include "nearby/geo.h"

namespace replay {

/// A point on the earth as a vector of length 1 from its centre: no poles and no antimeridian to
/// look out for.
struct UnitVector {
  double x = 1;
  double y = 0;
  double z = 0;
};

UnitVector ToUnitVector(nearby::LatLng point);
/// Longitude in [-180, 180].
nearby::LatLng ToLatLng(UnitVector point);

/// The squared straight line between two points, in earth radii: cheap, and it grows with the
/// distance.
double SquaredChord(UnitVector a, UnitVector b);

/// Along the surface.
double DistanceMeters(UnitVector a, UnitVector b);

/// The point moved by `a_m` and `b_m` metres in two directions at right angles. Which directions
/// these are depends on the point; draw both from one distribution and it does not matter.
UnitVector Displaced(UnitVector point, double a_m, double b_m);

/// The shortest way between two points. Between antipodes it is one of the many.
///
/// Immutable value type.
class GreatCircle {
 public:
  GreatCircle() = default;
  GreatCircle(UnitVector from, UnitVector to);

  double length_m() const { return length_m_; }
  /// The point so many metres along the way.
  UnitVector At(double meters) const;

 private:
  UnitVector from_;
  UnitVector heading_;  // The direction of the way where it begins.
  double length_m_ = 0;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_GREAT_CIRCLE_H_
