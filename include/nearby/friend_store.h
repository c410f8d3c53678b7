#ifndef NEARBY_FRIEND_STORE_H_
#define NEARBY_FRIEND_STORE_H_

#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "nearby/export.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace nearby {

/// A user's friends, as of a version.
struct FriendList {
  FriendVersion version{};
  std::vector<FriendEntry> friends;
};

/// Where friendships are kept: the host's user database. `InMemoryFriendStore` is the embedded
/// default.
///
/// Contract:
///   1. Completion: each call calls its `done` exactly once, before it returns or later, on any
///      thread. A call that fails calls it with the status that says why; nothing is thrown.
///   2. Blocking: no call blocks on I/O; what takes time goes on elsewhere and completes later.
///   3. Thread safety: calls come from several threads at once, and from within a `done`.
///   4. Lifespan: the store outlives the runtime that uses it. A `done` may be destroyed uncalled
///      only when the store itself is destroyed; calling it after the runtime is gone is harmless.
///   5. Versions: a list of version v takes account of every change whose version is <= v, of any
///      user, and of no other. Each change that alters something has a version of its own; they
///      ascend in the order of the commits, over all users. (A number drawn before the commit will
///      not do, unless commits wait for each other: a list may be read in between.) A list asked
///      for after an Edit has completed takes account of it, whichever node asked: privacy rests on
///      it.
///   6. Symmetry: a change is seen by the lists of both users from its version on.
///   7. Edit answers the state of the pair as of the version it answers, seen from `edit.user`.
///      Where what was asked already held, `changed` is false and the version is one at which it
///      held during the call.
///   8. A failed Edit has changed nothing, but for DeadlineExceeded, Unavailable and Unknown, after
///      which nobody knows; the caller may repeat it.
///   9. List answers an empty list for a user who has no friends or is not known.
class NEARBY_API FriendStore {
 public:
  using ListDone = absl::AnyInvocable<void(absl::StatusOr<FriendList>)>;
  using EditDone = absl::AnyInvocable<void(absl::StatusOr<FriendshipOutcome>)>;

  virtual ~FriendStore() = default;

  /// Reads a user's friends, in any order, each once.
  virtual void List(UserId user, ListDone done) = 0;

  /// Changes a pair. `InvalidArgument` for a user with themselves; `ResourceExhausted` beyond the
  /// store's limits.
  virtual void Edit(const FriendEdit& edit, EditDone done) = 0;
};

}  // namespace nearby

#endif  // NEARBY_FRIEND_STORE_H_
