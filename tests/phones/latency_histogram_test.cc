#include "examples/phones/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "examples/replay/random.h"

namespace phones {
namespace {

TEST(LatencyHistogramTest, IsEmptyAtFirst) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.max_us(), 0);
}

TEST(LatencyHistogramTest, IsExactForSmallNumbers) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 100; ++us) histogram.Add(us);
  EXPECT_EQ(histogram.Quantile(0), 1);
  EXPECT_EQ(histogram.Quantile(0.5), 50);
  EXPECT_EQ(histogram.Quantile(0.99), 99);
  EXPECT_EQ(histogram.Quantile(1), 100);
}

TEST(LatencyHistogramTest, KeepsToItsRange) {
  LatencyHistogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.Quantile(1), 0);
  histogram.Add(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(histogram.Quantile(1), (std::int64_t{1} << 40) - 1);
  EXPECT_EQ(histogram.count(), 2);
}

TEST(LatencyHistogramTest, ComesWithinAStepOfSorting) {
  constexpr std::uint64_t kSeed = 7;
  replay::Random random(kSeed);
  LatencyHistogram halves[2];
  std::vector<std::int64_t> sorted;
  for (int i = 0; i < 20'000; ++i) {
    const auto us = static_cast<std::int64_t>(std::exp(20 * random.Uniform()));
    sorted.push_back(us);
    halves[i % 2].Add(us);
  }
  halves[0].Add(halves[1]);
  std::sort(sorted.begin(), sorted.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
    const std::int64_t exact = sorted[rank - 1];
    EXPECT_GE(halves[0].Quantile(quantile), exact) << quantile << " seed " << kSeed;
    EXPECT_LE(halves[0].Quantile(quantile), exact + exact / 64) << quantile << " seed " << kSeed;
  }
  EXPECT_EQ(halves[0].max_us(), sorted.back());
}

}  // namespace
}  // namespace phones
