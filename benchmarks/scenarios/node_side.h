#ifndef BENCHMARKS_SCENARIOS_NODE_SIDE_H_
#define BENCHMARKS_SCENARIOS_NODE_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/runtime_side.h"
#include "benchmarks/scenarios/subscription_watch.h"
#include "benchmarks/scenarios/trace_clock.h"
#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/cluster_options.h"
#include "nearby/hash_ring.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/in_memory_transport.h"
#include "nearby/runtime.h"
#include "nearby/transport.h"

namespace scenarios {

/// What goes over the network between nodes and pub/sub servers.
struct Traffic {
  std::uint64_t publishes = 0;      ///< Of locations and departures, on channels of users.
  std::uint64_t pushes = 0;         ///< Of these, to each node that listens.
  std::uint64_t letters = 0;        ///< Payloads to inboxes, there and out again.
  std::uint64_t subscriptions = 0;  ///< Subscribes and unsubscribes.
  std::uint64_t payload_bytes = 0;  ///< Of what is published.
  std::uint64_t pushed_bytes = 0;   ///< The same where it comes out again.
  std::uint64_t letter_bytes = 0;   ///< Of both, what went to inboxes.

  std::uint64_t messages() const { return publishes + pushes + letters + subscriptions; }
  Traffic operator-(const Traffic& other) const;
};

/// So many seats, each with a server of its own.
std::vector<nearby::RingSeat> MakeSeats(std::uint32_t count);

struct NodeSideOptions {
  std::uint32_t nodes = 0;
  nearby::RuntimeOptions runtime;
  nearby::ClusterOptions cluster;      ///< But for the node.
  nearby::RingSource::Ring ring;       ///< The first one.
  std::uint32_t offline_friends = 0;   ///< That everybody lists besides those of the world.
  SubscriptionWatch* watch = nullptr;  ///< Optional: is told of all subscriptions.
};

/// Many nodes over a world, in one thread, with a transport that counts: users are spread over
/// nodes by chance, as a load balancer does it.
///
/// Thread-compatible. Borrows all that it is given.
class NodeSide {
 public:
  NodeSide(const capacity::World& world, const NodeSideOptions& options, nearby::ClientSink* sink);
  ~NodeSide();

  std::uint32_t NodeOf(std::uint32_t user) const { return user % nodes_count_; }

  void ConnectAll();
  /// Connects these users, with their last report if `movement` has it; and ends their sessions.
  /// Time stands still.
  void Connect(absl::Span<const std::uint32_t> users, const capacity::Movement* movement);
  void Disconnect(absl::Span<const std::uint32_t> users);
  /// Lets this node, and no other, learn of a ring.
  void SetRing(std::uint32_t node, const nearby::RingSource::Ring& ring);
  /// This pub/sub server dies: all links to it break, and it answers nobody any more.
  void TakeDown(absl::string_view server);
  /// Hands over these batches, each at its time, and polls after each until nothing is left to do.
  void ReportAll(absl::Span<const capacity::Batch> batches);

  const Traffic& traffic() const { return traffic_; }
  nearby::ClusterStats stats() const;
  nearby::ClusterStats stats(std::uint32_t node) const;
  std::uint64_t failures() const { return failures_; }
  /// Friends whom the user sees now.
  std::size_t CountInSight(std::uint32_t user);

 private:
  class CountingTransport;
  struct Node;

  void Settle();

  const capacity::World& world_;
  const std::uint32_t nodes_count_;
  WorldFriendStore friends_;
  TraceClock clock_;
  SubscriptionWatch* const watch_;
  Traffic traffic_;
  nearby::InMemoryBroker broker_;
  nearby::InMemorySessionDirectory directory_;
  nearby::InMemoryLocationStore locations_;
  capacity::HugeArray<nearby::SessionId> sessions_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t failures_ = 0;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_NODE_SIDE_H_
