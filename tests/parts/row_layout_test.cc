#include "src/parts/row_layout.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "src/parts/due_ticks.h"

namespace nearby {
namespace {

constexpr std::size_t kClasses = RowLayout::kClassGranules.size();

TEST(RowLayoutTest, TicksEdgesAndOwnerLieApartInTheBlock) {
  for (std::size_t c = 0; c < kClasses; ++c) {
    SCOPED_TRACE(c);
    const std::size_t capacity = RowLayout::Capacity(c);
    ASSERT_GE(capacity, 1u);
    EXPECT_GE(RowLayout::EdgesAt(c), capacity) << "a tick for each edge comes first";
    EXPECT_EQ(RowLayout::EdgesAt(c) % alignof(Edge), 0u);
    EXPECT_LE(RowLayout::EdgesAt(c) + capacity * sizeof(Edge), RowLayout::OwnerAt(c));
    EXPECT_EQ(RowLayout::OwnerAt(c) % alignof(Slot), 0u);
    EXPECT_EQ(RowLayout::OwnerAt(c) + sizeof(Slot), RowLayout::BlockBytes(c));
  }
}

TEST(RowLayoutTest, NoEdgeMoreWouldFit) {
  for (std::size_t c = 0; c < kClasses; ++c) {
    const std::size_t more = RowLayout::Capacity(c) + std::size_t{1};
    if (more > 65'535) continue;  // A row's length has 16 bits.
    EXPECT_GT((more + 3) / 4 * 4 + more * sizeof(Edge), RowLayout::OwnerAt(c)) << c;
  }
}

TEST(RowLayoutTest, TicksMayBeReadByTheWholeBlocksThatSelectReads) {
  for (std::size_t c = 0; c < kClasses; ++c) {
    const std::size_t blocks = (RowLayout::Capacity(c) + DueTicks::kBlock - 1) / DueTicks::kBlock;
    EXPECT_LE(blocks * DueTicks::kBlock, RowLayout::BlockBytes(c)) << c;
  }
}

TEST(RowLayoutTest, ClassesAscend) {
  for (std::size_t c = 1; c < kClasses; ++c) {
    EXPECT_GT(RowLayout::BlockBytes(c), RowLayout::BlockBytes(c - 1));
    EXPECT_GT(RowLayout::Capacity(c), RowLayout::Capacity(c - 1));
    EXPECT_LE(RowLayout::BlockBytes(c) * 2, RowLayout::BlockBytes(c - 1) * 4)
        << "at most twice the one before";
  }
}

}  // namespace
}  // namespace nearby
