#ifndef NEARBY_NODE_BATCH_H_
#define NEARBY_NODE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"

namespace nearby {

/// One thing that a node tells others. Fields that its kind does not name mean nothing.
struct NodeEvent {
  enum class Kind : std::uint8_t {
    // On the channel of `user`, from the node where `session` is.
    kLocation,  ///< `user` reported: `position`, `accepted_at`, `reported_at`,
                ///< `speed_bound_mm_s`, as AcceptedLocation has it, and `jumps`.
    kOffline,   ///< The session is over.

    // To the inbox of one node.
    kAnnounce,      ///< `user` is connected here, by `session`, and a friend of `friend_id`, who is
                    ///< connected to you: `friendship`, seen from `user`, as of `version`.
    kAnnounceBack,  ///< The answer to it: so is mine.
    kChange,   ///< Put this in force: `user`, `friend_id`, `friendship`, `version`; and say so,
               ///< by `request`. A friendship with facts that this version does not know is decoded
               ///< as none, so that whatever they forbid does not happen.
    kChanged,  ///< The answer to it: what `request` asked for is in force here.
    kTaken,    ///< `user` has begun `session` here: an older one of yours is over.
    kReload,   ///< Load the friend list of `user` again, who is connected to you.
  };

  Kind kind = Kind::kLocation;
  UserId user{};
  UserId friend_id{};
  Friendship friendship;
  FriendVersion version{};
  Epoch session{};
  Position position;
  Time accepted_at;
  Time reported_at;
  std::uint64_t request = 0;
  std::uint32_t speed_bound_mm_s = 0;
  /// How often in `session` so far the user has gone farther from one report to the next than
  /// anybody could know from what was said before: faster than the speed bound of then, or while
  /// their location was expired.
  std::uint32_t jumps = 0;
};

/// What one node publishes in one payload.
struct NodeBatch {
  NodeLease from;
  /// On a user's channel: grows with each batch of the sender's on that channel. To an inbox:
  /// counts the batches from one life to another that bear events, from 1; 0 if it bears none.
  std::uint64_t sequence = 0;

  // To an inbox.

  Epoch to{};  ///< The life that it is for: a later one of the same node ignores it.
  /// All batches to the sender's life up to this one have arrived.
  std::uint64_t acknowledged = 0;

  std::vector<NodeEvent> events;
  /// Of those decoded, left out: of kinds that this version does not know, or announcements of
  /// friendships that it does not.
  std::size_t unknown_events = 0;
};

}  // namespace nearby

#endif  // NEARBY_NODE_BATCH_H_
