#ifndef NEARBY_SRC_TESTING_SIMULATED_BACKEND_STATE_H_
#define NEARBY_SRC_TESTING_SIMULATED_BACKEND_STATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"

namespace nearby {

// Whether a store is up, and which nodes reach it.
class SimulatedBackendState final : public SimulatedFaults::Part {
 public:
  using Options = SimulatedBackend::Options;
  using Cut = SimulatedBackend::Cut;

  struct Node {
    NodeId id{};
    Cut cut = Cut::kNone;
    std::uint32_t cut_number = 0;

    bool is_cut(Cut way) const { return (static_cast<int>(cut) & static_cast<int>(way)) != 0; }
  };

  SimulatedBackendState(SimulatedFaults* the_faults, SimulatedStore the_store,
                        const Options& the_options);
  ~SimulatedBackendState() override;

  // It stays where it is.
  Node& NodeOf(NodeId id);
  void SetUp(bool up);
  void SetCut(Node& node, Cut cut) const;

  void BeginFaults() override;
  void Heal() override;
  void BeginOutage();
  void BeginPartition(Node& node);

  const SimulatedFaultOptions::Store& hardships() const;
  void Count(SimulatedStoreFault fault, NodeId node) const {
    faults->Count(store, fault, ToInt(node));
  }

  SimulatedFaults* const faults;
  Simulation* const simulation;
  const SimulatedStore store;
  const Options options;
  SimulatedRandom random;
  bool is_up = true;
  std::uint32_t outage_number = 0;
  std::deque<Node> nodes;
  absl::flat_hash_map<NodeId, std::size_t> node_numbers;
  std::size_t calls_under_way = 0;
};

}  // namespace nearby

#endif  // NEARBY_SRC_TESTING_SIMULATED_BACKEND_STATE_H_
