#ifndef NEARBY_IN_MEMORY_FRIEND_STORE_H_
#define NEARBY_IN_MEMORY_FRIEND_STORE_H_

#include <memory>

#include "nearby/export.h"
#include "nearby/friend_graph.h"
#include "nearby/friend_store.h"

namespace nearby {

/// A FriendGraph as a friend store: the embedded default, for hosts without a database, and for
/// tests.
///
///   InMemoryFriendStore friends;
///   friends.Edit({FriendEdit::Kind::kBefriend, UserId{1}, UserId{2}}, [](auto outcome) { ... });
///
/// Thread-safe: a lock around the graph. Every call completes before it returns.
/// Ownership: owns the graph.
class NEARBY_API InMemoryFriendStore : public FriendStore {
 public:
  InMemoryFriendStore();
  explicit InMemoryFriendStore(const FriendGraph::Options& options);
  ~InMemoryFriendStore() override;

  void List(UserId user, ListDone done) override;
  void Edit(const FriendEdit& edit, EditDone done) override;

  /// The graph, for loading friendships before the store is shared. Requires that no call is under
  /// way in another thread.
  FriendGraph& graph();

 private:
  struct NEARBY_LOCAL State;
  std::unique_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_FRIEND_STORE_H_
