// A host's test: the component testing, without a test framework.

#include "absl/time/time.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"

int main() {
  nearby::SimulatedClock clock(nearby::Time::Millis(1'000));
  clock.Advance(absl::Seconds(1));
  return clock.Now() == nearby::Time::Millis(2'000) ? 0 : 1;
}
