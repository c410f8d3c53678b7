#include "examples/replay/live_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/time.h"

namespace replay {
namespace {

constexpr double kMetersPerMile = 1609.344;

// Four digits or so, whatever the size.
std::string Distance(double value, absl::string_view unit) {
  const int decimals = value < 100 ? 2 : value < 1000 ? 1 : 0;
  return absl::StrFormat("%.*f %s", decimals, value, unit);
}

}  // namespace

std::string Grouped(std::uint64_t number) {
  std::string text = absl::StrCat(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string Miles(std::int64_t distance_mm) {
  return Distance(static_cast<double>(distance_mm) / 1000 / kMetersPerMile, "mi");
}

std::string Kilometers(std::int64_t distance_mm) {
  return Distance(static_cast<double>(distance_mm) / 1e6, "km");
}

std::string Span(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(0, ms) / 1000;
  if (s < 60) return absl::StrFormat("%ds", s);
  if (s < 3600) return absl::StrFormat("%dm %02ds", s / 60, s % 60);
  return absl::StrFormat("%dh %02dm", s / 3600, s / 60 % 60);
}

std::string Ago(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(0, ms) / 1000;
  if (s < 60) return absl::StrFormat("%ds ago", s);
  if (s < 3600) return absl::StrFormat("%dm ago", s / 60);
  return absl::StrFormat("%dh ago", s / 3600);
}

std::string ClockTime(nearby::Time time) {
  return absl::FormatTime("%H:%M:%S", time.ToAbsl(), absl::UTCTimeZone());
}

std::string TitleTime(nearby::Time time) {
  constexpr nearby::Time kYear1980 = nearby::Time::Millis(315'532'800'000);
  if (time < kYear1980) return ClockTime(time);
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time.ToAbsl(), absl::UTCTimeZone());
}

absl::string_view Describe(nearby::LeaveReason reason) {
  switch (reason) {
    case nearby::LeaveReason::kRange:
      return "out of range";
    case nearby::LeaveReason::kExpired:
      return "no report for too long";
    case nearby::LeaveReason::kOffline:
      return "offline";
    case nearby::LeaveReason::kUnfriended:
      return "friends no more";
    case nearby::LeaveReason::kUnsubscribed:
      return "unsubscribed";
    case nearby::LeaveReason::kHidden:
      return "hidden";
    case nearby::LeaveReason::kNone:
      break;
  }
  return "gone";
}

}  // namespace replay
