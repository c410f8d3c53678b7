#include "nearby/testing/simulated_faults.h"

#include <cstdint>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/testing/simulated_fault_counts.h"
#include "nearby/testing/simulated_fault_options.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_note.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/testing/simulation.h"

namespace nearby {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SimulatedFaultCountsTest, CountsEachKindByName) {
  SimulatedFaultCounts counts;
  counts.Count(SimulatedFault::kMessageDropped);
  counts.Count(SimulatedStore::kFriends, SimulatedStoreFault::kCallUnknown);
  SimulatedFaultCounts total;
  total.Add(counts);
  total.Add(counts);
  EXPECT_EQ(total.of(SimulatedFault::kMessageDropped), 2u);
  EXPECT_EQ(total.of(SimulatedStore::kFriends, SimulatedStoreFault::kCallUnknown), 2u);
  std::set<std::string> names;
  std::uint64_t sum = 0;
  total.ForEach([&](absl::string_view name, std::uint64_t count) {
    EXPECT_TRUE(names.emplace(name).second) << name;
    sum += count;
  });
  EXPECT_EQ(sum, 4u);
  EXPECT_EQ(names.size(), kSimulatedFaults + kSimulatedStores * kSimulatedStoreFaults - 4);
  EXPECT_EQ(names.count("friends.call_unknown"), 1u);
  EXPECT_THAT(total.Missing(), Not(HasSubstr("message_dropped")));
  EXPECT_THAT(total.Missing(), HasSubstr("locations.read_stale"));
  EXPECT_STREQ(ToString(SimulatedStore::kSessions), "sessions");
  EXPECT_STREQ(ToString(SimulatedFault::kClockDrifted), "clock_drifted");
  EXPECT_STREQ(ToString(SimulatedStoreFault::kNodeCrashed), "node_crashed");
}

TEST(SimulatedFaultOptionsTest, DrawsWithinTheContractUnlessAskedTo) {
  bool broke = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedRandom random(seed);
    const SimulatedFaultOptions kept = SimulatedFaultOptions::Draw(&random, false);
    EXPECT_EQ(kept.transport.drop_message, 0);
    EXPECT_EQ(kept.transport.duplicate_message, 0);
    EXPECT_EQ(kept.transport.reorder_message, 0);
    EXPECT_EQ(kept.friends.lose_answer, 0);
    EXPECT_EQ(kept.clocks.change_drift, 0);
    const SimulatedFaultOptions any = SimulatedFaultOptions::Draw(&random, true);
    broke = broke || any.transport.drop_message > 0;
    const SimulatedFaultOptions quiet = any.Quiet();
    EXPECT_EQ(quiet.transport.server_crash, 0);
    EXPECT_EQ(quiet.locations.stale_read, 0);
    EXPECT_EQ(quiet.sessions.fail, 0);
    EXPECT_EQ(quiet.ring.lose_touch, 0);
    EXPECT_EQ(quiet.transport.latency.max_ms, any.transport.latency.max_ms);
  }
  EXPECT_TRUE(broke);
}

struct CountingPart : SimulatedFaults::Part {
  void BeginFaults() override { ++begun; }
  void Heal() override { ++healed; }
  int begun = 0;
  int healed = 0;
};

TEST(SimulatedFaultsTest, AsksEachPartAboutOnceASecondUntilQuiet) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  CountingPart part;
  faults.Add(&part);
  simulation.RunFor(1'000'000);
  EXPECT_NEAR(part.begun, 1'000, 50);
  EXPECT_EQ(part.healed, 0);
  faults.Quiet();
  EXPECT_TRUE(faults.is_quiet());
  EXPECT_EQ(part.healed, 1);
  const int begun = part.begun;
  simulation.RunFor(10'000);
  EXPECT_EQ(part.begun, begun);
  faults.SetOptions(SimulatedFaultOptions());
  simulation.RunFor(10'000);
  EXPECT_GT(part.begun, begun);
  faults.Remove(&part);
}

TEST(SimulatedFaultsTest, PutsClocksWrong) {
  Simulation simulation(1);
  SimulatedFaultOptions options;
  options.clocks.shift = 0.5;
  options.clocks.change_drift = 0.5;
  SimulatedFaults faults(&simulation, options);
  SimulatedNodeClock clock(&simulation);
  faults.Add(&clock);
  simulation.RunFor(20'000);
  EXPECT_NE(clock.error_ms(), 0);
  EXPECT_GT(faults.counts().of(SimulatedFault::kClockShifted), 0u);
  EXPECT_GT(faults.counts().of(SimulatedFault::kClockDrifted), 0u);
  faults.Quiet();
  EXPECT_EQ(clock.drift_ppm(), 0);
  faults.Remove(&clock);
}

TEST(SimulatedNoteTest, HasANameForEachKind) {
  std::set<std::string> names;
  for (std::uint64_t kind = 1; kind <= 11; ++kind) {
    EXPECT_TRUE(names.insert(ToString(static_cast<SimulatedNote>(kind))).second);
  }
  EXPECT_EQ(names.count("?"), 0u);
  EXPECT_STREQ(ToString(static_cast<SimulatedNote>(Simulation::kFirstHostKind)), "?");
}

}  // namespace
}  // namespace nearby
