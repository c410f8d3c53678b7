#include "nearby/testing/simulated_faults.h"

#include <algorithm>

#include "nearby/testing/simulated_note.h"

namespace nearby {
namespace {

// Between two looks at what may begin: a second on average.
constexpr SimulatedDelay kInterval{500, 1'500};

}  // namespace

SimulatedFaults::SimulatedFaults(Simulation* simulation)
    : SimulatedFaults(simulation, SimulatedFaultOptions()) {}
SimulatedFaults::SimulatedFaults(Simulation* simulation, const SimulatedFaultOptions& options)
    : simulation_(simulation), options_(options), random_(simulation->random().Fork()) {
  ScheduleNext();
}
SimulatedFaults::~SimulatedFaults() = default;

void SimulatedFaults::SetOptions(const SimulatedFaultOptions& options) {
  options_ = options;
  is_quiet_ = false;
  if (!is_scheduled_) ScheduleNext();
}

void SimulatedFaults::Quiet() {
  options_ = options_.Quiet();
  is_quiet_ = true;
  for (Part* const part : parts_) part->Heal();
  for (SimulatedNodeClock* const clock : clocks_) clock->SetDrift(0);
}

void SimulatedFaults::Count(SimulatedFault fault, std::uint64_t who, std::uint64_t what) {
  counts_.Count(fault);
  simulation_->Note(static_cast<std::uint64_t>(SimulatedNote::kFault),
                    static_cast<std::uint64_t>(fault) + 256 * what, who);
}

void SimulatedFaults::Count(SimulatedStore store, SimulatedStoreFault fault, std::uint64_t node) {
  counts_.Count(store, fault);
  simulation_->Note(static_cast<std::uint64_t>(SimulatedNote::kStoreFault),
                    256 * static_cast<std::uint64_t>(store) + static_cast<std::uint64_t>(fault),
                    node);
}

void SimulatedFaults::Add(SimulatedNodeClock* clock) { clocks_.push_back(clock); }
void SimulatedFaults::Remove(SimulatedNodeClock* clock) {
  clocks_.erase(std::remove(clocks_.begin(), clocks_.end(), clock), clocks_.end());
}
void SimulatedFaults::Add(Part* part) { parts_.push_back(part); }
void SimulatedFaults::Remove(Part* part) {
  parts_.erase(std::remove(parts_.begin(), parts_.end(), part), parts_.end());
}

void SimulatedFaults::ScheduleNext() {
  is_scheduled_ = true;
  simulation_->After(random_.Draw(kInterval), [this] { BeginFaults(); });
}

void SimulatedFaults::BeginFaults() {
  is_scheduled_ = false;
  if (is_quiet_) return;
  // By number: a part of the test's own may add and remove some meanwhile.
  // NOLINTNEXTLINE(modernize-loop-convert)
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->BeginFaults();
  for (std::size_t i = 0; i < clocks_.size(); ++i) BeginClockFaults(clocks_[i], i);
  ScheduleNext();
}

void SimulatedFaults::BeginClockFaults(SimulatedNodeClock* clock, std::uint64_t index) {
  const SimulatedFaultOptions::Clocks& options = options_.clocks;
  if (random_.Chance(options.shift)) {
    const std::int64_t by_ms = random_.Draw(options.shift_by);
    clock->Shift(by_ms);
    Count(SimulatedFault::kClockShifted, index, static_cast<std::uint64_t>(by_ms));
  }
  if (random_.Chance(options.change_drift)) {
    const std::int64_t ppm = random_.Between(-options.max_drift_ppm, options.max_drift_ppm);
    clock->SetDrift(ppm);
    Count(SimulatedFault::kClockDrifted, index, static_cast<std::uint64_t>(ppm));
  }
}

}  // namespace nearby
