#ifndef EXAMPLES_REPLAY_LIVE_TEXT_H_
#define EXAMPLES_REPLAY_LIVE_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/time.h"

/// How a live table words what it shows.
namespace replay {

/// With commas between thousands.
std::string Grouped(std::uint64_t number);

/// A distance with its unit, "0.62 mi" and "1.00 km": four digits or so, whatever the size.
std::string Miles(std::int64_t distance_mm);
std::string Kilometers(std::int64_t distance_mm);

/// "59s", "2m 05s", "1h 00m"; less than nothing is nothing.
std::string Span(std::int64_t ms);
/// Coarser, and never longer than "59s ago".
std::string Ago(std::int64_t ms);

/// UTC: "18:05:59".
std::string ClockTime(nearby::Time time);
/// With the date if the time is Unix time, which one that counts from 0 is not.
std::string TitleTime(nearby::Time time);

/// "out of range" and so on. Static strings.
absl::string_view Describe(nearby::LeaveReason reason);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_LIVE_TEXT_H_
