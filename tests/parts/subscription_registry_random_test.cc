// Random operations on a registry against its model.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/subscription_registry.h"
#include "tests/parts/subscription_registry_model.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;

class RandomRows {
 public:
  RandomRows(std::uint64_t seed, std::uint32_t slot_count, std::uint32_t max_row)
      : random_(seed), slot_count_(slot_count), registry_(WithMaxRow(max_row)), model_(max_row) {}

  // One operation; `link_percent` of those on pairs that are not linked link them.
  void Step(unsigned link_percent) {
    const Slot a = AnySlot();
    const Slot b = AnySlot();
    if (a == b) return;
    if (Percent(1)) return DropSlot(a);
    if (!model_.Linked(a, b)) {
      ASSERT_EQ(registry_.Find(a, b), nullptr);
      if (Percent(link_percent)) return Link(a, b);
      ASSERT_FALSE(registry_.Unlink(a, b));
    } else if (Percent(100 - link_percent)) {
      ASSERT_TRUE(registry_.Unlink(a, b));
      model_.Unlink(a, b);
    } else if (Percent(50)) {
      Change(a, b);
    } else {
      ChangeTicks(a, b);
    }
  }

  void ExpectAgreement() const { test::ExpectAgreement(registry_, model_, slot_count_); }
  std::size_t refused() const { return refused_; }

 private:
  bool Percent(unsigned percent) { return random_() % 100 < percent; }

  // A few slots are far more popular than the others, so that long rows meet short ones.
  Slot AnySlot() {
    const std::uint32_t bound = Percent(25) ? 3u : slot_count_;
    return Slot{static_cast<std::uint32_t>(random_() % bound)};
  }
  EdgeFlags AnyFlags() { return static_cast<EdgeFlags>(random_() & Edge::kFlagMask); }

  std::uint8_t AnyTick() { return static_cast<std::uint8_t>(random_()); }

  void Link(Slot a, Slot b) {
    const EdgeFlags flags = AnyFlags();
    const std::uint8_t tick = AnyTick();
    const bool room = model_.Link(a, b, flags, tick);
    // Room for more, less or none, which is then taken back.
    const auto row_to_be = static_cast<std::uint32_t>(Percent(20) ? random_() % 100 : 0);
    ASSERT_EQ(registry_.Link(a, b, flags, tick, row_to_be).ok(), room);
    if (row_to_be > 0) registry_.Trim(a);
    if (!room) ++refused_;
  }

  // By each of the ways there are; the other row keeps its own.
  void ChangeTicks(Slot a, Slot b) {
    if (Percent(20)) {
      const RowView row = registry_.MutableRow(a);
      for (std::size_t i = 0; i < row.edges.size(); ++i) {
        row.ticks[i] = AnyTick();
        model_.SetTick(a, row.edges[i].neighbour(), row.ticks[i]);
      }
      return;
    }
    const std::uint8_t tick = AnyTick();
    if (Percent(50)) {
      registry_.TickOf(a, *registry_.FindMutable(a, b)) = tick;
      model_.SetTick(a, b, tick);
    } else {
      registry_.TickOf(b, registry_.MirrorOf(a, *registry_.Find(a, b))) = tick;
      model_.SetTick(b, a, tick);
    }
  }

  void Change(Slot a, Slot b) {
    const EdgeFlags held = *model_.Flags(a, b);
    ASSERT_EQ(registry_.Find(a, b)->flags(), held);
    const EdgeFlags set = AnyFlags();
    const EdgeFlags clear = AnyFlags();
    const EdgeFlags wanted = static_cast<EdgeFlags>((held & ~clear) | set);
    if (Percent(50)) {
      registry_.Update(a, b, set, clear);
    } else {
      *registry_.FindMutable(a, b) = Edge(b, wanted);
      *registry_.FindMutable(b, a) = Edge(a, Mirrored(wanted));
    }
    model_.Write(a, b, wanted);
  }

  // As when an entity leaves and its slot is given to another.
  void DropSlot(Slot slot) {
    if (Percent(50)) {
      for (const Slot neighbour : model_.Neighbours(slot)) model_.Unlink(slot, neighbour);
      registry_.UnlinkAll(slot);
      ASSERT_THAT(registry_.Row(slot), IsEmpty());
      return;
    }
    while (!registry_.Row(slot).empty()) {
      const Slot neighbour = registry_.Row(slot).back().neighbour();
      ASSERT_TRUE(registry_.Unlink(slot, neighbour));
      ASSERT_TRUE(model_.Unlink(slot, neighbour));
    }
    ASSERT_EQ(model_.row_size(slot), 0u);
  }

  std::mt19937_64 random_;
  std::uint32_t slot_count_;
  SubscriptionRegistry registry_;
  Model model_;
  std::size_t refused_ = 0;
};

TEST(SubscriptionRegistryRandomTest, RandomOperationsAgreeWithTheModel) {
  struct Size {
    std::uint32_t slot_count;
    std::uint32_t max_row;
  };
  for (const Size size : {Size{6, 4}, Size{60, 40}, Size{400, 5000}, Size{400, 150}}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(
          absl::StrCat("slots ", size.slot_count, ", max_row ", size.max_row, ", seed ", seed));
      RandomRows rows(seed, size.slot_count, size.max_row);
      for (int step = 0; step < 20'000; ++step) {
        // Rows fill for a while, then empty.
        rows.Step(step / 5'000 % 2 == 0 ? 90 : 15);
        if (step % 1'000 == 0) rows.ExpectAgreement();
        if (::testing::Test::HasFatalFailure()) return;
      }
      rows.ExpectAgreement();
      if (size.max_row < 50) {
        EXPECT_GT(rows.refused(), 0u);
      }
    }
  }
}

}  // namespace
}  // namespace nearby::test
