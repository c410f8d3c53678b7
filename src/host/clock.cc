#include "nearby/clock.h"

#include "absl/time/clock.h"

namespace nearby {

const SystemClock* SystemClock::Get() {
  static const SystemClock clock;
  return &clock;
}

Time SystemClock::Now() const { return Time::FromAbsl(absl::Now()); }

}  // namespace nearby
