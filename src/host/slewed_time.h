#ifndef NEARBY_SRC_HOST_SLEWED_TIME_H_
#define NEARBY_SRC_HOST_SLEWED_TIME_H_

#include <algorithm>
#include <cstdint>

#include "nearby/time.h"

namespace nearby::internal {

// Wall time that never stands still nor goes back. A wall clock that is put back, be it by a day,
// would stop whoever waits for time to pass; so from then on half of what passes counts, until the
// wall clock has caught up. One that is put forward is followed at once.
//
// Thread-compatible.
class SlewedTime {
 public:
  // `steady_ms` is of a clock that nobody puts forward or back, whatever its beginning.
  Time Next(std::int64_t wall_ms, std::int64_t steady_ms) {
    if (!has_begun_) {
      has_begun_ = true;
      slewed_half_ms_ = 2 * wall_ms;
    } else {
      slewed_half_ms_ = std::max(2 * wall_ms, slewed_half_ms_ + (steady_ms - steady_ms_));
    }
    steady_ms_ = steady_ms;
    return Time{slewed_half_ms_ / 2};
  }

 private:
  bool has_begun_ = false;
  std::int64_t slewed_half_ms_ = 0;  // in half milliseconds, of which one passes in each
  std::int64_t steady_ms_ = 0;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_HOST_SLEWED_TIME_H_
