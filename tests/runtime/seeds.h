#ifndef NEARBY_TESTS_RUNTIME_SEEDS_H_
#define NEARBY_TESTS_RUNTIME_SEEDS_H_

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

/// Runs a random test for so many seeds, and says which one failed. NEARBY_RANDOM_SEEDS and
/// NEARBY_RANDOM_FIRST_SEED make the runs longer, or repeat one.
template <typename Run>
void ForSeeds(std::uint64_t seeds, Run run) {
  const std::uint64_t first = FromEnvironment("NEARBY_RANDOM_FIRST_SEED", 1);
  seeds = FromEnvironment("NEARBY_RANDOM_SEEDS", seeds);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("NEARBY_RANDOM_FIRST_SEED=", seed));
    run(seed);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_SEEDS_H_
