#include "nearby/testing/simulated_clock.h"

#include <algorithm>

namespace nearby {
namespace {

std::int64_t Clamp(std::int64_t ms) { return std::clamp(ms, -kMaxTimeMs, kMaxTimeMs); }

}  // namespace

Time SimulatedClock::Now() const { return Time::Millis(now_ms_.load()); }

void SimulatedClock::Set(Time now) { now_ms_.store(Clamp(now.ms)); }

void SimulatedClock::Advance(absl::Duration by) {
  // Both summands are clamped, so that the sum cannot overflow.
  const std::int64_t by_ms =
      std::clamp(absl::ToInt64Milliseconds(by), -2 * kMaxTimeMs, 2 * kMaxTimeMs);
  std::int64_t before = now_ms_.load();
  while (!now_ms_.compare_exchange_weak(before, Clamp(before + by_ms))) {
  }
}

}  // namespace nearby
