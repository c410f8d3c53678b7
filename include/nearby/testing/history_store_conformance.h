#ifndef NEARBY_TESTING_HISTORY_STORE_CONFORMANCE_H_
#define NEARBY_TESTING_HISTORY_STORE_CONFORMANCE_H_

#include <functional>
#include <vector>

#include "nearby/export.h"
#include "nearby/history_store.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A history store that is empty, and keeps the locations of a test: up to fifty of a user, with
/// times around the beginning of 1970.
struct HistoryStoreUnderTest : AdapterUnderTest<HistoryStore> {};

/// The clauses of HistoryStore's contract as tests; each makes a store of its own by `make`.
///
/// Not tested, because it cannot be seen from outside: of clause 4, that a `done` may be called
/// after the runtime has gone, which is the runtime's affair; of clause 5, what a failure of the
/// store leaves behind.
NEARBY_API std::vector<ConformanceCase> HistoryStoreConformance(
    const std::function<HistoryStoreUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_HISTORY_STORE_CONFORMANCE_H_
