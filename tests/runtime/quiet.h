#ifndef NEARBY_TESTS_RUNTIME_QUIET_H_
#define NEARBY_TESTS_RUNTIME_QUIET_H_

#include <cstddef>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "nearby/testing/call_script.h"
#include "nearby/testing/simulated_clock.h"

namespace nearby::test {

/// Lets time pass until no friend list is being loaded, or is to be. `poll_all` polls every shard
/// until nothing is left to do. Fails if the lists do not come to an end.
template <typename PollAll>
void AwaitLists(const CallScript& lists, const Runtime& runtime, SimulatedClock& clock,
                PollAll poll_all) {
  // Each round is long enough for a list to time out, or for the longest wait between retries: once
  // there are two in which none was asked for, none is left to be.
  int quiet = 0;
  for (int round = 0; round < 200 && quiet < 2; ++round) {
    const std::size_t calls = lists.counts().calls;
    clock.Advance(absl::Seconds(16));
    poll_all();
    const bool is_quiet = lists.counts().calls == calls && runtime.stats().loads_in_flight == 0;
    quiet = is_quiet ? quiet + 1 : 0;
  }
  const RuntimeStats stats = runtime.stats();
  EXPECT_EQ(quiet, 2) << "friend lists are asked for without end: " << lists.counts().calls
                      << " calls, " << stats.lists_loaded << " loaded, " << stats.loads_failed
                      << " failed, " << stats.loads_in_flight << " under way, "
                      << stats.connects_failed << " connects failed";
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_QUIET_H_
