#ifndef NEARBY_IN_MEMORY_RING_SOURCE_H_
#define NEARBY_IN_MEMORY_RING_SOURCE_H_

#include <memory>

#include "absl/status/status.h"
#include "nearby/export.h"
#include "nearby/ring_source.h"

namespace nearby {

/// A ring that the host sets: the embedded default, for a fixed set of servers and for tests.
///
///   InMemoryRingSource source;
///   absl::Status status = source.Set(ring);
///   std::unique_ptr<RingSource::Watcher> watcher = source.Watch([](RingSource::Ring ring) { ...
///   });
///
/// Thread-safe. Watchers are called by the thread that sets or watches, without a lock.
/// Ownership: shares the newest ring.
class NEARBY_API InMemoryRingSource : public RingSource {
 public:
  InMemoryRingSource();
  ~InMemoryRingSource() override;

  /// Hands the ring to all watchers, in the order in which they began, before it returns; but to
  /// one that is busy with an earlier ring (in another thread, or because it sets this one) right
  /// after that, in the same thread. `InvalidArgument` for null; `FailedPrecondition` if its
  /// version is not above that of the ring held.
  absl::Status Set(Ring ring);

  std::unique_ptr<Watcher> Watch(Changed changed) override;

 private:
  struct NEARBY_LOCAL State;
  class NEARBY_LOCAL Watching;
  std::shared_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_RING_SOURCE_H_
