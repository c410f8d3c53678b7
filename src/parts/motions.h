#ifndef NEARBY_SRC_PARTS_MOTIONS_H_
#define NEARBY_SRC_PARTS_MOTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "nearby/time.h"
#include "src/base/slot_lines.h"
#include "src/parts/speed_bound.h"

namespace nearby {

/// When each slot's position was accepted and reported, and how fast its user goes at most, in 8
/// bytes of the slot's line, where two full times would not fit.
///
/// The time of acceptance is kept from an origin near the first one, 4 years each way, the client's
/// time as a difference from it of up to 8 minutes. What does not fit is kept in full, in a table
/// beside it, which costs a look-up for each reading; only clocks that are far off need that, or
/// all when the first time of all was.
///
/// Thread-compatible. Borrows the lines, which must outlive it.
class LocationCache::Motions {
 public:
  explicit Motions(internal::SlotLines* lines) : lines_(lines) {}

  /// Call for each new slot.
  void AddSlot(Slot slot) { Packed(slot) = kUnknown; }
  /// Forgets times and speed.
  void Reset(Slot slot);

  /// Requires valid times.
  void Set(Slot slot, Time accepted_at, Time reported_at, SpeedBound bound);

  /// Before the first Set, earlier than every valid time.
  Time accepted_at(Slot slot) const {
    const std::uint64_t packed = Packed(slot);
    return IsFar(packed) ? FarTimes(slot).accepted_at : NearAcceptedAt(packed);
  }
  Time reported_at(Slot slot) const {
    const std::uint64_t packed = Packed(slot);
    if (IsFar(packed)) return FarTimes(slot).reported_at;
    return Time{NearAcceptedAt(packed).ms + Lag(packed)};
  }
  std::uint32_t speed_class(Slot slot) const {
    return static_cast<std::uint32_t>(Packed(slot) & kClassMask);
  }
  SpeedBound bound(Slot slot) const {
    SpeedBound bound;
    bound.speed_class = speed_class(slot);
    bound.calm_reports = static_cast<std::uint32_t>(Packed(slot) >> kClassBits & kCalmMask);
    return bound;
  }

 private:
  // From the lowest bit: class, calm reports, lag, time.
  static constexpr int kClassBits = 3;
  static constexpr int kCalmBits = 3;
  static constexpr int kLagBits = 20;
  static constexpr int kLagShift = kClassBits + kCalmBits;
  static constexpr int kTimeShift = kLagShift + kLagBits;
  static constexpr std::uint64_t kClassMask = (1u << kClassBits) - 1;
  static constexpr std::uint64_t kCalmMask = (1u << kCalmBits) - 1;
  static constexpr std::uint64_t kLagMask = (1u << kLagBits) - 1;
  // The lag is kept from its least value on; the least itself says that the times are elsewhere.
  static constexpr std::int64_t kLeastLag = -(std::int64_t{1} << (kLagBits - 1));
  static constexpr std::int64_t kLeastTime = -(std::int64_t{1} << (63 - kTimeShift));
  static constexpr std::uint64_t kUnknown = SpeedBound::kFirstClass;
  static_assert(SpeedBound::kClasses <= kClassMask + 1);
  static_assert(SpeedBound::kCalmReports <= kCalmMask + 1);

  struct Times {
    Time accepted_at;
    Time reported_at;
  };

  std::uint64_t& Packed(Slot slot) { return (*lines_)[slot].motion; }
  std::uint64_t Packed(Slot slot) const { return (*lines_)[slot].motion; }
  Times FarTimes(Slot slot) const;
  static bool IsFar(std::uint64_t packed) { return (packed >> kLagShift & kLagMask) == 0; }
  static std::int64_t Lag(std::uint64_t packed) {
    return static_cast<std::int64_t>(packed >> kLagShift & kLagMask) + kLeastLag;
  }
  Time NearAcceptedAt(std::uint64_t packed) const {
    // Shifts of negative numbers are arithmetic with every compiler we know, and by the standard
    // from C++20 on.
    return Time{origin_ms_ + (static_cast<std::int64_t>(packed) >> kTimeShift)};
  }

  internal::SlotLines* lines_;
  bool has_origin_ = false;
  std::int64_t origin_ms_ = 0;
  absl::flat_hash_map<Slot, Times> far_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_MOTIONS_H_
