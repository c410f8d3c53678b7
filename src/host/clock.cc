#include "nearby/clock.h"

#include "absl/time/clock.h"

namespace nearby {

const SystemClock* SystemClock::Get() {
  static const SystemClock kClock;
  return &kClock;
}

Time SystemClock::Now() const { return Time::FromAbsl(absl::Now()); }

}  // namespace nearby
