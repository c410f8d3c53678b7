#ifndef NEARBY_SRC_RUNTIME_CALLS_H_
#define NEARBY_SRC_RUNTIME_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/effects.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/session_directory.h"
#include "src/runtime/joint.h"

namespace nearby::internal {

// What comes to a shard besides reports, in one order.

// A host's calls; bounded by the mailbox.
struct ConnectRequested {
  ConnectCall call;
  Runtime::ConnectDone done;
  Epoch epoch{};  // the session's, where there are other nodes
};
struct RadiusRequested {
  ClientHandle client;
  double radius_m = 0;
  Runtime::Done done;
};
struct PageRequested {
  UserId user{};
  PageToken after;
  std::size_t page_size = 0;
  Runtime::NearbyDone done;
};

// The rest must not be refused, and is bounded by what set it off: sessions, edits, loads.
struct DisconnectRequested {
  ClientHandle client;
};
struct ReadyAgain {
  ClientHandle client;
};
struct ChangeCommitted {
  FriendshipChange change;
  std::shared_ptr<Joint> joint;
};
// The store has refused or failed: complete the edit on a thread that polls.
struct EditFailed {
  absl::Status status;
  std::shared_ptr<Joint> joint;
};
// The edit has been applied by all shards concerned: now say where the friend is.
struct SubscriptionCommitted {
  FriendEdit edit;
  Runtime::EditDone done;
};
struct ReloadRequested {
  UserId user{};
};
struct ListArrived {
  std::uint64_t load = 0;
  absl::StatusOr<FriendList> list;
};
struct StoreAnswered {
  std::uint64_t call = 0;
  absl::Status status;
};
struct DrainRequested {
  std::shared_ptr<Joint> joint;  // done once no session is left
};
// Something of what lies beyond this node.
struct TaskPosted {
  absl::AnyInvocable<void()> task;
};

using Call = std::variant<ConnectRequested, RadiusRequested, PageRequested, DisconnectRequested,
                          ReadyAgain, ChangeCommitted, EditFailed, SubscriptionCommitted,
                          ReloadRequested, ListArrived, StoreAnswered, DrainRequested, TaskPosted>;

// Asks another shard to answer once it has taken everything that was sent to it before.
struct Fence {
  ShardId from{};
  std::uint64_t number = 0;
  bool is_answer = false;
  std::size_t behind = 0;  // how many messages of its PeerItems come before it
};

// What shards send each other, in order. Messages lie in a row, as an engine takes them.
struct PeerItems {
  std::vector<PeerMessage> messages;
  std::vector<Fence> fences;

  bool empty() const { return messages.empty() && fences.empty(); }
  std::size_t size() const { return messages.size() + fences.size(); }
  void Add(const PeerMessage& message) { messages.push_back(message); }
  void Add(Fence fence) {
    fence.behind = messages.size();
    fences.push_back(fence);
  }
  void Clear() {
    messages.clear();
    fences.clear();
  }
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_CALLS_H_
