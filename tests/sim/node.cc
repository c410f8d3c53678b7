#include "tests/sim/node.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace nearby::sim {

Node::Process::Process(Scenery* scenery, NodeId id)
    : transport(&scenery->servers, id),
      ring(&scenery->rings, id),
      directory(&scenery->directory_backend, &scenery->directory, id),
      locations(&scenery->locations_backend, &scenery->locations, id),
      friends(&scenery->friends_backend, &scenery->friends, id),
      history(&scenery->history_backend, scenery->history, id) {}

Node::Node(Scenery* scenery, NodeId id, const RuntimeOptions& runtime,
           const ClusterOptions& cluster, std::int64_t steady_ppm, ClientSink* sink)
    : scenery_(scenery),
      id_(id),
      runtime_options_(runtime),
      cluster_options_(cluster),
      sink_(sink),
      clock_(&scenery->simulation, steady_ppm),
      random_(scenery->simulation.random().Fork()) {
  scenery_->faults.Add(&clock_);
}

Node::~Node() { scenery_->faults.Remove(&clock_); }

void Node::Begin() {
  ++process_number_;
  is_draining_ = false;
  next_polls_.assign(runtime_options_.shards, kNever);
  process_.reset();
  process_ = std::make_unique<Process>(scenery_, id_);
  process_->cluster =
      Cluster::Create(cluster_options_, {&process_->transport, &process_->ring,
                                         &process_->directory, &process_->locations})
          .value();
  RuntimeHost host;
  host.sink = sink_;
  host.friends = &process_->friends;
  host.clock = &clock_;
  host.locations = &process_->locations;
  host.history = &process_->history;
  host.cluster = process_->cluster.get();
  host.wake = [this](ShardId shard) { Wake(shard); };
  process_->runtime = Runtime::Create(runtime_options_, std::move(host)).value();
  for (std::uint32_t i = 0; i < runtime_options_.shards; ++i) {
    PollAt(ShardId{i}, scenery_->simulation.now());
  }
}

void Node::Drain(Runtime::Done done) {
  is_draining_ = true;
  runtime().Drain(std::move(done));
}

void Node::ShutDown() {
  // Completions that it owes come with Cancelled, and are nobody's any more.
  std::unique_ptr<Runtime> runtime = std::move(process_->runtime);
  next_polls_.assign(runtime_options_.shards, kNever);
}

void Node::Crash() {
  process_->transport.Crash();
  process_->ring.Crash();
  process_->directory.Crash();
  process_->locations.Crash();
  process_->friends.Crash();
  process_->history.Crash();
  // Completions that it owes come with Cancelled, and are nobody's any more.
  std::unique_ptr<Process> process = std::move(process_);
  next_polls_.assign(runtime_options_.shards, kNever);
}

void Node::Wake(ShardId shard) {
  const std::int64_t delay_ms = random_.Chance(0.2) ? random_.Between(1, 5) : 0;
  PollAt(shard, Time{scenery_->simulation.now().ms + delay_ms});
}

void Node::PollAt(ShardId shard, Time time) {
  Time& next_poll = next_polls_[ToInt(shard)];
  if (time >= next_poll) return;
  next_poll = time;
  scenery_->simulation.At(time, [this, number = process_number_, shard, time] {
    if (number == process_number_ && is_up() && time == next_polls_[ToInt(shard)]) Poll(shard);
  });
}

void Node::Poll(ShardId shard) {
  next_polls_[ToInt(shard)] = kNever;
  const absl::Duration next = process_->runtime->Poll(shard);
  const std::int64_t ms = std::max<std::int64_t>(1, absl::ToInt64Milliseconds(next));
  PollAt(shard, Time{scenery_->simulation.now().ms + ms});
}

}  // namespace nearby::sim
