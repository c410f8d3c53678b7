#ifndef NEARBY_CLUSTER_H_
#define NEARBY_CLUSTER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/clock.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/export.h"
#include "nearby/internal/other_nodes.h"
#include "nearby/location_store.h"
#include "nearby/ring_source.h"
#include "nearby/session_directory.h"
#include "nearby/transport.h"

namespace nearby {

/// What a cluster borrows of its host. All of it must outlive the cluster, and is shared by nodes
/// in that what they stand for is.
struct ClusterHost {
  Transport* transport = nullptr;         ///< Required. The cluster is its receiver.
  RingSource* ring = nullptr;             ///< Required: which pub/sub server owns which channel.
  SessionDirectory* directory = nullptr;  ///< Required.
  /// Required: the store that the runtimes of all nodes write to.
  LocationStore* locations = nullptr;
};

/// Whether a node can serve clients.
enum class NodeHealth : std::uint8_t {
  kReady,  ///< It holds its lease.
  /// It still does, but the directory should have renewed it long ago: half of it has passed, and a
  /// quarter since that was first asked for. If it is not renewed, all sessions end with it.
  /// Connects fail unless the directory answers.
  kOverdue,
  /// It holds none: it has just begun, the directory could not renew it in time, or the node has
  /// been drained. Nobody is connected, and connects fail.
  kUnready,
};

/// Joins the runtime of one node with those of others, so that friends who are connected to
/// different nodes see each other as if they were connected to one.
///
///   ClusterOptions options;
///   options.node = NodeId{7};                           // of all nodes, this one's alone
///   auto cluster = Cluster::Create(options, {&transport, &ring, &directory, &locations}).value();
///   RuntimeHost host{&sink, &friends};
///   host.locations = &locations;
///   host.cluster = cluster.get();
///   auto runtime = Runtime::Create({}, std::move(host)).value();
///
/// A user's locations are published to the user's channel, to which every node subscribes where a
/// friend may see them. Which node a friend is connected to says the session directory; whoever
/// connects announces themselves there. docs/architecture.md has the protocol and what it promises.
///
/// A cluster has no threads and no timers of its own: it is driven by the runtime's polls.
///
/// A node that goes in good order keeps nobody waiting. Runtime::Drain gives the node's lease back
/// to the directory when the last session has ended, after the answers that other nodes wait for;
/// the end of the runtime does so at once, whoever is connected, as far as the directory still
/// carries out what it was asked last. Of a node that dies the lease runs on until it ends, and
/// changes of its users' friendships wait for that.
///
/// Thread-safe: `stats` and `health` are for hosts; the rest is for the runtime.
/// Ownership: borrows the host's parts. The runtime borrows the cluster, which must outlive it; a
/// cluster serves one runtime in its life.
class NEARBY_API Cluster : public OtherNodes {
 public:
  /// `InvalidArgument` for options that Validate refuses, or a host with a part missing.
  static absl::StatusOr<std::unique_ptr<Cluster>> Create(const ClusterOptions& options,
                                                         const ClusterHost& host);
  ~Cluster() override;

  /// As of the last polls.
  ClusterStats stats() const;

  /// What a load balancer asks for. By the runtime's clock, now: a node that nobody has polled for
  /// longer than its lease is not ready. That a drain has begun, the host knows. kUnready before
  /// the runtime is created, and after it is destroyed. Some 50 ns, and never waits for a poll.
  NodeHealth health() const;

  // --- for the runtime ---

  void Attach(const EngineOptions& options, Services services) override;
  NodeGateway* MakeGateway(ShardId shard, NodeGateway::Services services) override;
  void Detach() override;
  absl::Status MayFence() override;
  void Fence(const FriendshipChange& change, Done done) override;
  void Reload(UserId user) override;
  void Retire(Done done) override;

 private:
  class NEARBY_LOCAL Impl;
  NEARBY_LOCAL explicit Cluster(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_CLUSTER_H_
