#include "nearby/testing/simulated_friend_store.h"

#include <utility>

#include "src/testing/simulated_calls.h"

namespace nearby {

SimulatedFriendStore::SimulatedFriendStore(SimulatedBackend* backend, FriendStore* behind,
                                           NodeId node)
    : behind_(behind), calls_(std::make_unique<SimulatedCalls>(backend, node)) {}
SimulatedFriendStore::~SimulatedFriendStore() = default;

void SimulatedFriendStore::List(UserId user, ListDone done) {
  calls_->Make<absl::StatusOr<FriendList>>(
      std::move(done),
      [behind = behind_, user](ListDone result) { behind->List(user, std::move(result)); });
}

void SimulatedFriendStore::Edit(const FriendEdit& edit, EditDone done) {
  calls_->Make<absl::StatusOr<FriendshipOutcome>>(
      std::move(done),
      [behind = behind_, edit](EditDone result) { behind->Edit(edit, std::move(result)); });
}

void SimulatedFriendStore::Crash() { calls_->Crash(); }

}  // namespace nearby
