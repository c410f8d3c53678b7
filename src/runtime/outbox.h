#ifndef NEARBY_SRC_RUNTIME_OUTBOX_H_
#define NEARBY_SRC_RUNTIME_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"

namespace nearby::internal {

// What one client has not been told yet: at most one event a friend, merged so that the client's
// set is right whenever it catches up.
//
//   what waits   what happens   what waits then
//   enter        move           enter, newer
//   enter        leave          nothing
//   move         move           move, newer
//   move         leave          leave
//   leave        enter          move: the client still has the friend
//
// Past the limit nothing is kept but the need for a resync.
//
// Thread-compatible. Reused from client to client: its memory is kept.
// Invariant: no two live events are about the same friend.
class Outbox {
 public:
  // What became of a delivery.
  enum class Added : std::uint8_t {
    kWaits,
    kMerged,     // took the place of one that waited
    kCancelled,  // neither it nor the one that waited will be told
    kOverflow,   // the limit was passed just now: everything gave way to a resync
    kCovered,    // a resync waits, which will tell
  };

  // Takes a delivery of any kind. A reset makes all that waits void.
  Added Add(const Delivery& delivery, std::size_t limit);

  bool empty() const { return live_ == 0 && start_ == BatchStart::kGoesOn; }
  // Events that wait.
  std::size_t size() const { return live_; }
  BatchStart start() const { return start_; }

  // The events that wait, in the order in which their friends first had one. Valid until the next
  // call.
  absl::Span<const ClientEvent> Events();
  void Clear();

 private:
  struct Entry {
    ClientEvent event;
    bool is_live = false;
  };

  // Below this many, looking through them all is quicker than hashing.
  static constexpr std::size_t kUnindexed = 16;

  Entry* Find(UserId friend_id);
  Added Merge(Entry* entry, const ClientEvent& event);

  std::vector<Entry> entries_;
  absl::flat_hash_map<UserId, std::uint32_t> index_;  // into entries_, past kUnindexed of them
  std::size_t live_ = 0;
  BatchStart start_ = BatchStart::kGoesOn;
  std::vector<ClientEvent> events_;  // what Events shows
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_OUTBOX_H_
