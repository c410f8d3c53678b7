// What a simulated world costs: an action of the scheduler, a message from node to node, a call of
// a store, and a world for a new seed.

#include "nearby/testing/simulation.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_friend_store.h"
#include "nearby/testing/simulated_history_store.h"
#include "nearby/testing/simulated_location_store.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_ring_source.h"
#include "nearby/testing/simulated_session_directory.h"
#include "nearby/testing/simulated_transport.h"

namespace nearby {
namespace {

constexpr std::size_t kNodes = 5;
constexpr std::size_t kServers = 3;
constexpr std::size_t kUsers = 30;

// An action that schedules the next: so many are always pending.
struct Again {
  Simulation* simulation;
  SimulatedRandom* random;
  void operator()() const {
    simulation->Note(Simulation::kFirstHostKind, 1, 2);
    simulation->After(random->Between(0, 100), *this);
  }
};

void BM_Action(benchmark::State& state) {
  Simulation simulation(1);
  SimulatedRandom random(2);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    simulation.After(random.Between(0, 100), Again{&simulation, &random});
  }
  for (auto _ : state) simulation.Step();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Action)->Arg(100)->Arg(1'000)->Arg(10'000);

struct Node : Transport::Receiver {
  Node(SimulatedPubSub* servers, NodeId id) : transport(servers, id) {
    transport.SetReceiver(this);
  }
  void OnMessage(absl::string_view, Channel, absl::string_view) override { ++received; }
  void OnLinkLost(absl::string_view, const absl::Status&) override {}

  SimulatedTransport transport;
  std::uint64_t received = 0;
};

// One message a millisecond and node, to a channel that one node subscribes to: items are actions.
void BM_Messages(benchmark::State& state) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  SimulatedPubSub servers(&faults);
  std::deque<Node> nodes;
  for (std::size_t i = 0; i < kNodes; ++i) nodes.emplace_back(&servers, NodeId{i});
  for (std::size_t user = 0; user < kUsers; ++user) {
    nodes[user % kNodes].transport.Subscribe(absl::StrCat("server-", user % kServers), UserId{user},
                                             [](absl::Status) {});
  }
  simulation.RunFor(1'000);
  const std::string payload(60, 'x');
  const std::string names[] = {"server-0", "server-1", "server-2"};
  const std::uint64_t before = simulation.event_count();
  std::size_t user = 0;
  for (auto _ : state) {
    for (Node& node : nodes) {
      user = (user + 1) % kUsers;
      node.transport.Publish(names[user % kServers], UserId{user}, payload, [](absl::Status) {});
    }
    simulation.RunFor(1);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(simulation.event_count() - before));
}
BENCHMARK(BM_Messages);

// One list a millisecond: items are calls.
void BM_StoreCalls(benchmark::State& state) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  InMemoryFriendStore friends;
  SimulatedBackend backend(&faults, SimulatedStore::kFriends);
  SimulatedFriendStore store(&backend, &friends, NodeId{1});
  for (auto _ : state) {
    store.List(UserId{1}, [](absl::StatusOr<FriendList>) {});
    simulation.RunFor(1);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_StoreCalls);

// What a node has of the world.
struct Links {
  Links(SimulatedPubSub* servers, SimulatedBackend (*backends)[4], SimulatedLocations* locations,
        FriendStore* friends, HistoryStore* history, SessionDirectory* sessions,
        SimulatedRingAuthority* authority, NodeId id)
      : node(servers, id),
        of_locations(&(*backends)[0], locations, id),
        of_friends(&(*backends)[1], friends, id),
        of_history(&(*backends)[2], history, id),
        of_sessions(&(*backends)[3], sessions, id),
        rings(authority, id) {}

  Node node;
  SimulatedLocationStore of_locations;
  SimulatedFriendStore of_friends;
  SimulatedHistoryStore of_history;
  SimulatedSessionDirectory of_sessions;
  SimulatedRingSource rings;
};

// All of it made, every user's channel subscribed to by all nodes, and taken down again.
void BM_World(benchmark::State& state) {
  for (auto _ : state) {
    Simulation simulation(1);
    SimulatedFaults faults(&simulation);
    SimulatedNodeClock clock(&simulation);
    SimulatedPubSub servers(&faults);
    SimulatedBackend backends[4] = {{&faults, SimulatedStore::kLocations},
                                    {&faults, SimulatedStore::kFriends},
                                    {&faults, SimulatedStore::kHistory},
                                    {&faults, SimulatedStore::kSessions}};
    SimulatedLocations locations(&clock);
    InMemoryFriendStore friends;
    InMemoryHistoryStore history;
    InMemorySessionDirectory sessions(&clock);
    SimulatedRingAuthority authority(&faults);
    std::deque<Links> nodes;
    for (std::size_t i = 0; i < kNodes; ++i) {
      nodes.emplace_back(&servers, &backends, &locations, &friends, &history, &sessions, &authority,
                         NodeId{i});
    }
    for (std::size_t user = 0; user < kUsers; ++user) {
      for (Links& links : nodes) {
        links.node.transport.Subscribe(absl::StrCat("server-", user % kServers), UserId{user},
                                       [](absl::Status) {});
      }
    }
    simulation.RunFor(100);
    benchmark::DoNotOptimize(simulation.hash());
  }
}
BENCHMARK(BM_World);

}  // namespace
}  // namespace nearby
