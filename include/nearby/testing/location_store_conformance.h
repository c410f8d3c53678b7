#ifndef NEARBY_TESTING_LOCATION_STORE_CONFORMANCE_H_
#define NEARBY_TESTING_LOCATION_STORE_CONFORMANCE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "nearby/clock.h"
#include "nearby/export.h"
#include "nearby/location_store.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A location store that is empty, and large enough not to forget the few hundred users of a test.
struct LocationStoreUnderTest : AdapterUnderTest<LocationStore> {
  /// The time by which locations are accepted. Must outlive the store.
  const Clock* clock = SystemClock::Get();
  /// Hook: lets at least so much time pass, by that clock and by the store's; at most half as much
  /// again. With a simulated clock at once.
  std::function<void(absl::Duration)> pass;
  /// How long locations live in the test of expiry: short where time passes in earnest, but long
  /// for what the store takes to write and read.
  absl::Duration ttl = absl::Seconds(10);
  /// How many users the store has room for, if that is few enough to be tried out: at most 1000.
  std::optional<std::size_t> max_users;
};

/// The clauses of LocationStore's contract as tests; each makes a store of its own by `make`.
///
/// Not tested, because it cannot be seen from outside: of clause 4, that a `done` may be called
/// after the runtime has gone, which is the runtime's affair; of clause 8, what a failure of the
/// store leaves behind.
NEARBY_API std::vector<ConformanceCase> LocationStoreConformance(
    const std::function<LocationStoreUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_LOCATION_STORE_CONFORMANCE_H_
