#ifndef NEARBY_TIME_H_
#define NEARBY_TIME_H_

#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace nearby {

/// An instant, in whole milliseconds since the Unix epoch (or since any other, as long as the host
/// uses one throughout: the library only compares and subtracts).
///
/// Two kinds of time run through the library, and a parameter's name says which is meant:
///   * engine time (`now`, `accepted_at`, `time`) is the host's own clock as it was handed to
///     `Engine::Advance`. TTLs and intervals count in it. It never goes backward.
///   * client time (`reported_at`) is what a phone wrote on its report. It orders that phone's
///     reports and is shown to friends; nothing else depends on it.
///
/// Immutable value type.
struct Time {
  std::int64_t ms = 0;

  static constexpr Time Millis(std::int64_t ms) { return Time{ms}; }
  /// Rounds down to the millisecond.
  static Time FromAbsl(absl::Time time) { return Time{absl::ToUnixMillis(time)}; }
  absl::Time ToAbsl() const { return absl::FromUnixMillis(ms); }

  friend constexpr bool operator==(Time a, Time b) { return a.ms == b.ms; }
  friend constexpr bool operator!=(Time a, Time b) { return a.ms != b.ms; }
  friend constexpr bool operator<(Time a, Time b) { return a.ms < b.ms; }
  friend constexpr bool operator<=(Time a, Time b) { return a.ms <= b.ms; }
  friend constexpr bool operator>(Time a, Time b) { return a.ms > b.ms; }
  friend constexpr bool operator>=(Time a, Time b) { return a.ms >= b.ms; }
};

/// Times farther than this from the epoch (some 280,000 years) are refused at the border, so that
/// adding a TTL or an interval can never overflow.
inline constexpr std::int64_t kMaxTimeMs = std::int64_t{1} << 53;

/// Later than every valid time.
inline constexpr Time kNever{std::numeric_limits<std::int64_t>::max()};

constexpr bool IsValid(Time time) { return time.ms >= -kMaxTimeMs && time.ms <= kMaxTimeMs; }

}  // namespace nearby

#endif  // NEARBY_TIME_H_
