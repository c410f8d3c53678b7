#ifndef NEARBY_SRC_PARTS_BYTE_TICKS_H_
#define NEARBY_SRC_PARTS_BYTE_TICKS_H_

#include <cstdint>

#include "nearby/time.h"

namespace nearby {

/// Times to a precision of 2^Shift milliseconds in one byte: "not before this tick".
///
/// A byte names one of 256 ticks, of which those up to 127 ahead of the present are the future and
/// the others the past, the present included. So a byte must be written anew, or its meaning looked
/// after otherwise, before 128 ticks have passed.
template <int Shift>
struct ByteTicks {
  static constexpr std::int64_t kTickMs = std::int64_t{1} << Shift;
  /// The farthest that a tick can lie ahead.
  static constexpr std::int64_t kMaxAhead = 127;
  /// Within this long whatever has been written keeps its meaning, with 8 ticks to spare.
  static constexpr std::int64_t kSafeMs = (kMaxAhead - 8) * kTickMs;

  static std::uint8_t At(Time time) { return static_cast<std::uint8_t>(time.ms >> Shift); }
  /// The last tick that begins `after_ms` after `now` or before, for an `after_ms` of 0 or more; at
  /// most so many ticks ahead.
  static std::uint8_t NotBefore(Time now, double after_ms, std::int64_t max_ahead = kMaxAhead) {
    constexpr std::int64_t kReach = kMaxAhead * kTickMs;
    const std::int64_t into_tick = now.ms & (kTickMs - 1);
    const std::int64_t reach =
        after_ms < static_cast<double>(kReach) ? static_cast<std::int64_t>(after_ms) : kReach;
    const std::int64_t ahead = (into_tick + reach) >> Shift;
    return static_cast<std::uint8_t>(At(now) + (ahead < max_ahead ? ahead : max_ahead));
  }
  /// How many ticks ahead of `now` it lies; 0 or less if it is due.
  static int Ahead(std::uint8_t tick, std::uint8_t now) {
    return static_cast<std::int8_t>(static_cast<std::uint8_t>(tick - now));
  }
  /// How long from now until the tick begins, in milliseconds; 0 or less if it has begun.
  static std::int64_t MsUntil(std::uint8_t tick, Time now) {
    return ((now.ms >> Shift) + Ahead(tick, At(now))) * kTickMs - now.ms;
  }
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_BYTE_TICKS_H_
