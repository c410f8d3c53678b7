#ifndef NEARBY_TESTS_HOST_PATIENCE_H_
#define NEARBY_TESTS_HOST_PATIENCE_H_

#include <chrono>
#include <functional>
#include <thread>

#include "absl/time/time.h"

namespace nearby::test {

/// How long a test waits for what should come before it gives up: not a measure of anything, for
/// sanitizers are slow.
inline constexpr absl::Duration kPatience = absl::Seconds(60);

/// Whether the condition has come to hold before patience ended.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto give_up_at = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(kPatience);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up_at) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_HOST_PATIENCE_H_
