#include "examples/phones/walkers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/replay/city.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_reader.h"
#include "nearby/geo.h"
#include "nearby/ids.h"

namespace phones {
namespace {

using replay::TraceRow;

constexpr std::size_t kUsers = 50;

std::vector<TraceRow> WalkForAWhile(std::uint64_t seed, std::size_t rows) {
  const replay::Population population = replay::MakeCity(kUsers, seed);
  const std::unique_ptr<Walkers> walkers = WalkCity(population, seed);
  std::vector<TraceRow> read;
  EXPECT_TRUE(walkers->Read(rows, &read).ok());
  return read;
}

bool AreSame(const std::vector<TraceRow>& a, const std::vector<TraceRow>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].user != b[i].user || a[i].time != b[i].time ||
        a[i].location.lat != b[i].location.lat || a[i].location.lng != b[i].location.lng) {
      return false;
    }
  }
  return true;
}

TEST(WalkersTest, AreTheSameForTheSameSeed) {
  const std::vector<TraceRow> rows = WalkForAWhile(3, 2000);
  EXPECT_EQ(rows.size(), 2000);
  EXPECT_TRUE(AreSame(rows, WalkForAWhile(3, 2000)));
  EXPECT_FALSE(AreSame(rows, WalkForAWhile(4, 2000)));
}

TEST(WalkersTest, ReportEveryHalfMinuteOrSo) {
  std::map<nearby::UserId, std::int64_t> last_ms;
  std::int64_t previous_ms = 0;
  std::size_t gaps = 0;
  std::size_t pauses = 0;
  for (const TraceRow& row : WalkForAWhile(1, 5000)) {
    EXPECT_EQ(row.kind, TraceRow::Kind::kReport);
    EXPECT_TRUE(nearby::IsValid(row.location));
    EXPECT_GE(row.time.ms, previous_ms);
    previous_ms = row.time.ms;
    if (last_ms.count(row.user) > 0) {
      const std::int64_t pause_ms = row.time.ms - last_ms[row.user];
      EXPECT_GE(pause_ms, 25'000);
      if (pause_ms > 35'000) ++gaps;
      ++pauses;
    }
    last_ms[row.user] = row.time.ms;
  }
  EXPECT_EQ(last_ms.size(), kUsers);
  EXPECT_LT(gaps, pauses / 10);
}

TEST(WalkersTest, GoOnWithoutEnd) {
  const replay::Population population = replay::MakeCity(3, 1);
  const std::unique_ptr<Walkers> walkers = WalkCity(population, 1);
  std::vector<TraceRow> rows;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(walkers->Read(64, &rows).ok());
    ASSERT_EQ(rows.size(), 64);
  }
}

TEST(WalkersTest, ComeFromATrace) {
  const std::string path = ::testing::TempDir() + "/walkers_test.tsv";
  std::ofstream(path) << "7 100 52.5 13.4\n!disconnect 7 101\n8 102.5 52.6 13.5\n";
  const absl::StatusOr<std::unique_ptr<Walkers>> walkers = WalkTrace(path);
  ASSERT_TRUE(walkers.ok()) << walkers.status();
  std::vector<TraceRow> rows;
  ASSERT_TRUE((*walkers)->Read(10, &rows).ok());
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].user, nearby::UserId{7});
  EXPECT_EQ(rows[1].kind, TraceRow::Kind::kDisconnect);
  EXPECT_EQ(rows[2].time.ms, 102'500);
  ASSERT_TRUE((*walkers)->Read(10, &rows).ok());
  EXPECT_TRUE(rows.empty());
  std::remove(path.c_str());
  EXPECT_FALSE(WalkTrace(path).ok());
}

TEST(WalkersTest, MakePathsOfOneLength) {
  const replay::Population population = replay::MakeCity(kUsers, 1);
  const std::vector<std::vector<nearby::LatLng>> paths = MakePaths(population, 40, 1);
  ASSERT_EQ(paths.size(), kUsers);
  std::size_t movers = 0;
  for (const std::vector<nearby::LatLng>& path : paths) {
    ASSERT_EQ(path.size(), 40);
    double farthest_m = 0;
    for (const nearby::LatLng place : path) {
      ASSERT_TRUE(nearby::IsValid(place));
      farthest_m = std::max(farthest_m, nearby::HaversineMeters(path.front(), place));
    }
    // Farther than phones err.
    if (farthest_m > 200) ++movers;
  }
  EXPECT_GT(movers, kUsers / 3);
}

}  // namespace
}  // namespace phones
