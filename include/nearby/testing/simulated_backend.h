#ifndef NEARBY_TESTING_SIMULATED_BACKEND_H_
#define NEARBY_TESTING_SIMULATED_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"

namespace nearby {

class SimulatedBackendState;

/// Where one of the stores of a simulated world runs: whether it is up, and who reaches it. The
/// nodes' simulated stores of that kind share it, and behind it the store itself, such as an
/// InMemoryFriendStore.
///
///   SimulatedBackend backend(&faults, SimulatedStore::kFriends);
///   InMemoryFriendStore friends;
///   SimulatedFriendStore of_node_1(&backend, &friends, NodeId{1});
///   SimulatedFriendStore of_node_2(&backend, &friends, NodeId{2});
///   backend.TakeDown();
///
/// Thread-compatible. Borrows the faults, which must outlive it; must outlive the stores, and every
/// Step of the simulation.
class NEARBY_API SimulatedBackend {
 public:
  struct Options {
    /// Calls of one node that have not been answered, lost ones included; beyond it they fail with
    /// `ResourceExhausted`.
    std::size_t max_calls = 1u << 16;
    std::size_t max_nodes = 1u << 12;
  };

  /// The directions that a partition cuts.
  enum class Cut : std::uint8_t { kNone = 0, kToStore = 1, kFromStore = 2, kBoth = 3 };

  SimulatedBackend(SimulatedFaults* faults, SimulatedStore store);
  SimulatedBackend(SimulatedFaults* faults, SimulatedStore store, const Options& options);
  ~SimulatedBackend();
  SimulatedBackend(const SimulatedBackend&) = delete;
  SimulatedBackend& operator=(const SimulatedBackend&) = delete;

  /// What the options do at random, done at will; counted alike, and healed by
  /// SimulatedFaults::Quiet. It forgets nothing while it is down.
  void TakeDown();
  void BringUp();
  /// Until it is set to kNone, which heals it.
  void SetPartition(NodeId node, Cut cut);

  bool is_up() const;
  Cut partition(NodeId node) const;
  /// Calls that have not been answered, over all; lost ones not included.
  std::size_t calls_under_way() const;

 private:
  friend class SimulatedCalls;
  std::unique_ptr<SimulatedBackendState> state_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_BACKEND_H_
