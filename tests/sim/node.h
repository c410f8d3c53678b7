#ifndef NEARBY_TESTS_SIM_NODE_H_
#define NEARBY_TESTS_SIM_NODE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/testing/simulated_friend_store.h"
#include "nearby/testing/simulated_history_store.h"
#include "nearby/testing/simulated_location_store.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_ring_source.h"
#include "nearby/testing/simulated_session_directory.h"
#include "nearby/testing/simulated_transport.h"
#include "tests/sim/scenery.h"

namespace nearby::sim {

/// A machine's clock. What it takes for a second need not be one: that is what the margin of a
/// lease is for.
class NodeClock : public SimulatedNodeClock {
 public:
  /// `steady_ppm`: what the steady clock gains, in millionths.
  NodeClock(const Simulation* simulation, std::int64_t steady_ppm)
      : SimulatedNodeClock(simulation), steady_ppm_(steady_ppm), begin_ms_(simulation->now().ms) {}

  std::int64_t steady_ppm() const { return steady_ppm_; }
  std::int64_t SteadyMs() const override {
    const std::int64_t passed_ms = SimulatedNodeClock::SteadyMs() - begin_ms_;
    return passed_ms + passed_ms * steady_ppm_ / 1'000'000;
  }

 private:
  const std::int64_t steady_ppm_;
  const std::int64_t begin_ms_;
};

/// One machine of the cluster: its clock goes on for ever, while processes begin, crash and begin
/// again on it.
class Node {
 public:
  Node(Scenery* scenery, NodeId id, const RuntimeOptions& runtime, const ClusterOptions& cluster,
       std::int64_t steady_ppm, ClientSink* sink);
  ~Node();

  NodeId id() const { return id_; }
  /// What its steady clock gains, in millionths.
  std::int64_t steady_ppm() const { return clock_.steady_ppm(); }
  bool is_up() const { return process_ != nullptr && process_->runtime != nullptr; }
  /// It is up, but takes no clients any more.
  bool is_draining() const { return is_up() && is_draining_; }
  /// Which of its processes this is: a connection to an earlier one is dead.
  std::uint64_t process_number() const { return process_number_; }
  Runtime& runtime() { return *process_->runtime; }
  ClusterStats stats() const { return process_->cluster->stats(); }
  NodeHealth health() const { return process_->cluster->health(); }

  void Begin();
  void Drain(Runtime::Done done);
  /// The process ends in good order, whoever is connected: what it has asked of others last goes
  /// out, until it begins again.
  void ShutDown();
  /// Nothing of the process is heard of any more.
  void Crash();

 private:
  // In the order of being made; destroyed in the opposite one.
  struct Process {
    Process(Scenery* scenery, NodeId id);

    SimulatedTransport transport;
    SimulatedRingSource ring;
    SimulatedSessionDirectory directory;
    SimulatedLocationStore locations;
    SimulatedFriendStore friends;
    SimulatedHistoryStore history;
    std::unique_ptr<Cluster> cluster;
    std::unique_ptr<Runtime> runtime;  // null once it has been shut down
  };

  // Each shard has a thread of its own, which takes its time to wake up.
  void Wake(ShardId shard);
  void PollAt(ShardId shard, Time time);
  void Poll(ShardId shard);

  Scenery* scenery_;
  const NodeId id_;
  const RuntimeOptions runtime_options_;
  const ClusterOptions cluster_options_;
  ClientSink* sink_;
  NodeClock clock_;
  std::unique_ptr<Process> process_;
  std::uint64_t process_number_ = 0;
  bool is_draining_ = false;
  SimulatedRandom random_;
  std::vector<Time> next_polls_;  // by shard
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_NODE_H_
