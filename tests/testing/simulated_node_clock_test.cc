#include "nearby/testing/simulated_node_clock.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"
#include "nearby/time.h"

namespace nearby {
namespace {

Simulation::Options StartingAt(std::int64_t ms) {
  Simulation::Options options;
  options.start = Time::Millis(ms);
  return options;
}

TEST(SimulatedNodeClockTest, IsTheSimulationsTimeByItself) {
  Simulation simulation(1, StartingAt(1'000));
  SimulatedNodeClock clock(&simulation);
  EXPECT_EQ(clock.Now(), Time::Millis(1'000));
  simulation.RunFor(123);
  EXPECT_EQ(clock.Now(), simulation.now());
  EXPECT_EQ(clock.error_ms(), 0);
}

TEST(SimulatedNodeClockTest, StandsStillWhenPutBack) {
  Simulation simulation(1, StartingAt(1'000));
  SimulatedNodeClock clock(&simulation);
  clock.Shift(500);
  EXPECT_EQ(clock.Now(), Time::Millis(1'500));
  clock.Shift(-600);
  EXPECT_EQ(clock.Now(), Time::Millis(1'500));
  simulation.RunFor(600);
  EXPECT_EQ(clock.Now(), Time::Millis(1'500));
  simulation.RunFor(50);
  EXPECT_EQ(clock.Now(), Time::Millis(1'550));
  EXPECT_EQ(clock.error_ms(), -100);
}

TEST(SimulatedNodeClockTest, Drifts) {
  Simulation simulation(1);
  SimulatedNodeClock fast(&simulation);
  SimulatedNodeClock slow(&simulation);
  fast.SetDrift(100);
  slow.SetDrift(-100);
  EXPECT_EQ(fast.drift_ppm(), 100);
  simulation.RunFor(1'000'000);
  EXPECT_EQ(fast.error_ms(), 100);
  EXPECT_EQ(slow.error_ms(), -100);
  fast.SetDrift(0);
  simulation.RunFor(1'000'000);
  EXPECT_EQ(fast.error_ms(), 100);
  fast.SetDrift(10'000'000);
  EXPECT_EQ(fast.drift_ppm(), SimulatedNodeClock::kMaxDriftPpm);
}

TEST(SimulatedNodeClockTest, LosesNothingWhenItsDriftIsSetOften) {
  Simulation simulation(1);
  SimulatedNodeClock clock(&simulation);
  for (int i = 0; i < 10'000; ++i) {
    clock.SetDrift(i % 2 == 0 ? 150 : 50);
    simulation.RunFor(1);
  }
  EXPECT_EQ(clock.error_ms(), 1) << "100 millionths of 10 s";
}

TEST(SimulatedNodeClockTest, NeverGoesBackward) {
  Simulation simulation(1);
  SimulatedNodeClock clock(&simulation);
  SimulatedRandom random(2);
  Time before = clock.Now();
  for (int i = 0; i < 10'000; ++i) {
    if (random.Chance(0.3)) clock.Shift(random.Between(-50, 50));
    if (random.Chance(0.3)) clock.SetDrift(random.Between(-500'000, 500'000));
    if (random.Chance(0.5)) simulation.RunFor(random.Between(0, 40));
    EXPECT_GE(clock.Now(), before);
    before = clock.Now();
  }
}

}  // namespace
}  // namespace nearby
