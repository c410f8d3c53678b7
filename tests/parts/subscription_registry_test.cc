#include "nearby/subscription_registry.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/parts/subscription_registry_model.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr EdgeFlags kAllFlags = static_cast<EdgeFlags>(Edge::kFlagMask);

// Neighbours and flags of a row, in ascending order.
std::vector<std::uint32_t> SortedBits(const SubscriptionRegistry& registry, Slot slot) {
  std::vector<std::uint32_t> bits;
  for (const Edge edge : registry.Row(slot)) bits.push_back(edge.bits());
  std::sort(bits.begin(), bits.end());
  return bits;
}

TEST(EdgeTest, KeepsSlotAndFlagsApart) {
  const Slot last{Edge::kMaxSlots - 1};
  Edge edge(last, kFriendSees | kIHaveRadius);
  EXPECT_EQ(edge.neighbour(), last);
  EXPECT_EQ(edge.flags(), kFriendSees | kIHaveRadius);
  EXPECT_TRUE(edge.has(kFriendSees | kIHaveRadius));
  EXPECT_FALSE(edge.has(kFriendSees | kISee));
  edge.Set(kAllFlags);
  edge.Clear(kFriendSees);
  EXPECT_EQ(edge.neighbour(), last);
  EXPECT_EQ(edge.flags(), kAllFlags & ~kFriendSees);
}

TEST(EdgeTest, MirroringTwiceGivesTheSameFlags) {
  for (std::uint32_t bits = 0; bits <= Edge::kFlagMask; ++bits) {
    const EdgeFlags flags = static_cast<EdgeFlags>(bits);
    EXPECT_EQ(Mirrored(Mirrored(flags)), flags);
  }
  EXPECT_EQ(Mirrored(kISee), kFriendSees);
  EXPECT_EQ(Mirrored(kFriendMaySee), kIMaySee);
  EXPECT_EQ(Mirrored(kIHaveRadius), kFriendHasRadius);
}

TEST(SubscriptionRegistryTest, RowsOfUnknownSlotsAreEmpty) {
  SubscriptionRegistry registry({});
  EXPECT_THAT(registry.Row(Slot{0}), IsEmpty());
  EXPECT_THAT(registry.Row(Slot{Edge::kMaxSlots - 1}), IsEmpty());
  EXPECT_THAT(registry.MutableRow(Slot{7}).edges, IsEmpty());
  EXPECT_EQ(registry.Find(Slot{0}, Slot{1}), nullptr);
  EXPECT_EQ(registry.FindMutable(Slot{0}, Slot{1}), nullptr);
  EXPECT_FALSE(registry.Unlink(Slot{0}, Slot{1}));
  registry.PrefetchHead(Slot{5});
  registry.PrefetchRow(Slot{5}, 4);
  registry.PrefetchRowEnd(Slot{5});
  registry.Trim(Slot{5});
  registry.UnlinkAll(Slot{5});
  EXPECT_EQ(registry.edge_count(), 0u);
  EXPECT_TRUE(registry.CheckInvariants().ok());
}

TEST(SubscriptionRegistryTest, LinkStandsInBothRowsMirrored) {
  SubscriptionRegistry registry({});
  ASSERT_TRUE(registry.Link(Slot{3}, Slot{9}, kIMaySee | kFriendSees).ok());
  EXPECT_THAT(SortedBits(registry, Slot{3}),
              ElementsAre(Edge(Slot{9}, kIMaySee | kFriendSees).bits()));
  EXPECT_THAT(SortedBits(registry, Slot{9}),
              ElementsAre(Edge(Slot{3}, kFriendMaySee | kISee).bits()));
  EXPECT_EQ(registry.edge_count(), 2u);
  EXPECT_EQ(registry.Find(Slot{3}, Slot{9}), &registry.Row(Slot{3})[0]);
  EXPECT_EQ(registry.FindMutable(Slot{9}, Slot{3}), &registry.MutableRow(Slot{9}).edges[0]);

  EXPECT_TRUE(registry.Unlink(Slot{9}, Slot{3}));
  EXPECT_THAT(registry.Row(Slot{3}), IsEmpty());
  EXPECT_THAT(registry.Row(Slot{9}), IsEmpty());
  EXPECT_FALSE(registry.Unlink(Slot{3}, Slot{9}));
}

