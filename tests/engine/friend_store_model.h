#ifndef NEARBY_TESTS_ENGINE_FRIEND_STORE_MODEL_H_
#define NEARBY_TESTS_ENGINE_FRIEND_STORE_MODEL_H_

#include <map>
#include <utility>
#include <vector>

#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace nearby::test {

/// A friend store that forgets nothing, so that a list can be read as of any version: for lists
/// that arrive late.
class FriendStoreModel {
 public:
  /// Commits a state of the pair, seen from `user`, under the next version.
  FriendshipChange Commit(UserId user, UserId friend_id, const Friendship& friendship) {
    const FriendshipChange change{user, friend_id, friendship, FriendVersion{history_.size() + 1}};
    history_.push_back(change);
    Write(change, &current_);
    return change;
  }

  /// The pair now, seen from `user`.
  Friendship Get(UserId user, UserId friend_id) const {
    const auto found = current_.find({user, friend_id});
    return found == current_.end() ? Friendship() : found->second;
  }

  /// The user's friends as of `version`.
  std::vector<FriendEntry> ListAt(UserId user, FriendVersion version) const {
    States states;
    for (const FriendshipChange& change : history_) {
      if (change.version > version) break;
      if (change.user == user || change.friend_id == user) Write(change, &states);
    }
    std::vector<FriendEntry> list;
    for (const auto& [pair, friendship] : states) {
      if (pair.first == user && friendship.friends) list.push_back({pair.second, friendship});
    }
    return list;
  }

  FriendVersion version() const { return FriendVersion{history_.size()}; }
  /// Every change, in order of version, which is its number counted from 1.
  const std::vector<FriendshipChange>& history() const { return history_; }

 private:
  using States = std::map<std::pair<UserId, UserId>, Friendship>;  // each pair from both sides

  static void Write(const FriendshipChange& change, States* states) {
    (*states)[{change.user, change.friend_id}] = change.friendship;
    (*states)[{change.friend_id, change.user}] = change.friendship.Flipped();
  }

  std::vector<FriendshipChange> history_;
  States current_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_FRIEND_STORE_MODEL_H_
