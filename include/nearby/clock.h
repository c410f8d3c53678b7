#ifndef NEARBY_CLOCK_H_
#define NEARBY_CLOCK_H_

#include <cstdint>

#include "nearby/export.h"
#include "nearby/time.h"

namespace nearby {

/// Where a runtime reads engine time. A host implements it to drive time itself: in tests
/// (`nearby/testing/simulated_clock.h`), or from a clock that its event loop has read already.
///
/// Contract:
///   1. Now is valid (`IsValid`).
///   2. Now may be called from any thread, at any time while a runtime that uses the clock lives.
///   3. Now does not block: it is read once for each batch of work.
/// Now may go backward, as wall clocks do. A runtime then stays where it is until the clock has
/// caught up.
class NEARBY_API Clock {
 public:
  virtual ~Clock() = default;

  virtual Time Now() const = 0;

  /// Milliseconds of a clock that nobody puts forward or back, from whatever beginning, for what
  /// must not take longer than it may, such as a lease. By default Now, which is as good where that
  /// is never put back.
  virtual std::int64_t SteadyMs() const { return Now().ms; }
};

/// The system's wall clock, in milliseconds since the Unix epoch: the default. It never goes
/// backward: where the wall clock is put back, it runs at half its pace until that has caught up.
/// Thread-safe.
class NEARBY_API SystemClock : public Clock {
 public:
  /// The one for all; it lives as long as the process.
  static const SystemClock* Get();

  Time Now() const override;
  std::int64_t SteadyMs() const override;
};

}  // namespace nearby

#endif  // NEARBY_CLOCK_H_