TEST(SubscriptionRegistryTest, UpdateWritesBothEdges) {
  SubscriptionRegistry registry({});
  ASSERT_TRUE(registry.Link(Slot{1}, Slot{2}, kIMaySee | kFriendMaySee).ok());
  registry.Update(Slot{2}, Slot{1}, /*set=*/kISee, /*clear=*/kFriendMaySee);
  EXPECT_EQ(registry.Find(Slot{2}, Slot{1})->flags(), kIMaySee | kISee);
  EXPECT_EQ(registry.Find(Slot{1}, Slot{2})->flags(), kFriendMaySee | kFriendSees);
  registry.Update(Slot{1}, Slot{2}, /*set=*/kFriendSees, /*clear=*/kFriendSees);
  EXPECT_TRUE(registry.Find(Slot{1}, Slot{2})->has(kFriendSees)) << "clears first, then sets";
}

TEST(SubscriptionRegistryTest, RemovedEdgeIsReplacedByTheLast) {
  SubscriptionRegistry registry({});
  for (std::uint32_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(registry.Link(Slot{0}, Slot{i}, kNoEdgeFlags).ok());
  }
  ASSERT_TRUE(registry.Unlink(Slot{0}, Slot{2}));
  std::vector<std::uint32_t> order;
  for (const Edge edge : registry.Row(Slot{0})) order.push_back(ToInt(edge.neighbour()));
  EXPECT_THAT(order, ElementsAre(1, 4, 3));
}

TEST(SubscriptionRegistryTest, ATickBelongsToOneEdgeOfOneRow) {
  SubscriptionRegistry registry({});
  ASSERT_TRUE(registry.Link(Slot{1}, Slot{2}, kNoEdgeFlags, 7).ok());
  ASSERT_TRUE(registry.Link(Slot{1}, Slot{3}, kNoEdgeFlags).ok());
  EXPECT_EQ(registry.TickOf(Slot{1}, registry.Row(Slot{1})[0]), 7);
  EXPECT_EQ(registry.TickOf(Slot{2}, registry.Row(Slot{2})[0]), 7);
  EXPECT_EQ(registry.TickOf(Slot{1}, registry.Row(Slot{1})[1]), 0);
  registry.TickOf(Slot{1}, registry.MutableRow(Slot{1}).edges[0]) = 200;
  registry.MutableRow(Slot{1}).ticks[1] = 100;
  EXPECT_EQ(registry.TickOf(Slot{1}, *registry.Find(Slot{1}, Slot{2})), 200);
  EXPECT_EQ(registry.TickOf(Slot{2}, *registry.Find(Slot{2}, Slot{1})), 7);
  EXPECT_EQ(registry.TickOf(Slot{1}, *registry.Find(Slot{1}, Slot{3})), 100);
  EXPECT_EQ(registry.TickOf(Slot{3}, *registry.Find(Slot{3}, Slot{1})), 0);
  registry.Update(Slot{1}, Slot{2}, kISee, kIMaySee);
  EXPECT_EQ(registry.TickOf(Slot{1}, *registry.Find(Slot{1}, Slot{2})), 200) << "flags are apart";
}

TEST(SubscriptionRegistryTest, AnEdgeThatTakesARemovedOnesPlaceKeepsItsTick) {
  SubscriptionRegistry registry({});
  for (std::uint32_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(registry.Link(Slot{0}, Slot{i}, kNoEdgeFlags, static_cast<std::uint8_t>(i)).ok());
  }
  ASSERT_TRUE(registry.Unlink(Slot{2}, Slot{0}));
  EXPECT_THAT(SortedRow(registry, Slot{0}),
              ElementsAre(BitsAndTick(Edge(Slot{1}, kNoEdgeFlags).bits(), 1),
                          BitsAndTick(Edge(Slot{3}, kNoEdgeFlags).bits(), 3),
                          BitsAndTick(Edge(Slot{4}, kNoEdgeFlags).bits(), 4)));
}

// Through all sizes of blocks, and with a second row that lies in the last block of each size and
// is moved into the place that the first one leaves.
TEST(SubscriptionRegistryTest, TicksMoveWithTheirRows) {
  constexpr std::uint32_t kLength = 300;
  SubscriptionRegistry registry({});
  Model model(kLength);
  const auto tick = [](std::uint32_t row, std::uint32_t i) {
    return static_cast<std::uint8_t>(row * 101 + i * 7);
  };
  for (std::uint32_t i = 2; i < 2 + kLength; ++i) {
    for (const std::uint32_t row : {0u, 1u}) {
      ASSERT_TRUE(registry.Link(Slot{row}, Slot{i}, kIMaySee, tick(row, i)).ok());
      ASSERT_TRUE(model.Link(Slot{row}, Slot{i}, kIMaySee, tick(row, i)));
      ASSERT_EQ(SortedRow(registry, Slot{row}), model.SortedRow(Slot{row}));
    }
  }
  for (std::uint32_t i = 2 + kLength; i-- > 2;) {
    for (const std::uint32_t row : {0u, 1u}) {
      ASSERT_TRUE(registry.Unlink(Slot{row}, Slot{i}));
      ASSERT_TRUE(model.Unlink(Slot{row}, Slot{i}));
      ASSERT_EQ(SortedRow(registry, Slot{0}), model.SortedRow(Slot{0}));
      ASSERT_EQ(SortedRow(registry, Slot{1}), model.SortedRow(Slot{1}));
    }
  }
}

