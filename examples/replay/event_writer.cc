#include "examples/replay/event_writer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/ids.h"

namespace replay {
namespace {

template <typename Integer>
char* PutInteger(Integer value, char* out) {
  constexpr int kMostDigits = 20;
  return std::to_chars(out, out + kMostDigits, value).ptr;
}

char* PutText(absl::string_view text, char* out) {
  return std::copy(text.begin(), text.end(), out);
}

// Millimetres as metres with three decimals.
char* PutMeters(std::int64_t mm, char* out) {
  out = PutInteger(mm / 1000, out);
  const auto rest = static_cast<int>(mm % 1000);
  *out++ = '.';
  *out++ = static_cast<char>('0' + rest / 100);
  *out++ = static_cast<char>('0' + rest / 10 % 10);
  *out++ = static_cast<char>('0' + rest % 10);
  return out;
}

}  // namespace

char* FormatEvent(const nearby::Delivery& event, char* out) {
  out = PutInteger(event.time.ms, out);
  *out++ = '\t';
  out = PutInteger(nearby::ToInt(event.subscriber), out);
  *out++ = '\t';
  out = PutInteger(nearby::ToInt(event.friend_id), out);
  *out++ = '\t';
  out = PutText(nearby::ToString(event.kind), out);
  const bool is_leave = event.kind == nearby::DeliveryKind::kLeave;
  if (is_leave) {
    *out++ = ':';
    out = PutText(nearby::ToString(event.reason), out);
  }
  *out++ = '\t';
  if (!is_leave || event.reason == nearby::LeaveReason::kRange) {
    out = PutMeters(event.distance_mm, out);
  }
  *out++ = '\n';
  return out;
}

}  // namespace replay
