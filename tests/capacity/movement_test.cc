#include "benchmarks/capacity/movement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "nearby/geo.h"

namespace capacity {
namespace {

constexpr std::uint32_t kUsers = 2'000;

const World& TheWorld() {
  static const World* const world = new World(MakeWorld({kUsers, 4, 3}));
  return *world;
}

TEST(CapacityTrace, LetsEverybodyReportOnceARoundInOrderOfTime) {
  Trace trace(TheWorld(), 3);
  std::vector<std::uint32_t> first;
  for (int round = 0; round < 3; ++round) {
    std::vector<TracedReport> reports;
    trace.Next(700, &reports);
    trace.Next(kUsers - 700, &reports);
    std::vector<bool> seen(kUsers);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      EXPECT_FALSE(seen[reports[i].user]);
      seen[reports[i].user] = true;
      EXPECT_EQ(reports[i].time.ms,
                kTraceStart.ms + 30'000 * round + static_cast<std::int64_t>(i) * 30'000 / kUsers);
      EXPECT_TRUE(nearby::IsValid(reports[i].location));
      EXPECT_EQ(trace.movement().reported(reports[i].user),
                nearby::Position::FromLatLng(reports[i].location));
    }
    first.push_back(reports.front().user);
  }
  // Another order each time.
  EXPECT_FALSE(first[0] == first[1] && first[1] == first[2]);
}

TEST(CapacityMovement, IsStillForMostWithSomeMetresOfNoise) {
  Movement movement(TheWorld().homes, 3);
  std::vector<double> steps;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    const nearby::LatLng before = movement.Report(user, 0);
    steps.push_back(nearby::HaversineMeters(before, movement.Report(user, 30'000)));
  }
  std::sort(steps.begin(), steps.end());
  EXPECT_GT(steps[kUsers / 2], 3);
  EXPECT_LT(steps[kUsers / 2], 30);
  // Trains and aeroplanes.
  EXPECT_GT(steps[kUsers * 98 / 100], 500);
  EXPECT_LT(steps.back(), 30'000);
}

TEST(CapacityMovement, DependsOnNobodyElse) {
  Movement all(TheWorld().homes, 3);
  Movement alone(TheWorld().homes, 3);
  for (std::uint32_t at_ms = 0; at_ms < 1'800'000; at_ms += 30'000) {
    for (std::uint32_t user = 0; user < 100; ++user) all.Report(user, at_ms);
    alone.Report(42, at_ms);
    EXPECT_EQ(all.reported(42), alone.reported(42));
  }
}

}  // namespace
}  // namespace capacity
