#ifndef NEARBY_SRC_HOST_SLEWED_TIME_H_
#define NEARBY_SRC_HOST_SLEWED_TIME_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "nearby/time.h"

namespace nearby::internal {

// Wall time that never stands still nor goes back. A wall clock that is put back, be it by a day,
// would stop whoever waits for time to pass; so from then on half of what passes counts, until the
// wall clock has caught up. One that is put forward is followed at once.
//
// Thread-safe, without a lock: what has to be remembered is one number.
class SlewedTime {
 public:
  // `steady_ms` is of a clock that nobody puts forward or back, whatever its beginning.
  Time Next(std::int64_t wall_ms, std::int64_t steady_ms) {
    const std::int64_t lead = 2 * wall_ms - steady_ms;
    std::int64_t most = lead_.load(std::memory_order_relaxed);
    while (most < lead && !lead_.compare_exchange_weak(most, lead, std::memory_order_relaxed)) {
    }
    return Time{(std::max(most, lead) + steady_ms) / 2};
  }

 private:
  // The largest 2 * wall - steady so far. While the wall clock goes on it grows with every
  // millisecond, and (lead + steady) / 2 is the wall clock. Once that has been put back, the lead
  // stays, and the same sum grows by half of what passes.
  std::atomic<std::int64_t> lead_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_HOST_SLEWED_TIME_H_
