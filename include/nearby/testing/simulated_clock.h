#ifndef NEARBY_TESTING_SIMULATED_CLOCK_H_
#define NEARBY_TESTING_SIMULATED_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "nearby/clock.h"
#include "nearby/export.h"
#include "nearby/time.h"

namespace nearby {

/// A clock that stands still until a test moves it.
///
///   SimulatedClock clock(Time::Millis(1'000));
///   clock.Advance(absl::Seconds(30));
///
/// Thread-safe.
class NEARBY_API SimulatedClock : public Clock {
 public:
  explicit SimulatedClock(Time now = Time()) { Set(now); }

  Time Now() const override;

  /// Any time that `IsValid`, also an earlier one: wall clocks do go backward. Others become the
  /// nearest valid time, as in Advance.
  void Set(Time now);

  /// Rounds toward zero to the millisecond. A negative duration moves the clock back.
  void Advance(absl::Duration by);

 private:
  std::atomic<std::int64_t> now_ms_{0};
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_CLOCK_H_
