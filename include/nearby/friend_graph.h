#ifndef NEARBY_FRIEND_GRAPH_H_
#define NEARBY_FRIEND_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/export.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace nearby {

/// One user looking at another: the direction that hiding and subscribing apply to.
struct Viewing {
  UserId viewer{};
  UserId owner{};
};

/// Who is whose friend, who hides from whom and who has unsubscribed from whom, in memory: the
/// embedded friend store, for hosts without a database, for tests and for replays.
///
/// Friendship is symmetric by construction: each change writes both users' lists before it returns.
/// Hides and unsubscriptions are one-way and outlive the friendship. Every change that alters
/// something takes the next version, so that a list read earlier can be told from a later one.
///
///   FriendGraph graph;
///   absl::StatusOr<FriendGraph::Outcome> outcome = graph.Befriend(UserId{1}, UserId{2});
///   if (outcome.ok() && outcome->changed) status = engine->Apply(outcome->change, &effects);
///
/// Thread-compatible. Owns its memory: 16 bytes for each side of a pair, plus the hash map.
/// Cost: one hash look-up and a binary search per user; a change also shifts part of two arrays.
class NEARBY_API FriendGraph {
 public:
  struct Options {
    /// Befriending fails beyond this many friends for either side.
    std::uint32_t max_friends = 5000;
    /// Hiding and unsubscribing fail once a user has settings of their own for this many others,
    /// friends or not. Only the author of a setting is counted: otherwise many could hide from one
    /// user until nobody else can.
    std::uint32_t max_settings = 10'000;
    /// Nobody new is taken in beyond this many users with a friend or a setting. With 40 friends
    /// each so many take some 15 GB.
    std::size_t max_users = 20'000'000;
  };

  /// The pair after the call. Where nothing changed, the version is that of the graph.
  using Outcome = FriendshipOutcome;

  FriendGraph() : FriendGraph(Options()) {}
  explicit FriendGraph(const Options& options) : options_(options) {}

  /// Makes or ends a friendship. `InvalidArgument` when a == b; `ResourceExhausted` when either
  /// side has max_friends, or max_users are held: ending one never fails for want of room. On an
  /// error nothing changes. The change is seen from `a`.
  absl::StatusOr<Outcome> Befriend(UserId a, UserId b);
  absl::StatusOr<Outcome> Unfriend(UserId a, UserId b);

  /// Withholds the owner's location from the viewer, or shares it again. The change is
  /// seen from the viewer. `InvalidArgument` when both are one; `ResourceExhausted` when Hide would
  /// take the owner beyond max_settings, or the graph beyond max_users.
  absl::StatusOr<Outcome> Hide(Viewing viewing);
  absl::StatusOr<Outcome> Share(Viewing viewing);

  /// Whether the viewer wants to hear about the owner; by default yes. The change is seen
  /// from the viewer. Errors as above, with the viewer as the author.
  absl::StatusOr<Outcome> Subscribe(Viewing viewing);
  absl::StatusOr<Outcome> Unsubscribe(Viewing viewing);

  /// Any of these, by what it is called. The change is seen from `edit.user`.
  absl::StatusOr<Outcome> Edit(const FriendEdit& edit);

  /// The pair as it stands, seen from `user`.
  Friendship Get(UserId user, UserId friend_id) const;

  /// Appends `user`'s friends in ascending order of id, as of `version()`. Strangers that merely
  /// have settings are left out. O(friends).
  void List(UserId user, std::vector<FriendEntry>* out) const;

  /// Appends the users that are friends of both, in ascending order. O(friends of both).
  void Mutual(UserId a, UserId b, std::vector<UserId>* out) const;

  std::size_t friend_count(UserId user) const;
  /// Users with at least one friend or setting.
  std::size_t user_count() const { return users_.size(); }
  /// Pairs that are friends.
  std::size_t friendship_count() const { return friendship_count_; }
  FriendVersion version() const { return version_; }

  /// Checks that each pair is held by both users alike and within the limits, that lists ascend,
  /// that nothing empty is held, and the counts: `Internal` naming the first violation by ascending
  /// user. O(pairs log pairs): for tests and debugging.
  absl::Status CheckInvariants() const;

 private:
  /// A user's pairs, ascending by id: friends, and strangers with settings.
  struct User {
    std::vector<FriendEntry> pairs;
    std::uint32_t friend_count = 0;
    std::uint32_t setting_count = 0;  // pairs in which this user hides or has unsubscribed
  };

  // Makes one of the facts about the pair, seen from `a`, true or false for both users, unless it
  // is so already or a limit forbids it.
  absl::StatusOr<Outcome> Set(UserId a, UserId b, bool Friendship::*fact, bool value);
  // Whether `user`, who sees the pair so, may go from what is held to what is wanted.
  absl::Status CheckLimits(UserId user, const Friendship& held, const Friendship& wanted) const;
  // Whether both can be held.
  absl::Status CheckRoom(UserId a, UserId b) const;
  void Write(UserId user, UserId friend_id, const Friendship& wanted);
  absl::Status CheckUser(UserId user) const;
  // Edit, with the change seen from either.
  absl::StatusOr<Outcome> EditAny(const FriendEdit& edit);

  Options options_;
  absl::flat_hash_map<UserId, User> users_;
  std::size_t friendship_count_ = 0;
  FriendVersion version_{};
};

}  // namespace nearby

#endif  // NEARBY_FRIEND_GRAPH_H_
