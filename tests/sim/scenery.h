#ifndef NEARBY_TESTS_SIM_SCENERY_H_
#define NEARBY_TESTS_SIM_SCENERY_H_

#include <cstdint>

#include "nearby/history_store.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_location_store.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_ring_source.h"
#include "nearby/testing/simulated_transport.h"
#include "nearby/testing/simulation.h"

namespace nearby::sim {

/// What the nodes of a cluster share: time, servers and stores.
struct Scenery {
  Scenery(std::uint64_t seed, const Simulation::Options& options)
      : simulation(seed, options),
        faults(&simulation),
        servers(&faults, ServerOptions()),
        rings(&faults),
        clock(&simulation),
        directory(&clock),
        locations(&clock),
        directory_backend(&faults, SimulatedStore::kSessions),
        locations_backend(&faults, SimulatedStore::kLocations),
        friends_backend(&faults, SimulatedStore::kFriends),
        history_backend(&faults, SimulatedStore::kHistory) {}

  // So few wait for a partition to heal that at times they are too many.
  static SimulatedPubSub::Options ServerOptions() {
    SimulatedPubSub::Options options;
    options.max_held = 64;
    return options;
  }

  Simulation simulation;
  SimulatedFaults faults;
  SimulatedPubSub servers;
  SimulatedRingAuthority rings;
  SimulatedNodeClock clock;  // the stores' own
  InMemorySessionDirectory directory;
  SimulatedLocations locations;
  InMemoryFriendStore friends;
  SimulatedBackend directory_backend;
  SimulatedBackend locations_backend;
  SimulatedBackend friends_backend;
  SimulatedBackend history_backend;
  HistoryStore* history = nullptr;  // the world's
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_SCENERY_H_
