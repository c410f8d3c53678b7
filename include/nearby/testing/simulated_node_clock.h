#ifndef NEARBY_TESTING_SIMULATED_NODE_CLOCK_H_
#define NEARBY_TESTING_SIMULATED_NODE_CLOCK_H_

#include <cstdint>

#include "nearby/clock.h"
#include "nearby/export.h"
#include "nearby/testing/simulation.h"
#include "nearby/time.h"

namespace nearby {

/// The clock of one machine of a simulated world: it may be wrong, and run too fast or too slow.
///
///   SimulatedNodeClock clock(&simulation);
///   clock.Shift(250);        // a quarter of a second ahead
///   clock.SetDrift(100);     // and gaining 0.1 ms a second
///
/// It never goes backward: one that is put back stands still until it has caught up. With a drift
/// of 0 and no shift it is the simulation's time, fit for what runs beside the stores (their own
/// clocks). A drift other than 0 breaks no clause of `Clock`, but one of `SessionDirectory` (6: the
/// directory's clock must run as fast as the nodes').
///
/// Thread-compatible. Borrows the simulation, which must outlive it.
class NEARBY_API SimulatedNodeClock : public Clock {
 public:
  /// Half as fast, or half as fast again.
  static constexpr std::int64_t kMaxDriftPpm = 500'000;

  explicit SimulatedNodeClock(const Simulation* simulation);

  Time Now() const override;
  /// The simulation's time: nobody puts it forward or back.
  std::int64_t SteadyMs() const override;

  /// Puts it forward, or back.
  void Shift(std::int64_t by_ms);
  /// From now on it gains that many microseconds a second: -kMaxDriftPpm to kMaxDriftPpm, others
  /// become the nearest.
  void SetDrift(std::int64_t ppm);

  std::int64_t drift_ppm() const { return drift_ppm_; }
  /// How far it is ahead of the simulation's time.
  std::int64_t error_ms() const;

 private:
  // What it would show if it could go backward.
  struct NEARBY_LOCAL Reading {
    std::int64_t ms;
    std::int64_t rest;  // millionths of a millisecond beyond that
  };
  Reading Read() const;
  // Counts from now on.
  void Anchor();

  const Simulation* simulation_;
  // The reading at the simulation's time since_ was anchor_ms_ and rest_.
  Time since_;
  std::int64_t anchor_ms_;
  std::int64_t rest_ = 0;
  std::int64_t drift_ppm_ = 0;
  Time floor_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_NODE_CLOCK_H_
