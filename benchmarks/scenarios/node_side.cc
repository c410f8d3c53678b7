#include "benchmarks/scenarios/node_side.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"

namespace scenarios {
namespace {

constexpr std::uint32_t kServers = 8;

nearby::RingSource::Ring MakeRing() {
  std::vector<nearby::RingSeat> seats;
  for (std::uint32_t i = 0; i < kServers; ++i) {
    const std::string name = absl::StrCat("pubsub-", i);
    seats.push_back({name, 100, name});
  }
  return nearby::HashRing::Create(nearby::RingVersion{1}, std::move(seats)).value();
}

}  // namespace

Traffic Traffic::operator-(const Traffic& other) const {
  Traffic difference = *this;
  difference.publishes -= other.publishes;
  difference.pushes -= other.pushes;
  difference.letters -= other.letters;
  difference.subscriptions -= other.subscriptions;
  difference.payload_bytes -= other.payload_bytes;
  return difference;
}

// Counts what goes to the servers, and what comes from them.
class NodeSide::CountingTransport : public nearby::Transport {
 public:
  CountingTransport(nearby::InMemoryBroker* broker, Traffic* traffic)
      : transport_(broker), traffic_(*traffic), counter_(traffic) {}

  void SetReceiver(Receiver* receiver) override {
    counter_.receiver = receiver;
    transport_.SetReceiver(receiver == nullptr ? nullptr : &counter_);
  }
  void Publish(absl::string_view server, nearby::Channel channel, absl::string_view payload,
               Done done) override {
    ++(IsInbox(channel) ? traffic_.letters : traffic_.publishes);
    traffic_.payload_bytes += payload.size();
    transport_.Publish(server, channel, payload, std::move(done));
  }
  void Subscribe(absl::string_view server, nearby::Channel channel, Done done) override {
    ++traffic_.subscriptions;
    transport_.Subscribe(server, channel, std::move(done));
  }
  void Unsubscribe(absl::string_view server, nearby::Channel channel, Done done) override {
    ++traffic_.subscriptions;
    transport_.Unsubscribe(server, channel, std::move(done));
  }
  std::size_t max_payload() const override { return transport_.max_payload(); }

 private:
  // Stands before the receiver.
  struct Counter : Receiver {
    explicit Counter(Traffic* the_traffic) : traffic(*the_traffic) {}

    void OnMessage(absl::string_view server, nearby::Channel channel,
                   absl::string_view payload) override {
      ++(IsInbox(channel) ? traffic.letters : traffic.pushes);
      receiver->OnMessage(server, channel, payload);
    }
    void OnLinkLost(absl::string_view server, const absl::Status& why) override {
      receiver->OnLinkLost(server, why);
    }

    Traffic& traffic;
    Receiver* receiver = nullptr;
  };

  static bool IsInbox(nearby::Channel channel) {
    return channel.kind == nearby::Channel::Kind::kInbox;
  }

  nearby::InMemoryTransport transport_;
  Traffic& traffic_;
  Counter counter_;
};

struct NodeSide::Node {
  Node(NodeSide* side, std::uint32_t number, const nearby::RuntimeOptions& options,
       nearby::ClientSink* sink)
      : transport(&side->broker_, &side->traffic_) {
    nearby::ClusterOptions cluster_options;
    cluster_options.node = nearby::NodeId{number};
    cluster = nearby::Cluster::Create(
                  cluster_options, {&transport, &side->ring_, &side->directory_, &side->locations_})
                  .value();
    nearby::RuntimeHost host;
    host.sink = sink;
    host.friends = &side->friends_;
    host.clock = &side->clock_;
    host.locations = &side->locations_;
    host.cluster = cluster.get();
    host.wake = [this](nearby::ShardId) { is_awake = true; };
    runtime = nearby::Runtime::Create(options, std::move(host)).value();
  }

  CountingTransport transport;
  std::unique_ptr<nearby::Cluster> cluster;
  std::unique_ptr<nearby::Runtime> runtime;
  std::vector<nearby::SessionReport> reports;
  mutable bool is_awake = true;
};

NodeSide::NodeSide(const capacity::World& world, std::uint32_t nodes,
                   const nearby::RuntimeOptions& options, nearby::ClientSink* sink)
    : world_(world),
      nodes_count_(nodes),
      friends_(world),
      directory_(&clock_),
      locations_(&clock_),
      sessions_(world.size()) {
  clock_.Set(capacity::kTraceStart);
  failures_ += ring_.Set(MakeRing()).ok() ? 0 : 1;
  for (std::uint32_t i = 0; i < nodes; ++i) {
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
  constexpr std::uint32_t kAtOnce = 512;
  for (std::uint32_t user = 0; user < world_.size(); ++user) {
    nearby::ConnectCall call;
    call.user = capacity::IdOf(user);
    call.cookie = user;
    nodes_[NodeOf(user)]->runtime->Connect(
        call, [this, user](absl::StatusOr<nearby::ConnectResult> result) {
          failures_ += result.ok() ? 0 : 1;
          if (result.ok()) sessions_[user] = result->session;
        });
    if (user % kAtOnce == kAtOnce - 1) Settle();
  }
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
