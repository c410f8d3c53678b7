#include "nearby/testing/simulated_node_clock.h"

#include <algorithm>

namespace nearby {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

}  // namespace

SimulatedNodeClock::SimulatedNodeClock(const Simulation* simulation)
    : simulation_(simulation),
      since_(simulation->now()),
      anchor_ms_(since_.ms),
      floor_{-kMaxTimeMs} {}

SimulatedNodeClock::Reading SimulatedNodeClock::Read() const {
  const std::int64_t passed_ms = simulation_->now().ms - since_.ms;
  const std::int64_t gained = passed_ms * drift_ppm_ + rest_;
  // Rounded down, so that the rest is never negative.
  const std::int64_t gained_ms =
      gained >= 0 ? gained / kMillion : -((kMillion - 1 - gained) / kMillion);
  return {anchor_ms_ + passed_ms + gained_ms, gained - gained_ms * kMillion};
}

std::int64_t SimulatedNodeClock::SteadyMs() const { return simulation_->now().ms; }

Time SimulatedNodeClock::Now() const {
  const std::int64_t ms = std::max(Read().ms, floor_.ms);
  return Time::Millis(std::clamp(ms, -kMaxTimeMs, kMaxTimeMs));
}

void SimulatedNodeClock::Anchor() {
  floor_ = Now();
  const Reading reading = Read();
  since_ = simulation_->now();
  anchor_ms_ = reading.ms;
  rest_ = reading.rest;
}

void SimulatedNodeClock::Shift(std::int64_t by_ms) {
  Anchor();
  anchor_ms_ += std::clamp(by_ms, -kMaxTimeMs, kMaxTimeMs);
}

void SimulatedNodeClock::SetDrift(std::int64_t ppm) {
  Anchor();
  drift_ppm_ = std::clamp(ppm, -kMaxDriftPpm, kMaxDriftPpm);
}

std::int64_t SimulatedNodeClock::error_ms() const { return Now().ms - simulation_->now().ms; }

}  // namespace nearby
