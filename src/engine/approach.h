#ifndef NEARBY_SRC_ENGINE_APPROACH_H_
#define NEARBY_SRC_ENGINE_APPROACH_H_

#include <algorithm>
#include <cstdint>

#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/parts/due_ticks.h"
#include "src/parts/motions.h"
#include "src/parts/separations.h"
#include "src/parts/speed_bound.h"

namespace nearby::internal {

/// How soon an entity can come within sight of others, or they of it, judged from what this shard
/// knows of both: positions, when these were accepted, speeds that they keep to, radii.
///
/// Borrows the table of motions, for the time of one walk along the entity's row.
class Approach {
 public:
  /// Of an entity with this radius, at this time.
  Approach(const LocationCache::Motions& motions, Time now, Slot slot, double radius_m)
      : motions_(motions),
        now_(now),
        radius_m_(radius_m),
        speed_class_(motions.speed_class(slot)),
        way_m_(Way(slot, speed_class_)) {}

  /// How long until the entity and another, so far apart, can be within the larger of their radii:
  /// milliseconds from now, rounded down; 0 or less if they can be there already. Requires that
  /// both are somewhere.
  ///
  /// Two who are d apart, as far as is known from positions that are tA and tB old, come within r
  /// not before the time t from now at which d - r = vA (tA + t) + vB (tB + t).
  double MillisecondsToMeet(Slot other, double other_radius_m, const Separation& apart) const {
    const std::uint32_t other_class = motions_.speed_class(other);
    const double ms_per_meter = SpeedBound::MsPerMeter(speed_class_, other_class);
    if (ms_per_meter == 0) return 0;  // One of them may go at any speed.
    const double radius_m = std::max(radius_m_, other_radius_m);
    return (apart.MinMeters() - radius_m - way_m_ - Way(other, other_class)) * ms_per_meter;
  }

  /// The same as a tick: before it, the pair need not be looked at.
  std::uint8_t NotBefore(Slot other, double other_radius_m, const Separation& apart) const {
    // Not all as far ahead as ticks reach: pairs that are far apart would else come due together.
    const std::int64_t max_ahead = DueTicks::kMaxAhead - (ToInt(other) * 0x9E3779B9u >> 28);
    // When the other comes back, from wherever, all that is said about them becomes due.
    if (!apart.is_somewhere) return static_cast<std::uint8_t>(DueTicks::At(now_) + max_ahead);
    const double ms = MillisecondsToMeet(other, other_radius_m, apart);
    return ms > 0 ? DueTicks::NotBefore(now_, ms, max_ahead) : DueTicks::At(now_);
  }

 private:
  // How far one can have gone since their position was accepted.
  double Way(Slot slot, std::uint32_t speed_class) const {
    const auto age_ms = static_cast<double>(now_.ms - motions_.accepted_at(slot).ms);
    // Infinity times nothing would be no number, and an invalid operation.
    return SpeedBound::IsBounded(speed_class) ? SpeedBound::kMetersPerMs[speed_class] * age_ms : 0;
  }

  const LocationCache::Motions& motions_;
  Time now_;
  double radius_m_;
  std::uint32_t speed_class_;
  double way_m_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_ENGINE_APPROACH_H_
