#include "benchmarks/capacity/measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/flags.h"

namespace capacity {
namespace {

using ::testing::IsEmpty;

Flags SmallFlags(std::uint64_t seed) {
  Flags flags;
  flags.users = 3'000;
  flags.chunk = 30'000;
  flags.repetitions = 2;
  flags.seed = seed;
  return flags;
}

// The engine against a second implementation of the whole: every delivery of half a million pair
// checks, to the byte.
TEST(CapacityMeasurement, FindsThatEngineAndBaselineDeliverTheSame) {
  for (const std::uint64_t seed : {1u, 2u}) {
    const Measurement found = Measure(SmallFlags(seed));
    EXPECT_THAT(found.voids, IsEmpty());
    for (const Slice& slice : found.slices) {
      ASSERT_TRUE(slice.baseline.has_value());
      EXPECT_GT(slice.engine.delivered.count, 50'000u);
      EXPECT_EQ(slice.engine.delivered.count, slice.baseline->delivered.count);
      EXPECT_EQ(slice.engine.delivered.checksum, slice.baseline->delivered.checksum);
    }
  }
}

TEST(CapacityMeasurement, FindsTheSameWithAndWithoutSkipping) {
  Flags flags = SmallFlags(4);
  const Measurement with = Measure(flags);
  flags.skipping = false;
  flags.baseline = false;
  const Measurement without = Measure(flags);
  ASSERT_EQ(with.slices.size(), without.slices.size());
  for (std::size_t i = 0; i < with.slices.size(); ++i) {
    EXPECT_EQ(with.slices[i].engine.delivered.checksum,
              without.slices[i].engine.delivered.checksum);
  }
  EXPECT_EQ(without.slices[0].skipped, 0u);
}

}  // namespace
}  // namespace capacity
