#ifndef EXAMPLES_ECHO_SERVER_CLUSTER_NODE_H_
#define EXAMPLES_ECHO_SERVER_CLUSTER_NODE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "examples/adapters/file_ring_source.h"
#include "examples/adapters/redis_location_store.h"
#include "examples/adapters/redis_session_directory.h"
#include "examples/adapters/redis_transport.h"
#include "examples/echo_server/cluster_node_options.h"
#include "nearby/cluster.h"
#include "nearby/location_store.h"

namespace echo_server {

/// This server as a node among others: a cluster, and the adapters that it needs.
///
///   auto node = ClusterNode::Create(options).value();
///   auto server = Server::Create(..., {&friends, node->locations(), node->cluster()});
///
/// Thread-compatible; its parts are thread-safe.
/// Ownership: owns all of them. It must outlive the server.
class ClusterNode {
 public:
  /// `InvalidArgument`: options out of range, or a ring file that is none; `NotFound`: no such
  /// file. Redis servers are connected to later, when there is something to say, and again whenever
  /// a connection has broken.
  static absl::StatusOr<std::unique_ptr<ClusterNode>> Create(const ClusterNodeOptions& options);

  nearby::Cluster* cluster() { return cluster_.get(); }
  nearby::LocationStore* locations() { return locations_.get(); }

 private:
  explicit ClusterNode(const ClusterNodeOptions& options);

  adapters::FileRingSource ring_;
  adapters::RedisTransport transport_;
  std::unique_ptr<adapters::RedisSessionDirectory> directory_;
  std::unique_ptr<adapters::RedisLocationStore> locations_;
  std::unique_ptr<nearby::Cluster> cluster_;  // last: it borrows the others
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CLUSTER_NODE_H_
