#include "src/parts/slot_pools.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"
#include "nearby/ids.h"

namespace nearby::internal {
namespace {

TEST(SlotPoolsTest, OnePoolAloneAscendsWithoutGaps) {
  SlotPools pools(100'000);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    ASSERT_EQ(pools.Take(0), Slot{i});
    ASSERT_EQ(pools.taken(), i + 1);
  }
  EXPECT_EQ(pools.Take(0), kNoSlot);
  EXPECT_EQ(pools.Take(1), kNoSlot);
  EXPECT_EQ(pools.taken(), 100'000u);
}

TEST(SlotPoolsTest, PoolsShareNoLargePage) {
  constexpr std::uint32_t kSlots = 1'000'000;
  constexpr std::uint32_t kSlotsPerPage = 32'768;
  SlotPools pools(2 * kSlots);
  std::vector<std::set<std::size_t>> pages(2 * kSlots / kSlotsPerPage + 1);
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    const std::size_t pool = i % 3 == 0 ? 1 : 0;
    pages[ToInt(pools.Take(pool)) / kSlotsPerPage].insert(pool);
  }
  // Until there are eight pages, stretches are shorter.
  for (std::size_t page = 9; page < pages.size(); ++page) EXPECT_LE(pages[page].size(), 1u) << page;
  std::size_t used = 0;
  for (const std::set<std::size_t>& some : pages) used += some.empty() ? 0 : 1;
  EXPECT_LE(used, kSlots / kSlotsPerPage + 3);
}

TEST(SlotPoolsTest, EachSlotIsGivenOnce) {
  for (const std::size_t max : {1, 63, 64, 65, 128, 1000, 40'000}) {
    SlotPools pools(max);
    std::set<Slot> given;
    for (std::size_t i = 0; i < max; ++i) {
      const Slot slot = pools.Take(i % 7 == 0 ? 1 : 0);
      ASSERT_NE(slot, kNoSlot) << i << " of " << max;
      ASSERT_LT(ToInt(slot), max);
      ASSERT_TRUE(given.insert(slot).second);
    }
    EXPECT_EQ(pools.Take(0), kNoSlot);
    EXPECT_EQ(pools.Take(1), kNoSlot);
  }
}

TEST(SlotPoolsTest, GivenBackComeFirstLatestFirstInTheirPool) {
  SlotPools pools(1000);
  const Slot a = pools.Take(0);
  const Slot b = pools.Take(0);
  const Slot c = pools.Take(1);
  pools.GiveBack(a, 0);
  pools.GiveBack(c, 1);
  pools.GiveBack(b, 0);
  EXPECT_EQ(pools.taken(), 0u);
  EXPECT_EQ(pools.Take(0), b);
  EXPECT_EQ(pools.Take(0), a);
  EXPECT_EQ(pools.Take(1), c);
  EXPECT_EQ(pools.Take(0), Slot{2});
}

TEST(SlotPoolsTest, WhereNothingIsLeftOnePoolTakesOfTheOther) {
  SlotPools pools(2);
  const Slot a = pools.Take(0);
  EXPECT_EQ(pools.Take(1), Slot{1});  // All were reserved for the first.
  EXPECT_EQ(pools.Take(1), kNoSlot);
  pools.GiveBack(a, 0);
  EXPECT_EQ(pools.Take(1), a);
}

}  // namespace
}  // namespace nearby::internal
