#ifndef NEARBY_TESTS_ENGINE_SEEDS_H_
#define NEARBY_TESTS_ENGINE_SEEDS_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace nearby::test {

inline std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  std::uint64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

/// How many seeds a random test runs where it wants so many. A sanitizer's build takes ten times as
/// long for each and looks for what any of them may show: its preset sets NEARBY_RANDOM_DIVISOR.
/// NEARBY_RANDOM_SEEDS, if set, is the number whatever they say.
inline std::uint64_t Seeds(std::uint64_t wanted) {
  const std::uint64_t divisor =
      std::max<std::uint64_t>(FromEnvironment("NEARBY_RANDOM_DIVISOR", 1), 1);
  return FromEnvironment("NEARBY_RANDOM_SEEDS", std::max<std::uint64_t>(wanted / divisor, 1));
}

/// Runs a random test for `Seeds(wanted)` seeds until one fails, and says which.
/// NEARBY_RANDOM_FIRST_SEED repeats one. Returns how many it ran.
template <typename Run>
std::uint64_t ForSeeds(std::uint64_t wanted, Run run) {
  const std::uint64_t first = FromEnvironment("NEARBY_RANDOM_FIRST_SEED", 1);
  const std::uint64_t seeds = Seeds(wanted);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("NEARBY_RANDOM_FIRST_SEED=", seed));
    run(seed);
    if (::testing::Test::HasFailure()) return seed - first;
  }
  return seeds;
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_SEEDS_H_
