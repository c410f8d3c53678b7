#include "src/parts/slot_chunks.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace nearby {
namespace {

TEST(SlotChunksTest, ChainsAreFollowedByTheirNumbers) {
  SlotChunks chunks;
  const std::uint32_t last = chunks.Take(SlotChunks::kNone);
  const std::uint32_t first = chunks.Take(last);
  EXPECT_EQ(chunks[first].next, last);
  EXPECT_EQ(chunks[last].next, SlotChunks::kNone);
  EXPECT_EQ(chunks.in_use(), 2u);
}

TEST(SlotChunksTest, WhatWasReturnedIsGivenOutAgainLatestFirst) {
  SlotChunks chunks;
  std::vector<std::uint32_t> taken(100);
  for (std::uint32_t& chunk : taken) chunk = chunks.Take(SlotChunks::kNone);
  const std::size_t bytes = chunks.allocated_bytes();
  for (int round = 0; round < 100; ++round) {
    for (const std::uint32_t chunk : taken) chunks.Return(chunk);
    EXPECT_EQ(chunks.in_use(), 0u);
    for (auto it = taken.rbegin(); it != taken.rend(); ++it) {
      ASSERT_EQ(chunks.Take(SlotChunks::kNone), *it);
    }
  }
  EXPECT_EQ(chunks.allocated_bytes(), bytes);
}

TEST(SlotChunksTest, SlotsStayWhileThePoolGrows) {
  SlotChunks chunks;
  std::uint32_t chain = SlotChunks::kNone;
  constexpr std::uint32_t kChunks = 100'000;
  for (std::uint32_t i = 0; i < kChunks; ++i) {
    chain = chunks.Take(chain);
    for (std::uint32_t& slot : chunks[chain].slots) slot = i;
  }
  for (std::uint32_t i = kChunks; i-- > 0; chain = chunks[chain].next) {
    ASSERT_NE(chain, SlotChunks::kNone);
    for (const std::uint32_t slot : chunks[chain].slots) ASSERT_EQ(slot, i);
  }
  EXPECT_EQ(chain, SlotChunks::kNone);
}

}  // namespace
}  // namespace nearby
