#ifndef EXAMPLES_PHONES_STAMP_H_
#define EXAMPLES_PHONES_STAMP_H_

#include <cstdint>

#include "nearby/geo.h"
#include "nearby/time.h"

/// A report bears its time to the millisecond only, which is longer than a message takes on one
/// machine. The microseconds travel in the position: in the last ten bits of its longitude, which
/// are worth 9.5 m at most, less than phones err anyhow. So whoever hears of a report knows when it
/// was sent, and nobody keeps lists.
namespace phones {

inline constexpr std::int32_t kStampBits = 10;

/// The location with the microseconds of `sent_us`, some centimetres or metres aside.
inline nearby::LatLng Stamped(nearby::LatLng location, std::int64_t sent_us) {
  const nearby::Position position = nearby::Position::FromLatLng(location);
  constexpr std::uint32_t kMask = (1u << kStampBits) - 1;
  const std::uint32_t lng = (static_cast<std::uint32_t>(position.lng_units()) & ~kMask) |
                            static_cast<std::uint32_t>(sent_us % 1000);
  return nearby::Position::FromUnits(position.lat_units(), static_cast<std::int32_t>(lng))
      .ToLatLng();
}

/// When a report was sent that bears this time and a stamped location, in microseconds.
inline std::int64_t SentMicros(nearby::Time reported_at, nearby::Position position) {
  constexpr std::uint32_t kMask = (1u << kStampBits) - 1;
  return reported_at.ms * 1000 + (static_cast<std::uint32_t>(position.lng_units()) & kMask);
}

}  // namespace phones

#endif  // EXAMPLES_PHONES_STAMP_H_
