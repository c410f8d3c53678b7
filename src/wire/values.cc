#include "src/wire/values.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/time.h"

namespace nearby::wire {
namespace {

absl::Status CheckRange(absl::string_view field, std::int64_t value, std::int64_t low,
                        std::int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " ", value, " lies outside ", low, " .. ", high));
}

}  // namespace

std::int64_t ToWireMillis(absl::Duration duration) {
  const std::int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1)));
  return std::clamp<std::int64_t>(ms, 0, kMaxTimeMs);
}

absl::Status CheckTime(absl::string_view field, std::int64_t ms) {
  return CheckRange(field, ms, -kMaxTimeMs, kMaxTimeMs);
}

absl::Status CheckWait(absl::string_view field, std::int64_t ms) {
  return CheckRange(field, ms, 0, kMaxTimeMs);
}

absl::Status CheckDistance(absl::string_view field, std::int64_t mm) {
  return CheckRange(field, mm, 0, kMaxDistanceMm);
}

absl::Status Within(absl::string_view where, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
}

absl::Status TooLong(absl::string_view what, std::size_t bytes, std::size_t max_bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("a ", what, " of ", bytes, " bytes, where at most ", max_bytes, " are taken"));
}

}  // namespace nearby::wire
