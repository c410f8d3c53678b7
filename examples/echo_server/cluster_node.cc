#include "examples/echo_server/cluster_node.h"

#include <cstdio>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "examples/adapters/redis_socket.h"
#include "nearby/hash_ring.h"

namespace echo_server {
namespace {

adapters::FileRingSource::Options RingOptions() {
  adapters::FileRingSource::Options options;
  options.check_seat = [](const nearby::RingSeat& seat) {
    return adapters::RedisAddress::Parse(seat.server).status();
  };
  options.complain = [](const absl::Status& why) {
    std::fprintf(stderr, "echo_server: the ring stays as it is: %s\n",
                 std::string(why.message()).c_str());
  };
  return options;
}

}  // namespace

ClusterNode::ClusterNode(const ClusterNodeOptions& options)
    : ring_(options.ring_file, RingOptions()) {}

absl::StatusOr<std::unique_ptr<ClusterNode>> ClusterNode::Create(
    const ClusterNodeOptions& options) {
  std::unique_ptr<ClusterNode> node(new ClusterNode(options));
  // Later it may be gone for a while, but nobody can do without one from the beginning.
  if (!node->ring_.first_read().ok()) return node->ring_.first_read();

  auto directory = adapters::RedisSessionDirectory::Create(options.directory);
  if (!directory.ok()) return directory.status();
  node->directory_ = *std::move(directory);
  auto locations = adapters::RedisLocationStore::Create(options.locations);
  if (!locations.ok()) return locations.status();
  node->locations_ = *std::move(locations);

  auto cluster = nearby::Cluster::Create(
      options.cluster,
      {&node->transport_, &node->ring_, node->directory_.get(), node->locations_.get()});
  if (!cluster.ok()) return cluster.status();
  node->cluster_ = *std::move(cluster);
  return node;
}

}  // namespace echo_server
