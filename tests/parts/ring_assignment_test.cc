// The assignment of partitions to seats against the plain reading of its specification, on rings
// with few partitions; and that the outcome is a stable matching, on rings of full size, too.

#include "src/parts/ring_assignment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::uint64_t TotalWeight(const std::vector<RingRunner>& runners) {
  return std::accumulate(
      runners.begin(), runners.end(), std::uint64_t{0},
      [](std::uint64_t sum, const RingRunner& runner) { return sum + runner.weight; });
}

std::vector<std::uint32_t> CountPartitions(const std::vector<std::uint16_t>& owners,
                                           std::size_t runner_count) {
  std::vector<std::uint32_t> counts(runner_count);
  for (const std::uint16_t owner : owners) ++counts[owner];
  return counts;
}

// Every visit of every seat, one after the other.
std::vector<std::uint16_t> AssignPlainly(const std::vector<RingRunner>& runners,
                                         const RingClock& clock) {
  std::vector<std::tuple<std::uint64_t, std::uint16_t, std::uint32_t>> visits;
  std::vector<std::uint32_t> room;
  for (std::uint16_t i = 0; i < runners.size(); ++i) {
    room.push_back(0);
    if (runners[i].weight == 0) continue;
    room.back() = RingQuota(clock.partitions(), runners[i].weight, TotalWeight(runners));
    const RingCourse course(runners[i].seed, clock.partition_bits());
    for (std::uint32_t partition = 0; partition < clock.partitions(); ++partition) {
      visits.emplace_back(clock.TimeOf(course.RankOf(partition), runners[i].weight), i, partition);
    }
  }
  std::sort(visits.begin(), visits.end());
  std::vector<std::uint16_t> owners(clock.partitions(), kNoRunner);
  for (const auto& [time, i, partition] : visits) {
    if (owners[partition] != kNoRunner || room[i] == 0) continue;
    owners[partition] = i;
    --room[i];
  }
  return owners;
}

// A matching is stable if no seat and partition would both rather have each other: whoever visits a
// partition before its owner does is full, with partitions that it visits earlier still.
void ExpectStable(const std::vector<RingRunner>& runners, const RingClock& clock,
                  const std::vector<std::uint16_t>& owners) {
  std::vector<std::uint64_t> last_visits(runners.size());
  std::vector<std::uint64_t> owner_times(owners.size());
  for (std::uint32_t partition = 0; partition < owners.size(); ++partition) {
    const std::uint16_t owner = owners[partition];
    ASSERT_LT(owner, runners.size());
    const RingCourse course(runners[owner].seed, clock.partition_bits());
    owner_times[partition] = clock.TimeOf(course.RankOf(partition), runners[owner].weight);
    last_visits[owner] = std::max(last_visits[owner], owner_times[partition]);
  }
  const std::vector<std::uint32_t> counts = CountPartitions(owners, runners.size());
  for (std::uint16_t i = 0; i < runners.size(); ++i) {
    if (runners[i].weight == 0) {
      ASSERT_EQ(counts[i], 0u);
      continue;
    }
    const std::uint32_t quota =
        RingQuota(clock.partitions(), runners[i].weight, TotalWeight(runners));
    ASSERT_LE(counts[i], quota);
    const RingCourse course(runners[i].seed, clock.partition_bits());
    for (std::uint32_t partition = 0; partition < owners.size(); ++partition) {
      const std::uint64_t time = clock.TimeOf(course.RankOf(partition), runners[i].weight);
      if (std::tie(time, i) >= std::tie(owner_times[partition], owners[partition])) continue;
      ASSERT_EQ(counts[i], quota) << "seat " << i << " came first to " << partition;
      ASSERT_GT(time, last_visits[i]) << "seat " << i << " would rather have " << partition;
    }
  }
}

std::vector<RingRunner> EqualRunners(std::size_t count) {
  std::vector<RingRunner> runners;
  for (std::size_t i = 0; i < count; ++i) {
    runners.push_back(RingRunner{RingSeed(absl::StrCat("node-", i)), 100});
  }
  return runners;
}

TEST(RingCourseTest, VisitsEachPartitionOnce) {
  for (const int bits : {2, 4, 8, 12, 18}) {
    const RingCourse course(RingSeed("node-1"), bits);
    std::vector<bool> visited(std::size_t{1} << bits);
    for (std::uint32_t rank = 0; rank < visited.size(); ++rank) {
      const std::uint32_t partition = course.PartitionAt(rank);
      ASSERT_LT(partition, visited.size());
      ASSERT_FALSE(visited[partition]);
      visited[partition] = true;
      ASSERT_EQ(course.RankOf(partition), rank);
    }
  }
}

// Of two independent permutations of P, about one element is in the same place, and the products of
// the places average to a quarter of P squared.
TEST(RingCourseTest, SimilarNamesHaveUnrelatedCourses) {
  constexpr int kBits = 18;
  constexpr double kPartitions = 1 << kBits;
  for (const char* other : {"node-2", "node-10", "Node-1", "node-1 ", "1-node"}) {
    const RingCourse a(RingSeed("node-1"), kBits);
    const RingCourse b(RingSeed(other), kBits);
    int in_the_same_place = 0;
    double products = 0;
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      const std::uint32_t rank_a = a.RankOf(partition);
      const std::uint32_t rank_b = b.RankOf(partition);
      in_the_same_place += static_cast<int>(rank_a == rank_b);
      products += rank_a / kPartitions * (rank_b / kPartitions);
    }
    EXPECT_LT(in_the_same_place, 12) << other;
    // The deviation of a correlation is 1 / sqrt(P), times the variance 1/12: 0.00016.
    EXPECT_NEAR(products / kPartitions, 0.25, 0.001) << other;
  }
}

