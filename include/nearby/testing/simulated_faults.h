#ifndef NEARBY_TESTING_SIMULATED_FAULTS_H_
#define NEARBY_TESTING_SIMULATED_FAULTS_H_

#include <cstdint>
#include <vector>

#include "nearby/export.h"
#include "nearby/testing/simulated_fault_counts.h"
#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"

namespace nearby {

/// What goes wrong in a simulated world: the options that all its parts look at, and a count for
/// each kind.
///
///   Simulation simulation(seed);
///   SimulatedFaults faults(&simulation, options);
///   ...
///   simulation.RunUntil(Time::Millis(600'000));
///   faults.Quiet();                              // and now let everything converge
///   simulation.RunUntil(Time::Millis(720'000));
///   total.Add(faults.counts());
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
  const SimulatedFaultCounts& counts() const { return counts_; }

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
  SimulatedFaultCounts counts_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_FAULTS_H_
