#ifndef NEARBY_TESTING_SIMULATED_FRIEND_STORE_H_
#define NEARBY_TESTING_SIMULATED_FRIEND_STORE_H_

#include <memory>

#include "nearby/export.h"
#include "nearby/friend_store.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_backend.h"

namespace nearby {

class SimulatedCalls;

/// One node's way to a friend store that the nodes of a simulated world share: it takes time, and
/// fails as `SimulatedFaultOptions::friends` says.
///
/// A list is read, and an edit made, at one instant between the call and its answer. So a list may
/// be old when it comes, by as long as its answer took, but never older than its call.
///
/// With all faults off it keeps the contract of `FriendStore`, but for thread safety (3). Lost
/// answers break clause 1; nothing else breaks any.
///
/// Thread-compatible: one thread for the whole world. Borrows the backend and the store behind it,
/// which must complete its calls before they return; both must outlive every Step of the
/// simulation.
class NEARBY_API SimulatedFriendStore : public FriendStore {
 public:
  SimulatedFriendStore(SimulatedBackend* backend, FriendStore* behind, NodeId node);
  /// As Crash. Answers that have not come are destroyed uncalled.
  ~SimulatedFriendStore() override;

  void List(UserId user, ListDone done) override;
  void Edit(const FriendEdit& edit, EditDone done) override;

  /// The node is gone: no answer reaches it any more. Calls under way may or may not be carried
  /// out, each by chance; later ones are not, and are not answered either. What was to be called is
  /// kept until the store is destroyed: destroying it may set off a completion of the node's own.
  void Crash();

 private:
  FriendStore* behind_;
  std::unique_ptr<SimulatedCalls> calls_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_FRIEND_STORE_H_
