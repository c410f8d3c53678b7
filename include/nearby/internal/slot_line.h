#ifndef NEARBY_INTERNAL_SLOT_LINE_H_
#define NEARBY_INTERNAL_SLOT_LINE_H_

#include <cstdint>

#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

// Not for hosts: it is here because inline accessors of public classes read it.

namespace nearby::internal {

/// All that the parts keep of one slot, in one line of the processor's cache. Each part reads and
/// writes its own fields alone, and knows nothing of the others'. That they lie together is for
/// speed: a report, and each pair that it makes the engine look at, touches several of them, at the
/// price of one miss instead of one for each.
struct alignas(64) SlotLine {
  // --- LocationCache ---
  Position position;
  /// Times and speed, packed by LocationCache::Motions.
  std::uint64_t motion = 0;
  UserId user{};
  std::uint64_t cookie = 0;
  /// Where LocationCache::ExpiryBuckets has the slot.
  struct Filing {
    std::uint32_t at = 0;     ///< the chunk it is in, or its place in the heap
    std::uint32_t place = 0;  ///< the list and the place in the chunk, or a value that is neither
  } filing;

  // --- SubscriptionRegistry ---
  /// Whether the channel is subscribed to; if so, whether it has a listener.
  enum class Channel : std::uint8_t { kNone, kBusy, kIdle };
  struct RowHead {
    std::uint32_t granule = 0;
    std::uint16_t size = 0;
    std::uint8_t size_class = 0;
    Channel channel = Channel::kNone;
  } row;

  // --- Engine ---
  struct Session {
    FriendVersion list_version{};  ///< clients: of the friend list, if has_friends
    /// It outlives the entity, so that handles of earlier occupants of the slot stay recognisable.
    std::uint32_t generation = 0;
    bool is_client : 1;
    bool is_remote : 1;
    bool has_friends : 1;         ///< clients: the friend list has been installed
    bool is_answered : 1;         ///< clients: so has the connect; only now are they told anything
    bool has_reported : 1;        ///< the cache's report times mean something
    bool has_radius : 1;          ///< clients: one of their own
    bool is_parked : 1;           ///< remotes: their shard sends no locations before `parked_until`
    bool is_asked : 1;            ///< remotes, while parked: it has been asked for the present one
    bool is_heard : 1;            ///< clients: some shard listens
    bool is_all_parked : 1;       ///< clients: but each that does has parked the channel
    std::uint8_t home_shard : 6;  ///< remotes
    /// Remotes, while parked: the tick until which that was asked for. Clients: the first until
    /// which some shard may be left without news.
    std::uint8_t parked_until = 0;

    Session()
        : is_client(false),
          is_remote(false),
          has_friends(false),
          is_answered(false),
          has_reported(false),
          has_radius(false),
          is_parked(false),
          is_asked(false),
          is_heard(false),
          is_all_parked(false),
          home_shard(0) {}
  } session;
};
static_assert(sizeof(SlotLine) == 64);

}  // namespace nearby::internal

#endif  // NEARBY_INTERNAL_SLOT_LINE_H_
