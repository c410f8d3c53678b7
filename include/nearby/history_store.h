#ifndef NEARBY_HISTORY_STORE_H_
#define NEARBY_HISTORY_STORE_H_

#include <cstddef>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {

/// Where everybody has been: an append-only log. The engine never reads it; it is there for what a
/// host makes of it. `InMemoryHistoryStore` is the embedded default.
///
/// Contract:
///   1. Completion: each call calls its `done` exactly once, before it returns or later, on any
///      thread, and throws nothing.
///   2. Blocking: no call blocks on I/O.
///   3. Thread safety: calls come from several threads at once, and from within a `done`.
///   4. Lifespan: the store outlives the runtime that uses it. A `done` may be destroyed uncalled
///      only when the store itself is destroyed; calling it after the runtime is gone is harmless.
///      Spans are valid during the call alone.
///   5. Append is at least once: a batch that failed may be appended again, and may have been
///      appended in part, so that a location may be there twice. A store may instead take those
///      with equal user, accepted_at and reported_at for one.
///   6. Read answers a user's locations with from <= accepted_at < until, ascending by accepted_at,
///      in the order of their appending where that is equal, and the first `limit` of them. They
///      are those that the store still has: how long it keeps them is its own affair.
class NEARBY_API HistoryStore {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::vector<AcceptedLocation>>)>;

  struct Query {
    UserId user{};
    Time from;
    Time until;
    std::size_t limit = 1000;
  };

  virtual ~HistoryStore() = default;

  /// Appends a batch; the runtime appends at most 4096 at once.
  virtual void Append(absl::Span<const AcceptedLocation> locations, Done done) = 0;
  virtual void Read(const Query& query, ReadDone done) = 0;
};

}  // namespace nearby

#endif  // NEARBY_HISTORY_STORE_H_