TEST(RingClockTest, TimesAreAsSpecified) {
  const RingClock clock(2);
  constexpr std::uint64_t kOne = std::uint64_t{1} << 48;
  EXPECT_EQ(clock.partitions(), 4u);
  EXPECT_EQ(clock.TimeOf(0, 1), (kOne / 8) << 10);
  EXPECT_EQ(clock.TimeOf(1, 1), (kOne / 4 + kOne / 6) << 10);
  EXPECT_EQ(clock.TimeOf(2, 1), (kOne / 4 + kOne / 3 + kOne / 4) << 10);
  EXPECT_EQ(clock.TimeOf(3, 1), (kOne / 4 + kOne / 3 + kOne / 2 + kOne / 2) << 10);
  EXPECT_EQ(clock.TimeOf(3, 1000), clock.TimeOf(3, 1) / 1000);
}

TEST(RingClockTest, TimesGrowAndStayInTheirLimit) {
  const RingClock& clock = SharedRingClock();
  for (const std::uint32_t weight : {1u, 100u, 1000u}) {
    for (std::uint32_t rank = 1; rank < clock.partitions(); ++rank) {
      ASSERT_LT(clock.TimeOf(rank - 1, weight), clock.TimeOf(rank, weight));
    }
  }
  EXPECT_LT(clock.TimeOf(clock.partitions() - 1, 1), std::uint64_t{1} << 62);
}

TEST(RingQuotaTest, IsTheShareAndHalfAsMuchAgainOfItsRoot) {
  EXPECT_EQ(RingQuota(1 << 18, 100, 10'000), 2'622u + 77u);
  EXPECT_EQ(RingQuota(1 << 18, 1, 1), 262'144u + 768u);
  EXPECT_EQ(RingQuota(16, 1, 4), 4u + 3u);
  EXPECT_EQ(RingQuota(16, 1, 1'000'000), 1u + 2u);
}

TEST(RingAssignmentTest, NobodyOwnsAnythingWithoutWeight) {
  const RingClock clock(4);
  EXPECT_THAT(AssignPartitions({}, clock), Each(kNoRunner));
  EXPECT_EQ(AssignPartitions({}, clock).size(), 16u);
  EXPECT_THAT(AssignPartitions({{1, 0}, {2, 0}}, clock), Each(kNoRunner));
  EXPECT_THAT(AssignPartitions({{1, 0}, {2, 1}, {3, 0}}, clock), Each(1));
}

// Names of one hash are all but impossible; if there were two, they would still share.
TEST(RingAssignmentTest, OfEqualSeedsTheFirstTakesItsQuota) {
  const RingClock clock(4);
  const std::vector<RingRunner> twins = {{7, 100}, {7, 100}};
  const std::vector<std::uint16_t> owners = AssignPartitions(twins, clock);
  const std::uint32_t quota = RingQuota(16, 100, 200);
  EXPECT_THAT(CountPartitions(owners, 2), ElementsAre(quota, 16 - quota));
  EXPECT_EQ(owners, AssignPlainly(twins, clock));
}

TEST(RingAssignmentTest, AgreesWithThePlainReading) {
  std::size_t full = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    std::mt19937_64 random(seed);
    const RingClock clock(static_cast<int>(2 * (1 + random() % 5)));
    // Often more seats than partitions, often all weights alike, often extreme.
    const std::size_t count = 1 + random() % (random() % 4 == 0 ? 300 : 30);
    const std::vector<std::vector<std::uint32_t>> choices = {
        {100}, {0, 100}, {1, 1000}, {0, 1, 10, 100, 1000}, {1, 1, 1, 1, 1, 1, 1, 1000}};
    const std::vector<std::uint32_t>& weights = choices[random() % choices.size()];
    // Seats of one seed want the same partitions, so that all but the first run into quotas.
    const std::uint64_t seeds = random() % 4 == 0 ? 3 : std::numeric_limits<std::uint64_t>::max();
    std::vector<RingRunner> runners;
    for (std::size_t i = 0; i < count; ++i) {
      runners.push_back(RingRunner{random() % seeds, weights[random() % weights.size()]});
    }
    if (TotalWeight(runners) == 0) continue;
    const std::vector<std::uint16_t> owners = AssignPartitions(runners, clock);
    ASSERT_EQ(owners, AssignPlainly(runners, clock)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(ExpectStable(runners, clock, owners)) << "seed " << seed;
    const std::vector<std::uint32_t> counts = CountPartitions(owners, runners.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (runners[i].weight == 0) continue;
      full += static_cast<std::size_t>(
          counts[i] == RingQuota(clock.partitions(), runners[i].weight, TotalWeight(runners)));
    }
  }
  EXPECT_GT(full, 500u) << "the quotas played a part";
}

TEST(RingAssignmentTest, IsStableAtFullSize) {
  for (const std::size_t count : {1u, 2u, 100u}) {
    const std::vector<RingRunner> runners = EqualRunners(count);
    const std::vector<std::uint16_t> owners = AssignPartitions(runners, SharedRingClock());
    ASSERT_NO_FATAL_FAILURE(ExpectStable(runners, SharedRingClock(), owners)) << count;
  }
  std::vector<RingRunner> mixed = EqualRunners(30);
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i].weight = i % 3 == 0 ? 1 : 1000;
  const std::vector<std::uint16_t> owners = AssignPartitions(mixed, SharedRingClock());
  ASSERT_NO_FATAL_FAILURE(ExpectStable(mixed, SharedRingClock(), owners));
}

}  // namespace
}  // namespace nearby
