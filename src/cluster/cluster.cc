#include "nearby/cluster.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "src/cluster/cluster_impl.h"

namespace nearby {

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Create(const ClusterOptions& options,
                                                         const ClusterHost& host) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  if (host.transport == nullptr || host.ring == nullptr || host.directory == nullptr ||
      host.locations == nullptr) {
    return absl::InvalidArgumentError(
        "a cluster needs a transport, a ring source, a session directory and a location store");
  }
  return std::unique_ptr<Cluster>(new Cluster(std::make_unique<Impl>(options, host)));
}

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() { impl_->Detach(); }

ClusterStats Cluster::stats() const { return impl_->stats(); }
NodeHealth Cluster::health() const { return impl_->health(); }
void Cluster::Attach(const EngineOptions& options, Services services) {
  impl_->Attach(options, std::move(services));
}
NodeGateway* Cluster::MakeGateway(ShardId shard, NodeGateway::Services services) {
  return impl_->MakeGateway(shard, std::move(services));
}
void Cluster::Detach() { impl_->Detach(); }
absl::Status Cluster::MayFence() { return impl_->MayFence(); }
void Cluster::Fence(const FriendshipChange& change, Done done) {
  impl_->Fence(change, std::move(done));
}
void Cluster::Reload(UserId user) { impl_->Reload(user); }
void Cluster::Retire(Done done) { impl_->Retire(std::move(done)); }

}  // namespace nearby