TEST(SubscriptionRegistryTest, FullRowOnEitherSideRefusesAndChangesNothing) {
  SubscriptionRegistry registry(WithMaxRow(2));
  ASSERT_TRUE(registry.Link(Slot{0}, Slot{1}, kNoEdgeFlags).ok());
  ASSERT_TRUE(registry.Link(Slot{0}, Slot{2}, kNoEdgeFlags).ok());
  for (const auto& [a, b] : {std::pair(Slot{0}, Slot{3}), std::pair(Slot{3}, Slot{0})}) {
    const absl::Status status = registry.Link(a, b, kNoEdgeFlags);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("row of slot 0 is full: 2 edges"));
    EXPECT_EQ(registry.edge_count(), 4u);
    EXPECT_THAT(registry.Row(Slot{3}), IsEmpty());
  }
  ASSERT_TRUE(registry.Unlink(Slot{0}, Slot{1}));
  EXPECT_TRUE(registry.Link(Slot{3}, Slot{0}, kNoEdgeFlags).ok());
}

TEST(SubscriptionRegistryTest, RowsAreNeverLongerThanTheirLengthCanBeCounted) {
  constexpr std::uint32_t kLongest = 65'535;
  SubscriptionRegistry registry(WithMaxRow(1'000'000));
  for (std::uint32_t i = 1; i <= kLongest; ++i) {
    ASSERT_TRUE(registry.Link(Slot{i}, Slot{0}, kIMaySee).ok());
  }
  EXPECT_EQ(registry.Row(Slot{0}).size(), kLongest);
  EXPECT_EQ(registry.Link(Slot{kLongest + 1}, Slot{0}, kIMaySee).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
}

TEST(SubscriptionRegistryTest, CheckInvariantsFindsWhatIsWrong) {
  const Slot a{0}, b{1}, c{2};
  struct Case {
    std::size_t index;
    Edge edge;
    const char* message;
  };
  const Case cases[] = {
      {0, Edge(b, kISee), "the edges of slots 0 and 1 disagree"},
      {0, Edge(a, kIMaySee), "slot 0 is in its own row"},
      {0, Edge(c, kIMaySee), "slot 2 is twice in the row of slot 0"},
      {0, Edge(Slot{3}, kIMaySee), "slot 3 is in the row of slot 0, but not the other way round"},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.message);
    SubscriptionRegistry registry({});
    ASSERT_TRUE(registry.Link(a, b, kIMaySee).ok());
    ASSERT_TRUE(registry.Link(a, c, kIMaySee).ok());
    ASSERT_TRUE(registry.CheckInvariants().ok());
    registry.MutableRow(a).edges[wrong.index] = wrong.edge;
    const absl::Status status = registry.CheckInvariants();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr(wrong.message));
  }
}

