#ifndef NEARBY_SRC_CLUSTER_CLUSTER_IMPL_H_
#define NEARBY_SRC_CLUSTER_CLUSTER_IMPL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/cluster.h"
#include "src/cluster/gateway.h"
#include "src/cluster/lease_state.h"
#include "src/cluster/office.h"
#include "src/cluster/outside.h"
#include "src/runtime/gate.h"

namespace nearby {

// Joins gateways and office with the host's interfaces: each answer, wherever it comes, goes as a
// task to the shard that has asked. Completions come by the gate, as those of the runtime do.
class Cluster::Impl : public Transport::Receiver {
 public:
  Impl(const ClusterOptions& options, const ClusterHost& host);

  void Attach(const EngineOptions& options, Services services);
  NodeGateway* MakeGateway(ShardId shard, NodeGateway::Services services);
  void Detach();
  absl::Status MayFence();
  void Fence(const FriendshipChange& change, Done done);
  void Reload(UserId user);
  void Retire(Done done);
  ClusterStats stats() const;
  NodeHealth health() const;

  void OnMessage(absl::string_view server, Channel channel, absl::string_view payload) override;
  void OnLinkLost(absl::string_view server, const absl::Status& why) override;

 private:
  static constexpr ShardId kOffice{0};

  // A completion that runs `then` with the result on the shard's thread, if the cluster is still
  // attached.
  template <typename Result, typename Then>
  absl::AnyInvocable<void(Result)> OnShard(ShardId shard, Then then);
  void Post(ShardId shard, Task task) const { services_.post(shard, std::move(task)); }
  internal::Gateway& gateway(ShardId shard) { return *gateways_[ToInt(shard)]; }
  internal::Outside OutsideOf(ShardId shard);
  internal::Office::Actions OfficeActions();
  // Once all gateways are there.
  void Begin();
  void OnRing(const RingSource::Ring& ring);
  void Publish(Channel channel, absl::string_view payload);

  const ClusterOptions options_;
  const ClusterHost host_;
  EngineOptions engine_;
  Services services_;
  internal::LeaseState lease_state_;
  std::unique_ptr<internal::Office> office_;
  std::vector<std::unique_ptr<internal::Gateway>> gateways_;
  std::unique_ptr<RingSource::Watcher> watcher_;
  const std::shared_ptr<internal::Gate> gate_ = std::make_shared<internal::Gate>();
  bool is_detached_ = false;

  mutable std::mutex ring_mutex_;
  RingSource::Ring ring_;  // for publishing: as new as it has been heard of
  std::atomic<std::uint64_t> publish_failures_{0};
  std::atomic<std::uint64_t> batches_dropped_{0};
  std::atomic<std::uint64_t> fences_refused_{0};
};

}  // namespace nearby

#endif  // NEARBY_SRC_CLUSTER_CLUSTER_IMPL_H_
