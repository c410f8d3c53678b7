// Everything at once, on many threads (see churn.h). NEARBY_CHURN_CALLS is how often each host
// thread calls; NEARBY_RANDOM_SEEDS and NEARBY_RANDOM_FIRST_SEED are as elsewhere, though with
// threads a seed repeats the calls and not the interleaving.

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/engine/seeds.h"
#include "tests/runtime/churn.h"

namespace nearby::test {
namespace {

class RuntimeChurnTest : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeChurnTest, ::testing::Values(1, 2, 3, 4));

TEST_P(RuntimeChurnTest, WhatWasPromisedHoldsThroughoutAndInTheEndEachClientKnowsTheTruth) {
  Churn::Counts enough;
  enough.answered = 20;
  enough.batches = 40;
  enough.promises = 5;
  ForSeeds(6, [&](std::uint64_t seed) {
    Churn::Options options;
    options.seed = seed;
    options.shards = GetParam();
    options.calls = FromEnvironment("NEARBY_CHURN_CALLS", 1'500);
    Churn churn(options);
    churn.Run(enough);
    churn.FinishAndCheck();
    const Churn::Counts counts = churn.counts();
    EXPECT_GE(counts.answered, enough.answered);
    EXPECT_GE(counts.batches, enough.batches);
    EXPECT_GE(counts.promises, enough.promises);
  });
}

}  // namespace
}  // namespace nearby::test