TEST(SubscriptionRegistryTest, ARowThatIsToldItsLengthMovesOnce) {
  for (const std::uint32_t length : {1u, 5u, 6u, 40u, 300u, 5'000u}) {
    SCOPED_TRACE(length);
    SubscriptionRegistry registry({});
    ASSERT_TRUE(registry.Link(Slot{0}, Slot{1}, kIMaySee, 1, length).ok());
    const Edge* const first = registry.Row(Slot{0}).data();
    for (std::uint32_t i = 2; i <= length; ++i) {
      ASSERT_TRUE(registry.Link(Slot{0}, Slot{i}, kIMaySee, 1, length).ok());
    }
    EXPECT_EQ(registry.Row(Slot{0}).data(), first);
    registry.Trim(Slot{0});
    EXPECT_EQ(registry.Row(Slot{0}).data(), first);
    EXPECT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
  }
}

TEST(SubscriptionRegistryTest, TrimTakesBackWhatIsNotNeeded) {
  SubscriptionRegistry registry({});
  // More than a row may have.
  ASSERT_TRUE(registry.Link(Slot{0}, Slot{1}, kIMaySee, 7, ~std::uint32_t{0}).ok());
  ASSERT_TRUE(registry.Link(Slot{0}, Slot{2}, kISee, 8).ok());
  EXPECT_FALSE(registry.CheckInvariants().ok());
  registry.Trim(Slot{0});
  EXPECT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
  EXPECT_THAT(SortedRow(registry, Slot{0}),
              ElementsAre(BitsAndTick(Edge(Slot{1}, kIMaySee).bits(), 7),
                          BitsAndTick(Edge(Slot{2}, kISee).bits(), 8)));
}

TEST(SubscriptionRegistryTest, WhalesOfFiveThousandGrowAndShrink) {
  constexpr std::uint32_t kLength = 5'000;
  const Slot whales[] = {Slot{0}, Slot{1}};
  SubscriptionRegistry registry(WithMaxRow(kLength));
  Model model(kLength);
  std::mt19937_64 random(7);
  std::vector<Slot> others;
  for (std::uint32_t i = 2; i < 2 + kLength; ++i) others.push_back(Slot{i});
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    std::shuffle(others.begin(), others.end(), random);
    for (const Slot other : others) {
      for (const Slot whale : whales) {
        const auto tick = static_cast<std::uint8_t>(random());
        ASSERT_TRUE(model.Link(whale, other, kIMaySee, tick));
        ASSERT_TRUE(registry.Link(whale, other, kIMaySee, tick).ok());
      }
    }
    ExpectAgreement(registry, model, 2 + kLength);
    for (const Slot whale : whales) {
      EXPECT_EQ(registry.Link(whale, Slot{2 + kLength}, kIMaySee).code(),
                absl::StatusCode::kResourceExhausted);
    }
    std::shuffle(others.begin(), others.end(), random);
    for (std::size_t i = 0; i < others.size(); ++i) {
      for (const Slot whale : whales) {
        ASSERT_TRUE(model.Unlink(whale, others[i]));
        ASSERT_TRUE(registry.Unlink(others[i], whale));
      }
      if (i == kLength / 2) ExpectAgreement(registry, model, 2 + kLength);
    }
    EXPECT_EQ(registry.edge_count(), 0u);
  }
}

TEST(SubscriptionRegistryTest, MemoryFollowsTheEdges) {
  // All rows grow at the same time, edge by edge, which would leave most of a pool with free lists
  // to blocks that nobody needs any more.
  constexpr std::uint32_t kUsers = 100'000;
  constexpr std::size_t kPairs = kUsers * std::size_t{40} / 2;
  SubscriptionRegistry::Options options;
  options.expected_entities = kUsers;
  SubscriptionRegistry registry(options);
  std::mt19937_64 random(11);
  std::vector<std::pair<Slot, Slot>> pairs;
  while (pairs.size() < kPairs) {
    const Slot a{static_cast<std::uint32_t>(random() % kUsers)};
    const Slot b{static_cast<std::uint32_t>(random() % kUsers)};
    if (a == b || registry.Find(a, b) != nullptr) continue;
    ASSERT_TRUE(registry.Link(a, b, kIMaySee | kFriendMaySee).ok());
    pairs.emplace_back(a, b);
  }
  ASSERT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
  // Apart from the chunks that the classes have not filled yet: of the classes up to the longest
  // rows, some 80 edges, and of those that they have passed, a chunk each.
  constexpr double kOpenChunks = 16 * 2'097'152.0;
  const auto bytes_per_edge = [&registry] {
    return (static_cast<double>(registry.row_bytes()) - kOpenChunks) /
           static_cast<double>(registry.edge_count());
  };
  EXPECT_LT(bytes_per_edge(), 6);

  // At half the edges, blocks are less full, and headers and open chunks weigh twice as much.
  std::shuffle(pairs.begin(), pairs.end(), random);
  for (std::size_t i = 0; i < kPairs / 2; ++i) registry.Unlink(pairs[i].first, pairs[i].second);
  ASSERT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
  EXPECT_LT(bytes_per_edge(), 9);

  for (std::size_t i = kPairs / 2; i < kPairs; ++i) {
    registry.Unlink(pairs[i].first, pairs[i].second);
  }
  EXPECT_EQ(registry.edge_count(), 0u);
  // The lines of the slots and two spare chunks, with what lists the chunks there were.
  EXPECT_LT(registry.row_bytes(), kUsers * std::size_t{64} + (std::size_t{4} << 20) + 10'000);
}

}  // namespace
}  // namespace nearby::test
