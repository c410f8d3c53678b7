#include "benchmarks/scenarios/node_side.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"

namespace scenarios {
std::vector<nearby::RingSeat> MakeSeats(std::uint32_t count) {
  std::vector<nearby::RingSeat> seats;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = absl::StrCat("pubsub-", i);
    seats.push_back({name, 100, name});
  }
  return seats;
}

Traffic Traffic::operator-(const Traffic& other) const {
  Traffic difference = *this;
  difference.publishes -= other.publishes;
  difference.pushes -= other.pushes;
  difference.letters -= other.letters;
  difference.subscriptions -= other.subscriptions;
  difference.payload_bytes -= other.payload_bytes;
  difference.pushed_bytes -= other.pushed_bytes;
  difference.letter_bytes -= other.letter_bytes;
  return difference;
}

// Counts what goes to the servers, and what comes from them.
class NodeSide::CountingTransport : public nearby::Transport {
 public:
  CountingTransport(NodeSide* side, std::uint32_t node)
      : side_(*side), node_(node), transport_(&side->broker_), counter_(side, node) {}

  void SetReceiver(Receiver* receiver) override {
    counter_.receiver = receiver;
    transport_.SetReceiver(receiver == nullptr ? nullptr : &counter_);
  }
  void Publish(absl::string_view server, nearby::Channel channel, absl::string_view payload,
               Done done) override {
    ++(IsInbox(channel) ? side_.traffic_.letters : side_.traffic_.publishes);
    side_.traffic_.payload_bytes += payload.size();
    if (IsInbox(channel)) side_.traffic_.letter_bytes += payload.size();
    transport_.Publish(server, channel, payload, std::move(done));
  }
  void Subscribe(absl::string_view server, nearby::Channel channel, Done done) override {
    ++side_.traffic_.subscriptions;
    if (side_.watch_ == nullptr) {
      transport_.Subscribe(server, channel, std::move(done));
      return;
    }
    // It completes before it returns.
    transport_.Subscribe(server, channel, [&](absl::Status status) {
      if (status.ok()) side_.watch_->OnSubscribed(node_, server, channel, side_.clock_.Now());
      done(std::move(status));
    });
  }
  void Unsubscribe(absl::string_view server, nearby::Channel channel, Done done) override {
    ++side_.traffic_.subscriptions;
    if (side_.watch_ != nullptr) side_.watch_->OnUnsubscribed(node_, server, channel);
    transport_.Unsubscribe(server, channel, std::move(done));
  }
  std::size_t max_payload() const override { return transport_.max_payload(); }

 private:
  // Stands before the receiver.
  struct Counter : Receiver {
    Counter(NodeSide* the_side, std::uint32_t the_node) : side(*the_side), node(the_node) {}

    void OnMessage(absl::string_view server, nearby::Channel channel,
                   absl::string_view payload) override {
      ++(IsInbox(channel) ? side.traffic_.letters : side.traffic_.pushes);
      side.traffic_.pushed_bytes += payload.size();
      if (IsInbox(channel)) side.traffic_.letter_bytes += payload.size();
      receiver->OnMessage(server, channel, payload);
    }
    void OnLinkLost(absl::string_view server, const absl::Status& why) override {
      if (side.watch_ != nullptr) side.watch_->OnLinkLost(node, server);
      receiver->OnLinkLost(server, why);
    }

    NodeSide& side;
    const std::uint32_t node;
    Receiver* receiver = nullptr;
  };

  static bool IsInbox(nearby::Channel channel) {
    return channel.kind == nearby::Channel::Kind::kInbox;
  }

  NodeSide& side_;
  const std::uint32_t node_;
  nearby::InMemoryTransport transport_;
  Counter counter_;
};

struct NodeSide::Node {
  Node(NodeSide* side, std::uint32_t number, const NodeSideOptions& options,
       nearby::ClientSink* sink)
      : transport(side, number) {
    side->failures_ += ring.Set(options.ring).ok() ? 0 : 1;
    nearby::ClusterOptions cluster_options = options.cluster;
    cluster_options.node = nearby::NodeId{number};
    cluster = nearby::Cluster::Create(cluster_options,
                                      {&transport, &ring, &side->directory_, &side->locations_})
                  .value();
    nearby::RuntimeHost host;
    host.sink = sink;
    host.friends = &side->friends_;
    host.clock = &side->clock_;
    host.locations = &side->locations_;
    host.cluster = cluster.get();
    host.wake = [this](nearby::ShardId) { is_awake = true; };
    runtime = nearby::Runtime::Create(options.runtime, std::move(host)).value();
  }

