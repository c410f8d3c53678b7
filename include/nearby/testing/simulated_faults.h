#ifndef NEARBY_TESTING_SIMULATED_FAULTS_H_
#define NEARBY_TESTING_SIMULATED_FAULTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"

namespace nearby {

/// What can go wrong in a simulated world, besides what happens to its stores.
enum class SimulatedFault : std::uint8_t {
  kInlineCompletion,
  kMessageDelayed,
  kMessageDropped,
  kMessageDuplicated,
  kMessageReordered,
  kMessageLost,  ///< With its link: broken, timed out, or its node or server gone.
  kCompletionDelayed,
  kPublishRefused,
  kPublishUnknown,
  kSubscribeRefused,
  kSubscribeUnknown,
  kLinkBroken,
  kLinkPartitioned,
  kLinkPartitionedOneWay,
  kLinkHealed,
  kLinkTimedOut,
  kLinkOverflowed,  ///< More waited on it than it holds.
  kLinkLossTold,
  kServerCrashed,
  kServerRestarted,
  kNodeCrashed,  ///< Its transport: see SimulatedTransport::Crash.
  kRingDelayed,
  kRingSkipped,
  kRingOutOfTouch,
  kClockShifted,
  kClockDrifted,
};
inline constexpr std::size_t kSimulatedFaults = 26;
NEARBY_API const char* ToString(SimulatedFault fault);

/// The stores of a simulated world.
enum class SimulatedStore : std::uint8_t { kLocations, kFriends, kHistory, kSessions };
inline constexpr std::size_t kSimulatedStores = 4;
NEARBY_API const char* ToString(SimulatedStore store);

/// What can go wrong with any of them.
enum class SimulatedStoreFault : std::uint8_t {
  kInlineCompletion,
  kAnswerDelayed,
  kCallFailed,       ///< Without effect, at random.
  kCallUnknown,      ///< With effect, at random.
  kCallUnreachable,  ///< Without effect, for an outage or a partition.
  kAnswerCutOff,  ///< With effect, for an outage or a partition that began meanwhile, or one way.
  kAnswerLost,
  kReadStale,  ///< Only of kLocations.
  kOutage,
  kPartition,
  kPartitionOneWay,
  kNodeCrashed,
};
inline constexpr std::size_t kSimulatedStoreFaults = 12;
NEARBY_API const char* ToString(SimulatedStoreFault fault);

/// What goes wrong in a simulated world: the options that all its parts look at, and a count for
/// each kind, so that a run can show that every kind has happened.
///
///   Simulation simulation(seed);
///   SimulatedFaults faults(&simulation, options);
///   ...
///   simulation.RunUntil(Time::Millis(600'000));
///   faults.Quiet();                              // and now let everything converge
///   simulation.RunUntil(Time::Millis(720'000));
///   faults.ForEach([](absl::string_view name, std::uint64_t count) { ... });
///
/// Once in about a second (500 to 1500 ms, at random) each part decides what is to begin: those are
/// the probabilities "a second".
///
/// Thread-compatible. Borrows the simulation, which must outlive it, as it must outlive the parts
/// of the world, and the clocks registered with it.
class NEARBY_API SimulatedFaults {
 public:
  /// A part of the world in which something goes wrong for a while. A test may have its own, say
  /// for nodes that crash.
  class NEARBY_API Part {
   public:
    virtual ~Part() = default;

    /// About once a second, unless all is quiet: begins what the options say, with chance.
    virtual void BeginFaults() = 0;
    /// Ends all that has begun.
    virtual void Heal() = 0;
  };

  explicit SimulatedFaults(Simulation* simulation);
  SimulatedFaults(Simulation* simulation, const SimulatedFaultOptions& options);
  ~SimulatedFaults();
  SimulatedFaults(const SimulatedFaults&) = delete;
  SimulatedFaults& operator=(const SimulatedFaults&) = delete;

  Simulation& simulation() const { return *simulation_; }
  const SimulatedFaultOptions& options() const { return options_; }
  /// From now on; what has begun goes on.
  void SetOptions(const SimulatedFaultOptions& options);

  /// Nothing goes wrong any more, from now on: takes options().Quiet(), and heals everything,
  /// before it returns: servers and stores are up, partitions are over, watchers in touch, and
  /// clocks without drift (they keep their error). What is lost stays lost; nodes that have crashed
  /// stay down. What is under way goes on: links whose loss is still to be noticed, delayed
  /// messages. So the world is healthy once the longest delay of the options before has passed.
  void Quiet();
  bool is_quiet() const { return is_quiet_; }

  /// Counts, and notes in the trace, what has gone wrong; `who` and `what` say where.
  void Count(SimulatedFault fault, std::uint64_t who, std::uint64_t what);
  void Count(SimulatedStore store, SimulatedStoreFault fault, std::uint64_t node);
  std::uint64_t count(SimulatedFault fault) const {
    return counts_[static_cast<std::size_t>(fault)];
  }
  std::uint64_t count(SimulatedStore store, SimulatedStoreFault fault) const {
    return store_counts_[static_cast<std::size_t>(store)][static_cast<std::size_t>(fault)];
  }
  /// Calls `each` for every kind, in one order: "message_dropped", "locations.call_failed". Without
  /// those that cannot be (stale reads of other stores than kLocations).
  void ForEach(absl::FunctionRef<void(absl::string_view name, std::uint64_t count)> each) const;
  /// Adds what another run has counted: over many seeds.
  void AddCounts(const SimulatedFaults& other);
  /// The names of the kinds that have not happened, with commas.
  std::string Missing() const;

  /// From now on the clock may be put wrong. Both in the order of the calls.
  void Add(SimulatedNodeClock* clock);
  void Remove(SimulatedNodeClock* clock);
  void Add(Part* part);
  void Remove(Part* part);

 private:
  void ScheduleNext();
  void BeginFaults();
  void BeginClockFaults(SimulatedNodeClock* clock, std::uint64_t index);

  Simulation* simulation_;
  SimulatedFaultOptions options_;
  SimulatedRandom random_;
  bool is_quiet_ = false;
  bool is_scheduled_ = false;
  std::vector<Part*> parts_;
  std::vector<SimulatedNodeClock*> clocks_;
  std::array<std::uint64_t, kSimulatedFaults> counts_{};
  std::array<std::array<std::uint64_t, kSimulatedStoreFaults>, kSimulatedStores> store_counts_{};
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_FAULTS_H_
