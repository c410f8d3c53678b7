#ifndef NEARBY_SRC_ENGINE_CHANGE_LOG_H_
#define NEARBY_SRC_ENGINE_CHANGE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace nearby::internal {

// The latest friendship changes, so that an older friend list that arrives after them cannot undo
// them. Bounded: the oldest make room, and then nothing older than those may be believed any more
// (the floor), since it might undo what was forgotten.
//
// Thread-compatible. O(log size) a call.
class ChangeLog {
 public:
  enum class Verdict {
    kNew,       // newer than all that is known of the pair
    kRepeated,  // not newer
    kTooOld,    // not newer than what had to be forgotten: cannot be judged
  };

  explicit ChangeLog(std::size_t max_changes) : max_changes_(max_changes) {}

  Verdict Judge(const FriendshipChange& change) const;
  // Remembers a change that Judge calls new. `in_force`: the pair was brought to it, and was not
  // left as newer lists had it.
  void Record(const FriendshipChange& change, bool in_force);
  // A list of this user's, as of this version, is in force instead of what it takes account of.
  void ListInForce(FriendVersion version, UserId user);
  // Whether the last change remembered of the pair is in force.
  bool IsInForce(UserId user, UserId friend_id) const;

  // The last change of the pair, seen from `user`, if it is remembered and newer than `version`.
  std::optional<FriendshipChange> NewerThan(FriendVersion version, UserId user,
                                            UserId friend_id) const;
  // The same for every pair of `user`, ascending by friend.
  std::vector<FriendshipChange> AllNewerThan(FriendVersion version, UserId user) const;

  // Whether a statement of this version may be believed, together with what is remembered.
  bool IsBelievable(FriendVersion version) const { return !floor_ || version >= *floor_; }

  // Changes forgotten to make room.
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  using View = std::pair<UserId, UserId>;  // a user and the friend

  struct Remembered {
    FriendshipChange change;
    bool in_force = false;
  };

  void MakeRoom();

  std::size_t max_changes_;
  // Each pair twice, seen from either side, so that one user's pairs lie together.
  absl::btree_map<View, Remembered> latest_;
  // One entry a pair, in order of arrival; a pair that has changed since goes to the end when its
  // turn to make room comes, so that one that flaps does not push out the others.
  std::deque<std::pair<View, FriendVersion>> arrivals_;
  std::optional<FriendVersion> floor_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_ENGINE_CHANGE_LOG_H_
