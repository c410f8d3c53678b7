#include "nearby/radius_filter.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "src/base/spherical.h"

namespace nearby {
namespace {

constexpr double kCircumferenceMeters = 2 * kMaxDistanceMeters;
constexpr double kPi = 3.141592653589793;
constexpr double kUnitsPerRadian = 4294967296.0 / (2 * kPi);
constexpr std::uint32_t kHalfTurn = 1u << 31;

// The larger the better the box holds what it must; the box may be too large by some units, since
// what it selects is tested exactly.
std::uint32_t ToUnitsRoundedUp(double radians) {
  const double units = std::ceil(radians * kUnitsPerRadian * (1 + 1e-9)) + 4;
  return units >= kHalfTurn ? kHalfTurn : static_cast<std::uint32_t>(units);
}

std::uint32_t AbsoluteDifference(std::int32_t a, std::int32_t b) {
  const std::uint32_t difference = static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b);
  return std::min(difference, 0u - difference);
}

// 1 or 0. Bitwise on purpose: two short-circuits would be two unpredictable branches.
std::uint32_t InBox(Position center, FixedPointBox box, Position position) {
  const std::uint32_t lat = AbsoluteDifference(center.lat_units(), position.lat_units());
  const std::uint32_t lng = AbsoluteDifference(center.lng_units(), position.lng_units());
  return static_cast<std::uint32_t>(lat <= box.lat_units) &
         static_cast<std::uint32_t>(lng <= box.lng_units);
}

}  // namespace

absl::Status ValidateRadius(double radius_m) {
  if (radius_m >= 0 && radius_m <= kMaxRadiusMeters) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("radius %.15g m lies outside 0 .. %.15g m", radius_m, kMaxRadiusMeters));
}

RadiusLimit RadiusLimit::FromMeters(double radius_m) {
  // The angle in turns: 0 .. 1/2 for radii up to half the circumference.
  const double turns = std::min(radius_m / kCircumferenceMeters, 0.5);
  const bool beyond_quarter = turns > 0.25;
  return RadiusLimit(internal::AngleHaversine<false>(beyond_quarter ? 0.5 - turns : turns),
                     beyond_quarter);
}

bool RadiusLimit::Admits(Position a, Position b) const {
  const double cos_lats = internal::CosLat(a) * internal::CosLat(b);
  return beyond_quarter_ ? internal::HaversineToAntipode(a, b, cos_lats) >= haversine_
                         : internal::Haversine(a, b, cos_lats) <= haversine_;
}

FixedPointBox FixedPointBox::Around(Position center, double radius_m) {
  const double angle = radius_m / kEarthRadiusMeters;
  FixedPointBox box;
  box.lat_units = ToUnitsRoundedUp(angle);
  box.lng_units = kHalfTurn;
  const double latitude = std::fabs(center.lat_units() / kUnitsPerRadian);
  if (latitude + angle >= kPi / 2) return box;  // The circle holds a pole: every meridian meets it.
  // The meridian that touches the circle: sin(half-width) = sin(angle) / cos(latitude) (Napier's
  // rules). Towards the pole the inverse sine loses its precision, so the box gives up a little
  // early.
  const double cosine = internal::CosLat(center);
  // No sine is larger than its angle, and asin(x) <= x (1 + 0.17 x^2) for x <= 0.1, by its series.
  if (const double above = angle / cosine; above <= 0.1) {
    box.lng_units = ToUnitsRoundedUp(above * (1 + 0.17 * above * above));
    return box;
  }
  const double sine = std::sin(angle) / cosine;
  if (sine < 0.9999) box.lng_units = ToUnitsRoundedUp(std::asin(sine));
  return box;
}

absl::StatusOr<RadiusFilter> RadiusFilter::Create(double radius_m) {
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;
  return RadiusFilter(radius_m);
}

bool RadiusFilter::Contains(Position center, Position position) const {
  return position.is_somewhere() && limit_.Admits(center, position);
}

std::size_t RadiusFilter::Select(Position center, absl::Span<const Position> positions,
                                 std::uint32_t* out) const {
  const FixedPointBox box = FixedPointBox::Around(center, radius_m_);
  std::size_t in_box = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    out[in_box] = static_cast<std::uint32_t>(i);
    in_box += InBox(center, box, positions[i]);
  }
  std::size_t selected = 0;
  for (std::size_t i = 0; i < in_box; ++i) {
    const std::uint32_t index = out[i];
    out[selected] = index;
    selected += static_cast<std::size_t>(Contains(center, positions[index]));
  }
  return selected;
}

}  // namespace nearby
