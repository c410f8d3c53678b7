// Random worlds (see random_world.h): privacy and order at every step (I3 to I6, I8, I9), and when
// all is quiet, the truth for every client (I10). NEARBY_RANDOM_SEEDS, NEARBY_RANDOM_FIRST_SEED and
// NEARBY_RANDOM_STEPS make the runs longer, or repeat one.

#include <cstdint>

#include "gtest/gtest.h"
#include "tests/engine/seeds.h"
#include "tests/runtime/random_world.h"

namespace nearby::test {
namespace {

TEST(RuntimeRandomTest, WhateverHappensNobodyIsToldWhatTheyMustNotKnowAndInTheEndTheTruth) {
  constexpr std::uint64_t kSeeds = 150;
  RandomWorld::Counts sum;
  const std::uint64_t ran = ForSeeds(kSeeds, [&sum](std::uint64_t seed) {
    RandomWorld world(seed);
    const std::uint64_t steps = FromEnvironment("NEARBY_RANDOM_STEPS", 500);
    for (std::uint64_t step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(step);
      world.Step();
    }
    if (!::testing::Test::HasFailure()) world.FinishAndCheck();
    if (::testing::Test::HasFailure()) ADD_FAILURE() << world.Recent();
    const RandomWorld::Counts& counts = world.counts();
    sum.answered += counts.answered;
    sum.failed += counts.failed;
    sum.replaced += counts.replaced;
    sum.edits += counts.edits;
    sum.resyncs += counts.resyncs;
    sum.deferred += counts.deferred;
    sum.locations_dropped += counts.locations_dropped;
    sum.moves += counts.moves;
  });
  if (ran < kSeeds) return;
  // A world in which nothing happened proves nothing.
  EXPECT_GT(sum.answered, 1'000u);
  EXPECT_GT(sum.failed, 100u);
  EXPECT_GT(sum.replaced, 100u);
  EXPECT_GT(sum.edits, 5'000u);
  EXPECT_GT(sum.resyncs, 100u);
  EXPECT_GT(sum.deferred, 10u);
  EXPECT_GT(sum.locations_dropped, 10u);
  EXPECT_GT(sum.moves, 1'000u);
}

// Each of these worlds has shown something wrong once.
TEST(RuntimeRandomTest, SeedsThatFoundSomething) {
  for (const std::uint64_t seed : {47749, 144448, 166390, 239789, 270631, 423963, 542847}) {
    SCOPED_TRACE(seed);
    RandomWorld world(seed);
    for (int step = 0; step < 500; ++step) world.Step();
    world.FinishAndCheck();
  }
}

}  // namespace
}  // namespace nearby::test
