#include "nearby/testing/simulated_random.h"

#include <array>
#include <cstdint>
#include <limits>
#include <set>

#include "gtest/gtest.h"

namespace nearby {
namespace {

// Computed by another implementation of xoshiro256** and SplitMix64.
TEST(SimulatedRandomTest, DrawsWhatIsSpecified) {
  SimulatedRandom random(42);
  EXPECT_EQ(random.Next(), 0x15780b2e0c2ec716u);
  EXPECT_EQ(random.Next(), 0x6104d9866d113a7eu);
  EXPECT_EQ(random.Next(), 0xae17533239e499a1u);
  EXPECT_EQ(random.Next(), 0xecb8ad4703b360a1u);
}

TEST(SimulatedRandomTest, StaysInRangeAndReachesItsEnds) {
  SimulatedRandom random(1);
  std::set<std::int64_t> drawn;
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(random.Below(1), 0u);
    const std::int64_t x = random.Between(-2, 3);
    EXPECT_GE(x, -2);
    EXPECT_LE(x, 3);
    drawn.insert(x);
    const std::uint64_t wide = (std::uint64_t{1} << 40) + 1;
    EXPECT_LT(random.Below(wide), wide);
    EXPECT_EQ(random.Draw({7, 7}), 7);
    const double fraction = random.Fraction();
    EXPECT_GE(fraction, 0);
    EXPECT_LT(fraction, 1);
  }
  EXPECT_EQ(drawn.size(), 6u);
  random.Between(std::numeric_limits<std::int64_t>::min(),
                 std::numeric_limits<std::int64_t>::max());
}

TEST(SimulatedRandomTest, IsEven) {
  SimulatedRandom random(2);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts[random.Below(10)];
  // Five standard deviations.
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 475);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += random.Chance(0.25) ? 1 : 0;
  EXPECT_NEAR(hits, 25'000, 685);
}

TEST(SimulatedRandomTest, DrawsNothingForWhatIsCertain) {
  SimulatedRandom random(3);
  SimulatedRandom same = random;
  EXPECT_FALSE(random.Chance(0));
  EXPECT_FALSE(random.Chance(-1));
  EXPECT_TRUE(random.Chance(1));
  EXPECT_EQ(random.Next(), same.Next());
}

TEST(SimulatedRandomTest, AForkIsAnotherStream) {
  SimulatedRandom random(4);
  SimulatedRandom same(4);
  SimulatedRandom fork = random.Fork();
  SimulatedRandom same_fork = same.Fork();
  EXPECT_EQ(fork.Next(), same_fork.Next());
  for (int i = 0; i < 10; ++i) fork.Next();
  EXPECT_EQ(random.Next(), same.Next()) << "what a fork draws shifts nothing";
  EXPECT_NE(random.Next(), fork.Next());
}

}  // namespace
}  // namespace nearby
