#ifndef NEARBY_SRC_RUNTIME_BACKOFF_H_
#define NEARBY_SRC_RUNTIME_BACKOFF_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace nearby::internal {

// How long to wait before storage is tried again: twice as long each time, up to a maximum, and up
// to a half more by chance, so that those who failed together do not come back together. The chance
// is seeded: a run with the same seed is the same.
//
// Thread-compatible.
class Backoff {
 public:
  Backoff(absl::Duration min, absl::Duration max, std::uint64_t seed)
      : min_ms_(std::max<std::int64_t>(1, absl::ToInt64Milliseconds(min))),
        max_ms_(std::max(min_ms_, absl::ToInt64Milliseconds(max))),
        state_(seed) {}

  // In milliseconds, after that many failures in a row, the first being 1.
  std::int64_t DelayMs(std::uint32_t failures) {
    const std::uint32_t doublings = std::min<std::uint32_t>(failures > 0 ? failures - 1 : 0, 62);
    // Compared before it is shifted: the shift could overflow.
    const std::int64_t base = min_ms_ > max_ms_ >> doublings ? max_ms_ : min_ms_ << doublings;
    return base + static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(base / 2 + 1));
  }

 private:
  // SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
  // 2014).
  std::uint64_t Next() {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  std::int64_t min_ms_;
  std::int64_t max_ms_;
  std::uint64_t state_;
};

// Whether an operation that ended so may succeed when it is tried again.
inline bool IsRetryable(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_BACKOFF_H_
