#ifndef NEARBY_TESTING_SESSION_DIRECTORY_CONFORMANCE_H_
#define NEARBY_TESTING_SESSION_DIRECTORY_CONFORMANCE_H_

#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "nearby/export.h"
#include "nearby/session_directory.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A session directory without sessions. `max_holders()` may be at most 1000.
struct SessionDirectoryUnderTest : AdapterUnderTest<SessionDirectory> {
  /// Hook: lets at least so much time pass, by the directory's clock; at most a third as much
  /// again. With a simulated clock at once.
  std::function<void(absl::Duration)> pass;
  /// How long leases last in the tests of their end: short where time passes in earnest, but long
  /// for a dozen calls.
  absl::Duration lease = absl::Seconds(10);
};

/// The clauses of SessionDirectory's contract as tests; each makes a directory of its own by
/// `make`.
///
/// Not tested, because it cannot be seen from outside: of clause 4, that a `done` may be called
/// after the node has gone, which is the node's affair; of clause 5, what a failure leaves behind.
NEARBY_API std::vector<ConformanceCase> SessionDirectoryConformance(
    const std::function<SessionDirectoryUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_SESSION_DIRECTORY_CONFORMANCE_H_
