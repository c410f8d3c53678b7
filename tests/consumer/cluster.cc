// Two friends meet who are connected to two nodes of one program: the component cluster.

#include "nearby/cluster.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "nearby/client_sink.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/in_memory_transport.h"
#include "nearby/runtime.h"
#include "nearby/time.h"

namespace {

using nearby::NodeId;
using nearby::UserId;

class CountingSink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch& batch) override {
    events += batch.events.size();
    return Flow::kReady;
  }
  void Ended(nearby::SessionId, std::uint64_t, EndReason) override {}

  std::size_t events = 0;
};

class SlowClock : public nearby::Clock {
 public:
  nearby::Time Now() const override { return nearby::Time::Millis(now_ms); }

  std::int64_t now_ms = 1'000'000;
};

// What the nodes share, which in earnest are servers.
struct Shared {
  SlowClock clock;
  nearby::InMemoryBroker broker;
  nearby::InMemoryRingSource ring;
  nearby::InMemorySessionDirectory directory{&clock};
  nearby::InMemoryLocationStore locations{&clock};
  nearby::InMemoryFriendStore friends;
};

struct Node {
  Node(Shared* shared, NodeId id) : transport(&shared->broker) {
    nearby::ClusterOptions options;
    options.node = id;
    absl::StatusOr<std::unique_ptr<nearby::Cluster>> made = nearby::Cluster::Create(
        options, {&transport, &shared->ring, &shared->directory, &shared->locations});
    if (!made.ok()) return;
    cluster = *std::move(made);
    nearby::RuntimeHost host;
    host.sink = &sink;
    host.friends = &shared->friends;
    host.clock = &shared->clock;
    host.locations = &shared->locations;
    host.cluster = cluster.get();
    absl::StatusOr<std::unique_ptr<nearby::Runtime>> running =
        nearby::Runtime::Create({}, std::move(host));
    if (running.ok()) runtime = *std::move(running);
  }

  CountingSink sink;
  nearby::InMemoryTransport transport;
  std::unique_ptr<nearby::Cluster> cluster;
  std::unique_ptr<nearby::Runtime> runtime;
};

int Run() {
  const UserId alice{1};
  const UserId bob{2};
  Shared shared;
  auto ring = nearby::HashRing::Create(nearby::RingVersion{1}, {{"seat", 100, "server"}});
  if (!ring.ok() || !shared.ring.Set(*ring).ok()) return 1;
  Node first(&shared, NodeId{1});
  Node second(&shared, NodeId{2});
  if (first.runtime == nullptr || second.runtime == nullptr) return 1;
  const auto pass = [&] {
    for (int i = 0; i < 10; ++i) {
      first.runtime->PollAll();
      second.runtime->PollAll();
      ++shared.clock.now_ms;
    }
  };

  std::size_t answered_friends = 0;
  first.runtime->Edit({nearby::FriendEdit::Kind::kBefriend, alice, bob}, [](const auto&) {});
  pass();
  const auto connect = [&](Node& node, UserId user) {
    nearby::ConnectCall call;
    call.user = user;
    call.cookie = ToInt(user);
    call.location = nearby::TimedLocation{{48.137, 11.575}, shared.clock.Now()};
    node.runtime->Connect(call, [&](const absl::StatusOr<nearby::ConnectResult>& result) {
      if (result.ok()) answered_friends += result->friends.size();
    });
    pass();
  };
  connect(first, alice);
  connect(second, bob);
  const std::size_t told_bob = answered_friends + second.sink.events;
  std::printf("%zu event for one, %zu answer or event for the other\n", first.sink.events,
              told_bob);
  return first.sink.events == 1 && told_bob == 1 ? 0 : 1;
}

}  // namespace

int main() { return Run(); }