  CountingTransport transport;
  nearby::InMemoryRingSource ring;
  std::unique_ptr<nearby::Cluster> cluster;
  std::unique_ptr<nearby::Runtime> runtime;
  std::vector<nearby::SessionReport> reports;
  mutable bool is_awake = true;
};

NodeSide::NodeSide(const capacity::World& world, const NodeSideOptions& options,
                   nearby::ClientSink* sink)
    : world_(world),
      nodes_count_(options.nodes),
      friends_(world, options.offline_friends),
      watch_(options.watch),
      directory_(&clock_),
      locations_(&clock_),
      sessions_(world.size()) {
  clock_.Set(capacity::kTraceStart);
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(this, i, options, sink));
  }
  Settle();
}

NodeSide::~NodeSide() {
  for (const auto& node : nodes_) node->runtime.reset();
}

// Each poll may give work to the others.
void NodeSide::Settle() {
  for (bool is_done = false; !is_done;) {
    is_done = true;
    for (const auto& node : nodes_) {
      if (!std::exchange(node->is_awake, false)) continue;
      node->runtime->PollAll();
      is_done = false;
    }
  }
}

void NodeSide::ConnectAll() {
  std::vector<std::uint32_t> users(world_.size());
  std::iota(users.begin(), users.end(), 0);
  Connect(users, nullptr);
}

void NodeSide::Connect(absl::Span<const std::uint32_t> users, const capacity::Movement* movement) {
  // So that neither calls nor lists come up against a limit.
  constexpr std::size_t kAtOnce = 512;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::uint32_t user = users[i];
    nearby::ConnectCall call;
    call.user = capacity::IdOf(user);
    call.cookie = user;
    if (movement != nullptr) {
      call.location = {movement->reported(user).ToLatLng(), clock_.Now()};
    }
    nodes_[NodeOf(user)]->runtime->Connect(
        call, [this, user](absl::StatusOr<nearby::ConnectResult> result) {
          failures_ += result.ok() ? 0 : 1;
          if (result.ok()) sessions_[user] = result->session;
        });
    if (i % kAtOnce == kAtOnce - 1) Settle();
  }
  Settle();
}

void NodeSide::Disconnect(absl::Span<const std::uint32_t> users) {
  for (const std::uint32_t user : users) nodes_[NodeOf(user)]->runtime->Disconnect(sessions_[user]);
  Settle();
}

void NodeSide::SetRing(std::uint32_t node, const nearby::RingSource::Ring& ring) {
  failures_ += nodes_[node]->ring.Set(ring).ok() ? 0 : 1;
  Settle();
}

void NodeSide::TakeDown(absl::string_view server) {
  broker_.TakeDown(server);
  Settle();
}

void NodeSide::ReportAll(absl::Span<const capacity::Batch> batches) {
  for (const capacity::Batch& batch : batches) {
    clock_.Set(batch.now);
    for (const auto& node : nodes_) node->reports.clear();
    for (const capacity::TracedReport& report : batch.reports) {
      nodes_[NodeOf(report.user)]->reports.push_back(
          {sessions_[report.user], report.location, report.time});
    }
    for (const auto& node : nodes_) {
      failures_ += node->runtime->ReportAll(node->reports);
      node->is_awake = true;  // Time has passed.
    }
    Settle();
  }
}

nearby::ClusterStats NodeSide::stats() const {
  nearby::ClusterStats sum;
  for (const auto& node : nodes_) sum += node->cluster->stats();
  return sum;
}

nearby::ClusterStats NodeSide::stats(std::uint32_t node) const {
  return nodes_[node]->cluster->stats();
}

std::size_t NodeSide::CountInSight(std::uint32_t user) {
  std::size_t in_sight = 0;
  Node& node = *nodes_[NodeOf(user)];
  node.runtime->Nearby(capacity::IdOf(user), nearby::PageToken(), 1,
                       [&](absl::StatusOr<nearby::NearbyPage> page) {
                         failures_ += page.ok() ? 0 : 1;
                         if (page.ok()) in_sight = page->in_sight;
                       });
  node.runtime->PollAll();
  return in_sight;
}

}  // namespace scenarios
