#ifndef NEARBY_TESTING_SCRIPTED_FRIEND_STORE_H_
#define NEARBY_TESTING_SCRIPTED_FRIEND_STORE_H_

#include "nearby/export.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/testing/call_script.h"

namespace nearby {

/// A friend store that is slow, fails and loses calls when a test says so, and otherwise does what
/// the store behind it does.
///
///   InMemoryFriendStore friends;
///   ScriptedFriendStore store(&friends);
///   store.edits().FailNext(1, absl::UnavailableError("down"));
///
/// Thread-safe. Borrows the store behind it, which must outlive it.
class NEARBY_API ScriptedFriendStore : public FriendStore {
 public:
  explicit ScriptedFriendStore(FriendStore* store) : store_(store) {}

  void List(UserId user, ListDone done) override;
  void Edit(const FriendEdit& edit, EditDone done) override;

  /// The calls of List: each names its user.
  CallScript& lists() { return lists_; }
  /// The calls of Edit: each names both users.
  CallScript& edits() { return edits_; }

 private:
  FriendStore* store_;
  CallScript lists_;
  CallScript edits_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SCRIPTED_FRIEND_STORE_H_
