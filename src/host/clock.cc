#include "nearby/clock.h"

#include <chrono>
#include <cstdint>

#include "absl/time/clock.h"
#include "src/host/slewed_time.h"

namespace nearby {

const SystemClock* SystemClock::Get() {
  static const SystemClock kClock;
  return &kClock;
}

Time SystemClock::Now() const {
  static internal::SlewedTime slewed;
  return slewed.Next(Time::FromAbsl(absl::Now()).ms, SteadyMs());
}

std::int64_t SystemClock::SteadyMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace nearby
