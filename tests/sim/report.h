#ifndef NEARBY_TESTS_SIM_REPORT_H_
#define NEARBY_TESTS_SIM_REPORT_H_

#include <cstdint>
#include <string>

#include "nearby/testing/simulated_fault_counts.h"
#include "tests/sim/drain_counts.h"
#include "tests/sim/world.h"

namespace nearby::sim {

/// What the runs of several seeds come to.
class Report {
 public:
  /// Prints what was violated, if anything was.
  void Add(std::uint64_t seed, bool was_right, const World& world);
  /// The program died in that run: nothing else is known of it.
  void AddDeath(std::uint64_t seed, const std::string& how);

  std::uint64_t seeds() const { return seeds_; }
  std::uint64_t violations() const { return violations_; }

  /// How often each thing went wrong, and what never did.
  void PrintFaults() const;
  void PrintSummary() const;

 private:
  std::uint64_t seeds_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t violations_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t nodes_ = 0;
  std::uint64_t phones_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t ring_changes_ = 0;
  SimulatedFaultCounts faults_;
  DrainCounts drains_;
};

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_REPORT_H_
