#include "benchmarks/capacity/permutation.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace capacity {
namespace {

TEST(CapacityPermutation, NamesEachNumberOnce) {
  for (const std::uint32_t size : {1u, 2u, 3u, 4u, 5u, 1'000u, 65'536u, 65'537u}) {
    const Permutation permutation(size, 11);
    std::vector<bool> seen(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t number = permutation(i);
      ASSERT_LT(number, size);
      EXPECT_FALSE(seen[number]) << number << " of " << size;
      seen[number] = true;
    }
  }
}

TEST(CapacityPermutation, DependsOnTheSeed) {
  const Permutation a(1'000, 1);
  const Permutation b(1'000, 2);
  int same = 0;
  for (std::uint32_t i = 0; i < 1'000; ++i) same += a(i) == b(i) ? 1 : 0;
  EXPECT_LT(same, 20);
}

}  // namespace
}  // namespace capacity
