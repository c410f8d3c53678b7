#include "nearby/in_memory_friend_store.h"

#include <mutex>
#include <utility>

#include "absl/status/statusor.h"

namespace nearby {

struct InMemoryFriendStore::State {
  explicit State(const FriendGraph::Options& options) : graph(options) {}

  std::mutex mutex;
  FriendGraph graph;
};

InMemoryFriendStore::InMemoryFriendStore() : InMemoryFriendStore(FriendGraph::Options()) {}
InMemoryFriendStore::InMemoryFriendStore(const FriendGraph::Options& options)
    : state_(std::make_unique<State>(options)) {}
InMemoryFriendStore::~InMemoryFriendStore() = default;

void InMemoryFriendStore::List(UserId user, ListDone done) {
  FriendList list;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    list.version = state_->graph.version();
    list.friends.reserve(state_->graph.friend_count(user));
    state_->graph.List(user, &list.friends);
  }
  done(std::move(list));
}

void InMemoryFriendStore::Edit(const FriendEdit& edit, EditDone done) {
  absl::StatusOr<FriendshipOutcome> outcome;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    outcome = state_->graph.Edit(edit);
  }
  done(std::move(outcome));
}

FriendGraph& InMemoryFriendStore::graph() { return state_->graph; }

}  // namespace nearby
