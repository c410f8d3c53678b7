#include "src/parts/motions.h"

#include <limits>

namespace nearby {

void LocationCache::Motions::Reset(Slot slot) {
  if (IsFar(Packed(slot))) far_.erase(slot);
  Packed(slot) = kUnknown;
}

LocationCache::Motions::Times LocationCache::Motions::FarTimes(Slot slot) const {
  constexpr Time kBeforeAll{std::numeric_limits<std::int64_t>::min()};
  const auto found = far_.find(slot);
  return found == far_.end() ? Times{kBeforeAll, kBeforeAll} : found->second;
}

void LocationCache::Motions::Set(Slot slot, Time accepted_at, Time reported_at, SpeedBound bound) {
  if (!has_origin_) {
    has_origin_ = true;
    origin_ms_ = accepted_at.ms;
  }
  std::uint64_t& packed = Packed(slot);
  const bool was_far = IsFar(packed);
  // Valid times are small enough for these differences.
  const std::int64_t time = accepted_at.ms - origin_ms_;
  const std::int64_t lag = reported_at.ms - accepted_at.ms;
  const bool is_near =
      time >= kLeastTime && time < -kLeastTime && lag > kLeastLag && lag < -kLeastLag;
  packed = bound.speed_class | std::uint64_t{bound.calm_reports} << kClassBits;
  if (is_near) {
    packed |= static_cast<std::uint64_t>(lag - kLeastLag) << kLagShift |
              static_cast<std::uint64_t>(time) << kTimeShift;
    if (was_far) far_.erase(slot);
  } else {
    far_.insert_or_assign(slot, Times{accepted_at, reported_at});
  }
}

}  // namespace nearby
