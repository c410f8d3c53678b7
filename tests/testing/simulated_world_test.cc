// Everything at once: that a world keeps its contracts under all that they allow, that each kind of
// fault happens, that a seed is a run, and that it gets well.

#include "tests/testing/simulated_world.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_random.h"

namespace nearby {
namespace {

using test::SimulatedWorld;
using ::testing::HasSubstr;

constexpr std::int64_t kRunMs = 60'000;

SimulatedFaultOptions OptionsOf(std::uint64_t seed, bool breaks_contracts) {
  SimulatedRandom random(seed);
  return SimulatedFaultOptions::Draw(&random, breaks_contracts);
}

TEST(SimulatedWorldTest, WorksWithNothingGoingWrong) {
  SimulatedWorld world(1, SimulatedFaultOptions(), true);
  world.Run(kRunMs);
  world.Converge();
  EXPECT_EQ(world.violation(), "");
  EXPECT_GT(world.messages_received(), 1'000u);
}

TEST(SimulatedWorldTest, KeepsItsContractsUnderAllThatTheyAllow) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    SimulatedWorld world(seed, OptionsOf(seed, false), true);
    world.Run(kRunMs);
    world.Converge();
    ASSERT_EQ(world.violation(), "");
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

TEST(SimulatedWorldTest, EachKindOfFaultHappensAndGetsWell) {
  SimulatedFaultCounts total;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    SimulatedWorld world(seed, OptionsOf(seed, true), false);
    world.Run(kRunMs);
    world.Converge();
    total.Add(world.counts());
    ASSERT_EQ(world.violation(), "");
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_EQ(total.Missing(), "");
}

// The checks above would be worth nothing otherwise.
TEST(SimulatedWorldTest, SeesWhatBreaksTheContract) {
  const auto violation = [](double SimulatedFaultOptions::Transport::*probability) {
    SimulatedFaultOptions options;
    options.transport.*probability = 0.05;
    SimulatedWorld world(1, options, true);
    world.Run(kRunMs);
    world.Converge();
    return world.violation();
  };
  EXPECT_THAT(violation(&SimulatedFaultOptions::Transport::drop_message), HasSubstr("missed"));
  EXPECT_THAT(violation(&SimulatedFaultOptions::Transport::duplicate_message), HasSubstr("twice"));
  EXPECT_THAT(violation(&SimulatedFaultOptions::Transport::reorder_message), HasSubstr("order"));
  EXPECT_EQ(violation(&SimulatedFaultOptions::Transport::delay_message), "");
}

TEST(SimulatedWorldTest, ASeedIsARun) {
  const auto hash = [](std::uint64_t seed) {
    SimulatedWorld world(seed, OptionsOf(seed, true), false);
    world.Run(kRunMs);
    world.Converge();
    return world.hash();
  };
  EXPECT_EQ(hash(1), hash(1));
  EXPECT_NE(hash(1), hash(2));
  // The same with every compiler. A change of what is drawn, or of its order, changes them.
  EXPECT_EQ(hash(1), 13098090939698068426u);
  EXPECT_EQ(hash(2), 5625724447488303447u);
  EXPECT_EQ(hash(3), 8964285622630811617u);
}

}  // namespace
}  // namespace nearby
