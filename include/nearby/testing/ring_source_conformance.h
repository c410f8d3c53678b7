#ifndef NEARBY_TESTING_RING_SOURCE_CONFORMANCE_H_
#define NEARBY_TESTING_RING_SOURCE_CONFORMANCE_H_

#include <functional>
#include <vector>

#include "nearby/export.h"
#include "nearby/ring_source.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A ring source that knows no ring yet. While it is stalled, it has lost touch with where it
/// learns them.
struct RingSourceUnderTest : AdapterUnderTest<RingSource> {
  /// Required: publishes a ring where the source learns of it. It may do so later, or refuse, if
  /// the ring is older than the one before. Called from several threads, and not while stalled.
  std::function<void(RingSource::Ring)> publish;
};

/// The clauses of RingSource's contract as tests; each makes a source of its own by `make`.
///
/// Not tested: of clause 3, what a watcher must not do from within its own call, and clause 6, the
/// lifespan: both bind those who use a source.
NEARBY_API std::vector<ConformanceCase> RingSourceConformance(
    const std::function<RingSourceUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_RING_SOURCE_CONFORMANCE_H_
