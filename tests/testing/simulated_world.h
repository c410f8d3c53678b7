#ifndef NEARBY_TESTS_TESTING_SIMULATED_WORLD_H_
#define NEARBY_TESTS_TESTING_SIMULATED_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/ring_source.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_location_store.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulated_ring_source.h"
#include "nearby/testing/simulated_transport.h"
#include "nearby/testing/simulation.h"
#include "nearby/time.h"

namespace nearby::test {

/// Nodes that do nothing but call everything that the simulated world offers, at random, and hold
/// it to its contracts. Nodes crash and come back.
class SimulatedWorld : public SimulatedFaults::Part {
 public:
  static constexpr std::size_t kNodes = 5;
  static constexpr std::size_t kServers = 3;
  static constexpr std::size_t kUsers = 30;

  /// Whether messages of a channel are to keep their order and come once: not where the options
  /// break that.
  SimulatedWorld(std::uint64_t seed, const SimulatedFaultOptions& options, bool keeps_order);
  ~SimulatedWorld() override;

  /// Lets the nodes do things for so long.
  void Run(std::int64_t duration_ms);
  /// Lets nothing go wrong any more, and checks that everything works.
  void Converge();

  std::uint64_t hash() const { return simulation_.hash(); }
  std::uint64_t event_count() const { return simulation_.event_count(); }
  const SimulatedFaultCounts& counts() const { return faults_.counts(); }
  /// The first that was found to break a contract; empty if nothing was.
  const std::string& violation() const { return violation_; }
  std::uint64_t messages_received() const { return messages_received_; }

 private:
  friend class SimulatedHost;

  // Server, channel, publisher.
  using Stream = std::tuple<std::string, std::uint64_t, std::string>;
  struct Published {
    Time at;
    bool is_ok = false;
  };

  void CheckMissed();
  void BeginFaults() override;
  void Heal() override;
  void StartNode(std::size_t node);
  void CrashNode(std::size_t node);
  void ScheduleNext(std::size_t node);
  void SetNextRing();
  void Violate(absl::string_view what);

  Simulation simulation_;
  SimulatedRandom random_;
  SimulatedFaults faults_;
  SimulatedNodeClock stores_clock_;
  SimulatedPubSub servers_;
  SimulatedBackend locations_backend_;
  SimulatedBackend friends_backend_;
  SimulatedBackend history_backend_;
  SimulatedBackend sessions_backend_;
  SimulatedLocations locations_;
  InMemoryFriendStore friends_;
  InMemoryHistoryStore history_;
  InMemorySessionDirectory sessions_;
  SimulatedRingAuthority authority_;
  const bool keeps_order_;
  bool is_busy_ = false;
  std::size_t next_ring_ = 0;
  std::string violation_;
  // The messages of each publisher on each channel of each server, by their number.
  std::map<Stream, std::vector<Published>> published_;
  // Messages that a subscriber must have missed, unless nobody was promised that they were sent.
  std::vector<std::pair<Stream, std::size_t>> missed_;
  std::uint64_t messages_received_ = 0;
  std::vector<std::unique_ptr<class SimulatedHost>> hosts_;  // null while the node is down
  std::vector<std::uint64_t> lives_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_TESTING_SIMULATED_WORLD_H_
