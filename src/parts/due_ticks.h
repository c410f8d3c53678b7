#ifndef NEARBY_SRC_PARTS_DUE_TICKS_H_
#define NEARBY_SRC_PARTS_DUE_TICKS_H_

#include <cstddef>
#include <cstdint>

#include "nearby/time.h"

namespace nearby {

/// Times of some seconds' precision in one byte, for the edges of rows: "not before this tick".
///
/// A tick is 8.192 s of engine time; a byte names one of 256, of which those up to 127 ahead of the
/// present are the future and the others the past, the present included. So a byte must be written
/// anew, or its meaning looked after otherwise, before 128 ticks (some 17 minutes) have passed.
struct DueTicks {
  static constexpr int kTickShift = 13;
  static constexpr std::int64_t kTickMs = std::int64_t{1} << kTickShift;
  /// The farthest that a tick can lie ahead.
  static constexpr std::int64_t kMaxAhead = 127;
  /// Within this long whatever has been written keeps its meaning, with a minute to spare.
  static constexpr std::int64_t kSafeMs = (kMaxAhead - 8) * kTickMs;

  static std::uint8_t At(Time time) { return static_cast<std::uint8_t>(time.ms >> kTickShift); }
  /// The last tick that begins `after_ms` after `now` or before, for an `after_ms` of 0 or more; at
  /// most so many ticks ahead.
  static std::uint8_t NotBefore(Time now, double after_ms, std::int64_t max_ahead = kMaxAhead) {
    constexpr std::int64_t kReach = kMaxAhead * kTickMs;
    const std::int64_t into_tick = now.ms & (kTickMs - 1);
    const std::int64_t reach =
        after_ms < static_cast<double>(kReach) ? static_cast<std::int64_t>(after_ms) : kReach;
    const std::int64_t ahead = (into_tick + reach) >> kTickShift;
    return static_cast<std::uint8_t>(At(now) + (ahead < max_ahead ? ahead : max_ahead));
  }
  /// How many ticks ahead of `now` it lies; 0 or less if it is due.
  static int Ahead(std::uint8_t tick, std::uint8_t now) {
    return static_cast<std::int8_t>(static_cast<std::uint8_t>(tick - now));
  }

  /// Writes to `out` the numbers, ascending, of the ticks that are due at `now`; returns how many.
  /// Requires room for `size` numbers, and that the memory can be read up to the next multiple of
  /// kBlock ticks.
  static constexpr std::size_t kBlock = 16;
  static std::size_t Select(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                            std::uint32_t* out);
  /// The same, plainly: the oracle of Select.
  static std::size_t SelectPlain(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                                 std::uint32_t* out);
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_DUE_TICKS_H_
