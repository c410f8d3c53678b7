#ifndef NEARBY_FRIENDSHIP_H_
#define NEARBY_FRIENDSHIP_H_

#include <cstdint>

#include "nearby/ids.h"

namespace nearby {

/// All that is stored about two users, seen from one of them ("I"). Friendship is mutual; hiding
/// and unsubscribing are one-way, and hold whether or not the two are friends at the moment.
///
/// Immutable value type.
struct Friendship {
  bool friends = false;
  bool i_hide = false;               ///< I do not share my location with the friend.
  bool friend_hides = false;         ///< The friend does not share theirs with me.
  bool i_unsubscribed = false;       ///< I do not want to hear about the friend.
  bool friend_unsubscribed = false;  ///< The friend does not want to hear about me.

  /// Whether I may be told where the friend is.
  constexpr bool i_may_see() const { return friends && !friend_hides && !i_unsubscribed; }
  /// Whether the friend may be told where I am.
  constexpr bool friend_may_see() const { return friends && !i_hide && !friend_unsubscribed; }

  /// The same facts, seen from the friend.
  constexpr Friendship Flipped() const {
    return Friendship{friends, friend_hides, i_hide, friend_unsubscribed, i_unsubscribed};
  }

  friend constexpr bool operator==(const Friendship& a, const Friendship& b) {
    return a.friends == b.friends && a.i_hide == b.i_hide && a.friend_hides == b.friend_hides &&
           a.i_unsubscribed == b.i_unsubscribed && a.friend_unsubscribed == b.friend_unsubscribed;
  }
  friend constexpr bool operator!=(const Friendship& a, const Friendship& b) { return !(a == b); }
};

/// A point in the order in which the friend store commits its changes: a commit sequence number, a
/// log position, a hybrid logical clock. A list or a fact that bears version v takes account of
/// every change with a version <= v. Versions of one store are comparable across users.
enum class FriendVersion : std::uint64_t {};

constexpr std::uint64_t ToInt(FriendVersion version) { return static_cast<std::uint64_t>(version); }

/// One entry of a user's friend list, seen from that user.
struct FriendEntry {
  UserId friend_id{};
  Friendship friendship;
};

/// What the friend store holds about a pair after a change of any kind: befriend, unfriend, hide,
/// share, subscribe and unsubscribe all arrive at an engine in this one form. It states the whole
/// outcome, not the step, so that applying it twice or late is harmless.
struct FriendshipChange {
  UserId user{};
  UserId friend_id{};
  Friendship friendship;  ///< Seen from `user`.
  FriendVersion version{};
};

/// The pair after a call that was to change it. `changed` is false when what was asked already
/// held; applying the change to an engine then delivers nothing.
struct FriendshipOutcome {
  FriendshipChange change;
  bool changed = false;
};

/// What a user may do about another. Befriending and unfriending are mutual: either may do it for
/// both. The others concern `user` alone.
struct FriendEdit {
  enum class Kind : std::uint8_t {
    kBefriend,
    kUnfriend,
    kHide,         ///< `user` no longer shares their location with `friend_id`.
    kShare,        ///< The opposite.
    kSubscribe,    ///< `user` wants to hear about `friend_id`; so by default.
    kUnsubscribe,  ///< The opposite.
  };

  Kind kind = Kind::kBefriend;
  UserId user{};
  UserId friend_id{};
};

}  // namespace nearby

#endif  // NEARBY_FRIENDSHIP_H_
