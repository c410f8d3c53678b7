#include "tests/cluster/few_nodes.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"

namespace nearby::test {

FewNodes::Options::Options() { cluster.probe_interval = absl::Seconds(5); }

FewNodes::Node::Node(FewNodes* all, const Options& options, std::size_t index)
    : transport(&all->broker_), directory(&all->shared_directory_) {
  ClusterOptions cluster_options = options.cluster;
  cluster_options.node = NodeId{index + 1};
  cluster =
      Cluster::Create(cluster_options, {&transport, &all->ring_, &directory, &all->locations_})
          .value();
  RuntimeHost host;
  host.sink = &all->sinks_[index];
  host.friends = &all->friends_;
  host.clock = &all->clock_;
  host.locations = &all->locations_;
  host.cluster = cluster.get();
  runtime = Runtime::Create(options.runtime, std::move(host)).value();
}

FewNodes::FewNodes(const Options& options) : sinks_(options.nodes) {
  SetRing(1, "server");
  for (std::size_t i = 0; i < options.nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(this, options, i));
  }
}

FewNodes::~FewNodes() {
  for (const RecordingClientSink& sink : sinks_) {
    EXPECT_THAT(sink.violations(), ::testing::IsEmpty());
  }
}

void FewNodes::SetRing(std::uint64_t version, const std::vector<std::string>& servers) {
  std::vector<RingSeat> seats;
  for (const std::string& server : servers) {
    seats.push_back({"seat " + std::to_string(seats.size()), 100, server});
  }
  owners_ = HashRing::Create(RingVersion{version}, std::move(seats)).value();
  EXPECT_TRUE(ring_.Set(owners_).ok());
}

void FewNodes::Destroy(std::size_t node) {
  nodes_[node]->directory.Sever(true);
  End(node);
}

void FewNodes::Befriend(UserId a, UserId b) { EXPECT_TRUE(friends_.graph().Befriend(a, b).ok()); }

std::shared_ptr<FewNodes::Client> FewNodes::BeginConnect(std::size_t node, UserId user,
                                                         std::optional<LatLng> location) {
  auto client = std::make_shared<Client>(Client{node, user, ++last_cookie_, {}});
  ConnectCall call;
  call.user = user;
  call.cookie = client->cookie;
  if (location) call.location = TimedLocation{*location, clock_.Now()};
  runtime(node).Connect(call, [this, client](const absl::StatusOr<ConnectResult>& result) {
    ASSERT_TRUE(result.ok()) << result.status();
    client->session = result->session;
    sinks_[client->node].Connected(client->cookie, client->user, result->friends);
  });
  return client;
}

FewNodes::Client FewNodes::Connect(std::size_t node, UserId user, std::optional<LatLng> location) {
  const std::shared_ptr<Client> client = BeginConnect(node, user, location);
  Settle();
  EXPECT_NE(client->session, SessionId());
  return *client;
}

void FewNodes::Disconnect(const Client& client) {
  sinks_[client.node].Disconnected(client.cookie);
  runtime(client.node).Disconnect(client.session);
}

void FewNodes::Report(const Client& client, LatLng location) {
  EXPECT_TRUE(runtime(client.node).Report({client.session, location, clock_.Now()}).ok());
}

FewNodes::EditReply FewNodes::Edit(std::size_t node, FriendEdit::Kind kind, UserId user,
                                   UserId friend_id) {
  EditReply reply;
  runtime(node).Edit({kind, user, friend_id}, reply.Done());
  return reply;
}

void FewNodes::Settle() {
  for (int i = 0; i < 20; ++i) {
    for (const std::unique_ptr<Node>& node : nodes_) {
      if (node != nullptr && node->runtime != nullptr) node->runtime->PollAll();
    }
  }
  for (const std::unique_ptr<Node>& node : nodes_) {
    if (node == nullptr || node->runtime == nullptr) continue;
    const absl::Status invariants = node->runtime->CheckInvariants();
    EXPECT_TRUE(invariants.ok()) << invariants;
  }
}

void FewNodes::Pass(absl::Duration time) {
  constexpr absl::Duration kStep = absl::Milliseconds(100);
  for (absl::Duration passed; passed < time; passed += kStep) {
    clock_.Advance(kStep);
    Settle();
  }
}

std::set<UserId> FewNodes::InSight(const Client& client) const {
  std::set<UserId> in_sight;
  for (const auto& [user, event] : sinks_[client.node].InSight(client.cookie)) {
    in_sight.insert(user);
  }
  return in_sight;
}

}  // namespace nearby::test
