#ifndef NEARBY_RING_SOURCE_H_
#define NEARBY_RING_SOURCE_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "nearby/export.h"
#include "nearby/hash_ring.h"

namespace nearby {

/// Where a node learns which pub/sub server owns which channel: service discovery, such as etcd.
/// `InMemoryRingSource` is the embedded default.
///
/// Contract:
///   1. Watch calls `changed` with the newest ring known, if there is one, soon after and possibly
///      before it returns, and then with each newer one; at least with the newest of those that
///      came in quick succession. Never with null, nor with a ring whose version is not above that
///      of the last.
///   2. Calls of one watcher do not overlap. They come on any thread, and may call Watch.
///   3. After a Watcher's destructor has returned, its `changed` is not called any more, and is not
///      running. It must not be destroyed from within its own `changed`, nor under a lock for which
///      that waits.
///   4. A source that has lost touch with where it learns rings keeps the last one, and says
///      nothing.
///   5. Thread safety: Watch may be called from several threads at once.
///   6. Lifespan: the source outlives its watchers.
class NEARBY_API RingSource {
 public:
  using Ring = std::shared_ptr<const HashRing>;
  using Changed = absl::AnyInvocable<void(Ring)>;

  /// While it lives, its `changed` is called.
  class NEARBY_API Watcher {
   public:
    virtual ~Watcher() = default;
  };

  virtual ~RingSource() = default;

  virtual std::unique_ptr<Watcher> Watch(Changed changed) = 0;
};

}  // namespace nearby

#endif  // NEARBY_RING_SOURCE_H_
