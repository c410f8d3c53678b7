#ifndef NEARBY_TESTING_FRIEND_STORE_CONFORMANCE_H_
#define NEARBY_TESTING_FRIEND_STORE_CONFORMANCE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "nearby/export.h"
#include "nearby/friend_store.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// A friend store without friendships.
struct FriendStoreUnderTest : AdapterUnderTest<FriendStore> {
  /// How many friends a user may have, if that is few enough to be tried out: 2 to 1000.
  std::optional<std::size_t> max_friends;
};

/// The clauses of FriendStore's contract as tests; each makes a store of its own by `make`.
///
/// Not tested, because it cannot be seen from outside: of clause 4, that a `done` may be called
/// after the runtime has gone, which is the runtime's affair; of clause 8, what a failure of the
/// database leaves behind.
NEARBY_API std::vector<ConformanceCase> FriendStoreConformance(
    const std::function<FriendStoreUnderTest()>& make);

}  // namespace nearby

#endif  // NEARBY_TESTING_FRIEND_STORE_CONFORMANCE_H_
