#include "src/parts/user_hash.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include "gtest/gtest.h"

namespace nearby {
namespace {

// Whatever the secret of this process, every part of the hash that a table uses spreads ids of any
// pattern: of 64 a bin on average, none has half as many again as chance could give in years.
TEST(UserHashTest, SpreadsIdsOfEveryPattern) {
  constexpr std::size_t kIds = 1 << 18;
  constexpr std::size_t kBins = 1 << 12;
  const std::function<std::uint64_t(std::uint64_t)> patterns[] = {
      [](std::uint64_t i) { return i; },
      [](std::uint64_t i) { return ~i; },
      [](std::uint64_t i) { return i << 24; },
      [](std::uint64_t i) { return i << 46; },
      [](std::uint64_t i) { return i * 1'000'000'007; },
      // Products with absl's multiplier that differ in their low bits alone.
      [](std::uint64_t i) {
        constexpr std::uint64_t kAbslMultiplier = 0xDCB22CA68CB134ED;
        std::uint64_t inverse = kAbslMultiplier;
        for (int k = 0; k < 6; ++k) inverse *= 2 - kAbslMultiplier * inverse;
        return i * inverse;
      },
  };
  const UserHash hash;
  for (std::size_t p = 0; p < std::size(patterns); ++p) {
    for (const int shift : {0, 8, 26, 52}) {
      SCOPED_TRACE(::testing::Message() << "pattern " << p << ", bits from " << shift);
      std::vector<int> bins(kBins);
      for (std::uint64_t i = 0; i < kIds; ++i) {
        ++bins[hash(UserId{patterns[p](i)}) >> shift & (kBins - 1)];
      }
      EXPECT_LT(*std::max_element(bins.begin(), bins.end()), 144);
      EXPECT_GT(*std::min_element(bins.begin(), bins.end()), 10);
    }
  }
}

TEST(UserHashTest, NeighboursDiffer) {
  const UserHash hash;
  std::unordered_set<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    hashes.insert(hash(UserId{i}));
    hashes.insert(hash(UserId{~i}));
  }
  EXPECT_EQ(hashes.size(), 200'000u);
}

TEST(UserHashTest, IsTheSameWithinAProcess) {
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}}) {
    EXPECT_EQ(UserHash()(UserId{id}), UserHash()(UserId{id}));
  }
}

}  // namespace
}  // namespace nearby
