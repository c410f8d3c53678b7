#ifndef NEARBY_RADIUS_FILTER_H_
#define NEARBY_RADIUS_FILTER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/geo.h"

namespace nearby {

/// Radii up to this many metres are accepted. It is a little over half the circumference, so that a
/// rounded figure for "the whole earth" passes.
inline constexpr double kMaxRadiusMeters = 20'100'000;

/// Ok, or `InvalidArgument` for a radius that is not finite, negative, or above kMaxRadiusMeters.
NEARBY_API absl::Status ValidateRadius(double radius_m);

/// A radius in the form in which distances are compared: the haversine of its angle, sin^2(r / 2R).
/// It grows with the distance, so comparing haversines compares distances, without an inverse
/// function. Beyond a quarter of the circumference the haversine of the remaining angle is kept
/// instead, measured to the antipode: near the antipode the plain form would lose its precision.
///
/// Admits(a, b) is the one definition of "within the radius" in the library: a pure function of two
/// records and a radius, inclusive at the boundary, symmetric, and the same on every compiler,
/// because it uses only correctly rounded operations (polynomials for the sines, no libm).
///
/// Immutable value type. Cost: some 20 ns a test, no memory access.
class NEARBY_API RadiusLimit {
 public:
  /// Requires a valid radius.
  static RadiusLimit FromMeters(double radius_m);

  /// Whether b lies within the radius of a. Requires both to be somewhere.
  bool Admits(Position a, Position b) const;
  /// Whether to compare haversines as `Admits` does it is to compare them with `haversine()`: for
  /// radii up to a quarter of the circumference. For callers who know the haversine already.
  bool compares_haversines() const { return !beyond_quarter_; }
  double haversine() const { return haversine_; }

 private:
  RadiusLimit(double haversine, bool beyond_quarter)
      : haversine_(haversine), beyond_quarter_(beyond_quarter) {}

  double haversine_;
  bool beyond_quarter_;
};

/// Half-widths of a box, in units of Position, around a centre: it holds every point within a
/// radius of the centre, and some more. Near a pole it holds every longitude.
struct NEARBY_API FixedPointBox {
  std::uint32_t lat_units = 0;
  std::uint32_t lng_units = 0;

  /// The smallest safe box around `center`, or hardly larger. Requires a centre that is
  /// somewhere and a valid radius.
  static FixedPointBox Around(Position center, double radius_m);
};

/// A row of table indices with spare low bits, for filters that gather.
struct IndexedRow {
  absl::Span<const std::uint32_t> entries;
  int index_shift = 0;            ///< The index is entry >> index_shift.
  std::uint32_t always_mask = 0;  ///< An entry with any of these bits is selected untested.
  bool is_cached = false;         ///< The positions are at hand, or have been asked for.
};

/// The kernel: writes to `out` the numbers i, ascending, of the entries whose position in `table`
/// lies in the box around `center` or that bear a bit of the always-mask; returns how many.
/// Positions nowhere are selected by boxes of a quarter turn or more, too; the exact test must look
/// at them. Without a branch that depends on one entry, and with the positions asked for ahead
/// unless they are at hand. Requires room for entries.size() numbers.
NEARBY_API std::size_t SelectInBox(Position center, FixedPointBox box, PositionTable table,
                                   const IndexedRow& row, std::uint32_t* out);
/// The same, plainly: the oracle of the kernel.
NEARBY_API std::size_t SelectInBoxPlain(Position center, FixedPointBox box, PositionTable table,
                                        const IndexedRow& row, std::uint32_t* out);

/// Which of many positions lie within a radius of a centre: a box in fixed point first, then the
/// exact test for what is left. No trigonometry per pair. Agrees with the haversine formula to
/// within 2 cm anywhere on the sphere: poles, antimeridian, identical points, radius 0, and half
/// the earth.
///
///   absl::StatusOr<RadiusFilter> filter = RadiusFilter::Create(8046.72);
///   std::vector<std::uint32_t> hits(positions.size());
///   hits.resize(filter->Select(center, positions, hits.data()));
///
/// Immutable, so thread-safe. Cost: about 1 ns a position outside the box, 20 ns inside, and some
/// 100 ns to make the box.
class NEARBY_API RadiusFilter {
 public:
  /// `InvalidArgument` for a radius that ValidateRadius refuses.
  static absl::StatusOr<RadiusFilter> Create(double radius_m);

  double radius_m() const { return radius_m_; }

  /// Whether `position` is somewhere and within the radius. Requires a centre that is somewhere.
  bool Contains(Position center, Position position) const;

  /// Writes the indices, ascending, of the positions that Contains accepts; returns how many.
  /// Requires room for positions.size() indices.
  std::size_t Select(Position center, absl::Span<const Position> positions,
                     std::uint32_t* out) const;

 private:
  explicit RadiusFilter(double radius_m)
      : radius_m_(radius_m), limit_(RadiusLimit::FromMeters(radius_m)) {}

  double radius_m_;
  RadiusLimit limit_;
};

}  // namespace nearby

#endif  // NEARBY_RADIUS_FILTER_H_
