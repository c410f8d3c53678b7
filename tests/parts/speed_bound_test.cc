#include "src/parts/speed_bound.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace nearby {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kLastClass = SpeedBound::kClasses - 1;

SpeedBound OfClass(std::uint32_t speed_class, std::uint32_t calm_reports = 0) {
  SpeedBound bound;
  bound.speed_class = speed_class;
  bound.calm_reports = calm_reports;
  return bound;
}

TEST(SpeedBoundTest, BeginsWithACarInACity) {
  EXPECT_EQ(SpeedBound::kMetersPerMs[SpeedBound().speed_class], 0.025);
  EXPECT_EQ(SpeedBound().calm_reports, 0u);
}

TEST(SpeedBoundTest, ClassesAscendAndTheLastPromisesNothing) {
  for (std::uint32_t c = 1; c < SpeedBound::kClasses; ++c) {
    EXPECT_LT(SpeedBound::kMetersPerMs[c - 1], SpeedBound::kMetersPerMs[c]);
  }
  EXPECT_EQ(SpeedBound::kMetersPerMs[kLastClass], kInfinity);
}

TEST(SpeedBoundTest, AdmitsExactlyUpToTheSpeedOfTheClass) {
  for (std::uint32_t c = 0; c < kLastClass; ++c) {
    for (const double ms : {1.0, 7.0, 1000.0, 30'000.0, 86'400'000.0}) {
      const double meters = SpeedBound::kMetersPerMs[c] * ms;
      SpeedBound bound = OfClass(c);
      EXPECT_TRUE(bound.Judge(meters, ms));
      EXPECT_EQ(bound.speed_class, c);
      EXPECT_FALSE(bound.Judge(std::nextafter(meters, kInfinity), ms));
      EXPECT_EQ(bound.speed_class, c + 1);
    }
  }
}

TEST(SpeedBoundTest, RisesAtOnceToWhatWasSeen) {
  // Ten seconds at each speed, in metres.
  const struct {
    double meters;
    std::uint32_t speed_class;
  } kCases[] = {{31, 1}, {250, 1}, {251, 2}, {700, 2}, {710, 3}, {3'000, 3}, {3'010, 4}, {1e8, 4}};
  for (const auto& seen : kCases) {
    SpeedBound bound = OfClass(0, 5);
    EXPECT_FALSE(bound.Judge(seen.meters, 10'000));
    EXPECT_EQ(bound.speed_class, seen.speed_class) << seen.meters;
    EXPECT_EQ(bound.calm_reports, 0u);
  }
}

TEST(SpeedBoundTest, WhatWasSeenInAShortTimeCountsAsSeenInTenSeconds) {
  for (const double ms : {-5.0, 0.0, 1.0, 1'000.0, 9'999.0}) {
    SpeedBound walker = OfClass(0);
    EXPECT_FALSE(walker.Judge(42, ms)) << "two reports of a walk that were held up";
    EXPECT_EQ(walker.speed_class, 1u);
    SpeedBound jumper = OfClass(0);
    EXPECT_FALSE(jumper.Judge(500, ms));
    EXPECT_EQ(jumper.speed_class, 2u);
    SpeedBound driver = OfClass(2);
    EXPECT_FALSE(driver.Judge(700, ms)) << "the class would do for it in ten seconds";
    EXPECT_EQ(driver.speed_class, 3u) << "but one that has been broken is not believed";
  }
}

TEST(SpeedBoundTest, ReportsWithinASecondAreNoSignOfCalm) {
  SpeedBound bound = OfClass(2);
  for (int report = 0; report < 7; ++report) ASSERT_TRUE(bound.Judge(0, 1000));
  for (int report = 0; report < 20; ++report) ASSERT_TRUE(bound.Judge(0, 999));
  EXPECT_EQ(bound.speed_class, 2u);
  EXPECT_EQ(bound.calm_reports, 7u) << "nor of its contrary";
  ASSERT_TRUE(bound.Judge(0, 1000));
  EXPECT_EQ(bound.speed_class, 1u);
}

TEST(SpeedBoundTest, MovingInNoTimeOrBackwardInTimeIsFasterThanAnything) {
  for (std::uint32_t c = 0; c < kLastClass; ++c) {
    for (const double ms : {0.0, -1.0, -1e6}) {
      SpeedBound bound = OfClass(c);
      EXPECT_FALSE(bound.Judge(1e-6, ms));
      EXPECT_EQ(bound.speed_class, c + 1);
    }
    SpeedBound still = OfClass(c);
    EXPECT_TRUE(still.Judge(0, 0)) << "the same report again";
    // Nobody knows what a time that runs backward means.
    EXPECT_FALSE(still.Judge(0, -1));
  }
  SpeedBound unbounded = OfClass(kLastClass);
  EXPECT_TRUE(unbounded.Judge(1e7, 0));
  EXPECT_EQ(unbounded.calm_reports, 0u);
}

TEST(SpeedBoundTest, FallsByOneClassAfterEightCalmReports) {
  SpeedBound bound = OfClass(kLastClass);
  for (std::uint32_t c = kLastClass; c > 0; --c) {
    for (int report = 1; report < 8; ++report) {
      ASSERT_TRUE(bound.Judge(0, 1000));
      ASSERT_EQ(bound.speed_class, c) << "after " << report << " calm reports";
    }
    ASSERT_TRUE(bound.Judge(0, 1000));
    ASSERT_EQ(bound.speed_class, c - 1);
  }
  for (int report = 0; report < 20; ++report) {
    ASSERT_TRUE(bound.Judge(0, 1000));
    ASSERT_EQ(bound.speed_class, 0u);
    ASSERT_EQ(bound.calm_reports, 0u);
  }
}

TEST(SpeedBoundTest, OnlyCalmReportsInARowCount) {
  SpeedBound bound = OfClass(2);
  for (int report = 0; report < 7; ++report) ASSERT_TRUE(bound.Judge(25, 1000));
  ASSERT_TRUE(bound.Judge(26, 1000)) << "what the class admits, and the one below does not";
  EXPECT_EQ(bound.calm_reports, 0u);
  for (int report = 0; report < 7; ++report) ASSERT_TRUE(bound.Judge(25, 1000));
  ASSERT_FALSE(bound.Judge(71, 1000));
  EXPECT_EQ(bound.speed_class, 3u);
  for (int report = 0; report < 7; ++report) ASSERT_TRUE(bound.Judge(25, 1000));
  EXPECT_EQ(bound.speed_class, 3u);
  ASSERT_TRUE(bound.Judge(25, 1000));
  EXPECT_EQ(bound.speed_class, 2u) << "one class, however slow they were";
}

// The least class that admits a move, and whether the last eight reports were all slower than the
// class below, worked out from the reports alone.
TEST(SpeedBoundTest, AgreesWithItsHistoryOnRandomMoves) {
  std::mt19937_64 random(4);
  const auto least_class = [](double meters, double ms) {
    std::uint32_t c = 0;
    while (c < kLastClass && meters > SpeedBound::kMetersPerMs[c] * ms) ++c;
    return c;
  };
  SpeedBound bound;
  std::deque<std::uint32_t> since_change;  // least classes of the reports at the present class
  int breaks = 0;
  int falls = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double ms = random() % 50 == 0 ? 0 : static_cast<double>(1 + random() % 30'000);
    const double pace = static_cast<double>(random() >> 11) * 0x1p-53;
    // Long stretches of one kind of speed, so that classes fall, too.
    const double speed = i / 40 % 3 == 0 ? pace * 0.4 : pace * 0.02;
    const double meters = random() % 7 == 0 ? 0 : speed * ms;
    const std::uint32_t before = bound.speed_class;
    const std::uint32_t least = least_class(meters, ms);
    ASSERT_EQ(bound.Judge(meters, ms), least <= before);
    ASSERT_LT(bound.calm_reports, SpeedBound::kCalmReports);
    if (least > before) {
      ASSERT_EQ(bound.speed_class,
                std::max(before + 1, least_class(meters, std::max(ms, 10'000.0))));
      since_change.clear();
      ++breaks;
      continue;
    }
    if (ms < 1'000) continue;
    since_change.push_back(least);
    bool is_calm = before > 0 && since_change.size() >= 8;
    for (std::size_t back = 1; is_calm && back <= 8; ++back) {
      is_calm = since_change[since_change.size() - back] < before;
    }
    ASSERT_EQ(bound.speed_class, is_calm ? before - 1 : before);
    if (!is_calm) continue;
    since_change.clear();
    ++falls;
  }
  EXPECT_GT(breaks, 1000);
  EXPECT_GT(falls, 1000);
}

}  // namespace
}  // namespace nearby
