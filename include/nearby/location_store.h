#ifndef NEARBY_LOCATION_STORE_H_
#define NEARBY_LOCATION_STORE_H_

#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {

/// Where each active user was last, outside the process: a cache shared by all nodes, such as
/// Redis. It may forget: a location that is missing is not news of anybody's leaving.
/// `InMemoryLocationStore` is the embedded default.
///
/// Contract:
///   1. Completion: each call calls its `done` exactly once, before it returns or later, on any
///      thread, and throws nothing.
///   2. Blocking: no call blocks on I/O. One for which too much waits already completes
///      `Unavailable`.
///   3. Thread safety: calls come from several threads at once, and from within a `done`.
///   4. Lifespan: the store outlives the runtime that uses it. A `done` may be destroyed uncalled
///      only when the store itself is destroyed; calling it after the runtime is gone is harmless.
///      Spans are valid during the call alone.
///   5. Newest wins: a location of an earlier session than that of the one held is dropped, and of
///      the same session one whose accepted_at is earlier, which is not a failure. Of two of one
///      session with the same accepted_at, the one written last stays. (Of different sessions
///      accepted_at is by different clocks, and is not compared.)
///   6. Expiry: a location is readable from its write until accepted_at + ttl, unless the store
///      forgets it before, and is gone some time after that by itself. A reader checks accepted_at
///      and does not rely on the store. What is at its end when it is written, as anything is with
///      a ttl that is not positive, is written as well, with Ok, and never read.
///   7. Read answers one element for each user asked for, in that order, with all that was written;
///      nullopt for one it does not know.
///   8. A write that failed may be repeated; it may also have succeeded in part. Where it failed
///      with `ResourceExhausted`, the store has no room for more users, and the same is not written
///      again.
///   9. Erase removes what is held if it is of an earlier session, or of the same with an
///      accepted_at that is the same or earlier, and completes Ok for a user who is not there. So a
///      node that bids it with the time of what it wrote last removes nothing that another has
///      written since. It leaves no mark: an older write that arrives
///      after it is stored, so a caller does not repeat writes that it has since erased.
class NEARBY_API LocationStore {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using ReadDone =
      absl::AnyInvocable<void(absl::StatusOr<std::vector<std::optional<AcceptedLocation>>>)>;

  /// Whose location to erase, unless there is a newer one.
  struct Erasure {
    UserId user{};
    Time accepted_at;
    Epoch session{};
  };

  virtual ~LocationStore() = default;

  /// Stores a batch; a user may occur more than once. The runtime writes at most 4096 at once.
  virtual void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                     Done done) = 0;
  virtual void Read(absl::Span<const UserId> users, ReadDone done) = 0;
  virtual void Erase(absl::Span<const Erasure> erasures, Done done) = 0;
};

}  // namespace nearby

#endif  // NEARBY_LOCATION_STORE_H_
