#ifndef NEARBY_SRC_WIRE_VALUES_H_
#define NEARBY_SRC_WIRE_VALUES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nearby::wire {

/// kMaxDistanceMeters in millimetres, rounded up.
inline constexpr std::int64_t kMaxDistanceMm = 20'015'114'353;

/// Rounded up to the millisecond; 0 for what is negative, kMaxTimeMs for what is longer.
std::int64_t ToWireMillis(absl::Duration duration);

/// Ok, or `InvalidArgument` naming the field. Each takes what it bears.
absl::Status CheckTime(absl::string_view field, std::int64_t ms);
absl::Status CheckWait(absl::string_view field, std::int64_t ms);
absl::Status CheckDistance(absl::string_view field, std::int64_t mm);

/// The status with `where`, a field or a message, before its text; Ok stays Ok.
absl::Status Within(absl::string_view where, const absl::Status& status);

/// `ResourceExhausted`: so many bytes where no more than the limit are taken.
absl::Status TooLong(absl::string_view what, std::size_t bytes, std::size_t max_bytes);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_VALUES_H_
