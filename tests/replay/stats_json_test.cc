#include "examples/replay/stats_json.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "examples/replay/replayer.h"

namespace replay {
namespace {

ReplayStats SomeStats() {
  ReplayStats stats;
  stats.rows = 1000;
  stats.users = 3;
  stats.friendships = 2;
  stats.events = 60;
  stats.shards = 4;
  stats.wall = absl::Milliseconds(500);
  stats.cpu = absl::Milliseconds(250);
  stats.engine.reports_accepted = 990;
  stats.engine.reports_stale = 1;
  stats.engine.checks = 2000;
  stats.engine.skipped = 5;
  stats.engine.enters = 10;
  stats.engine.moves = 29;
  stats.engine.resets = 7;
  for (std::size_t i = 1; i < stats.engine.leaves.size(); ++i) stats.engine.leaves[i] = i;
  stats.engine.connects = 8;
  stats.engine.disconnects = 6;
  stats.engine.expiries = 9;
  return stats;
}

TEST(ToJson, IsOneObject) {
  EXPECT_EQ(ToJson(SomeStats(), {absl::Seconds(2), 4096}),
            "{\"rows\": 1000, \"users\": 3, \"friendships\": 2, \"shards\": 4, \"reports\": 990, "
            "\"stale\": 1, \"checks\": 2000, \"skipped\": 5, \"events\": 60, \"deliveries\": 67, "
            "\"enters\": 10, \"moves\": 29, \"leaves\": {\"range\": 1, \"expired\": 2, "
            "\"offline\": 3, \"unfriended\": 4, \"unsubscribed\": 5, \"hidden\": 6}, "
            "\"resets\": 7, \"connects\": 8, \"disconnects\": 6, \"expiries\": 9, "
            "\"wall_s\": 0.500000, \"cpu_s\": 0.250000, \"rows_per_s\": 2000.000000, "
            "\"total_wall_s\": 2.000000, \"total_rows_per_s\": 500.000000, "
            "\"peak_memory_bytes\": 4096}\n");
}

TEST(ToJson, HoldsNoInfinitiesWhenNoTimeHasPassed) {
  const std::string json = ToJson(ReplayStats(), ProgramCost());
  EXPECT_NE(json.find("\"rows_per_s\": 0.000000"), std::string::npos) << json;
  EXPECT_EQ(json.find("inf"), std::string::npos) << json;
  EXPECT_EQ(json.find("nan"), std::string::npos) << json;
}

TEST(ToSummary, IsForPeople) {
  EXPECT_EQ(ToSummary(SomeStats(), {absl::Seconds(2), 1 << 20}),
            "1000 rows, 3 users, 2 friendships, 4 shards\n"
            "60 events: 10 enters, 29 moves, 21 leaves (range 1, expired 2, offline 3, "
            "unfriended 4, unsubscribed 5, hidden 6)\n"
            "2.00 s in all, 0.50 s in the engine (2000 rows/s, 2000 pair checks); peak memory "
            "1.0 MiB\n");
}

TEST(PeakMemoryBytes, IsThatOfThisProcess) { EXPECT_GT(PeakMemoryBytes(), std::uint64_t{1} << 20); }

}  // namespace
}  // namespace replay
