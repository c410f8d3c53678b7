#ifndef NEARBY_TESTS_PARTS_SUBSCRIPTION_REGISTRY_MODEL_H_
#define NEARBY_TESTS_PARTS_SUBSCRIPTION_REGISTRY_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nearby/subscription_registry.h"

namespace nearby::test {

inline SubscriptionRegistry::Options WithMaxRow(std::uint32_t max_row) {
  SubscriptionRegistry::Options options;
  options.max_row = max_row;
  return options;
}

// An edge's neighbour and flags, and its tick.
using BitsAndTick = std::pair<std::uint32_t, int>;

inline std::vector<BitsAndTick> SortedRow(const SubscriptionRegistry& registry, Slot slot) {
  std::vector<BitsAndTick> row;
  for (const Edge& edge : registry.Row(slot)) {
    row.emplace_back(edge.bits(), registry.TickOf(slot, edge));
  }
  std::sort(row.begin(), row.end());
  return row;
}

// The oracle: every directed edge in a map, nothing shared with the registry but the flags'
// meaning.
class Model {
 public:
  explicit Model(std::size_t max_row) : max_row_(max_row) {}

  bool Linked(Slot a, Slot b) const { return Flags(a, b).has_value(); }

  std::optional<EdgeFlags> Flags(Slot a, Slot b) const {
    const auto row = rows_.find(a);
    if (row == rows_.end()) return std::nullopt;
    const auto edge = row->second.find(b);
    if (edge == row->second.end()) return std::nullopt;
    return edge->second.flags;
  }

  bool Link(Slot a, Slot b, EdgeFlags flags, std::uint8_t tick) {
    if (rows_[a].size() >= max_row_ || rows_[b].size() >= max_row_) return false;
    Write(a, b, flags);
    SetTick(a, b, tick);
    SetTick(b, a, tick);
    return true;
  }

  bool Unlink(Slot a, Slot b) {
    rows_[b].erase(a);
    return rows_[a].erase(b) > 0;
  }

  void Write(Slot a, Slot b, EdgeFlags flags) {
    rows_[a][b].flags = flags;
    rows_[b][a].flags = FlagByFlag(flags);
  }

  // In a's row alone.
  void SetTick(Slot a, Slot b, std::uint8_t tick) { rows_[a][b].tick = tick; }

  std::vector<BitsAndTick> SortedRow(Slot slot) const {
    std::vector<BitsAndTick> sorted;
    const auto row = rows_.find(slot);
    if (row == rows_.end()) return sorted;
    for (const auto& [neighbour, held] : row->second) {
      sorted.emplace_back(Edge(neighbour, held.flags).bits(), held.tick);
    }
    return sorted;
  }

  std::vector<Slot> Neighbours(Slot slot) const {
    std::vector<Slot> neighbours;
    const auto row = rows_.find(slot);
    if (row == rows_.end()) return neighbours;
    for (const auto& [neighbour, held] : row->second) neighbours.push_back(neighbour);
    return neighbours;
  }

  std::size_t row_size(Slot slot) const { return Neighbours(slot).size(); }

  std::size_t edge_count() const {
    std::size_t count = 0;
    for (const auto& [slot, row] : rows_) count += row.size();
    return count;
  }

 private:
  struct Held {
    EdgeFlags flags = kNoEdgeFlags;
    std::uint8_t tick = 0;
  };

  // `Mirrored`, spelled out.
  static EdgeFlags FlagByFlag(EdgeFlags flags) {
    static constexpr std::pair<EdgeFlags, EdgeFlags> kPairs[] = {
        {kFriendSees, kISee}, {kFriendMaySee, kIMaySee}, {kFriendHasRadius, kIHaveRadius}};
    EdgeFlags mirrored = kNoEdgeFlags;
    for (const auto& [theirs, mine] : kPairs) {
      if ((flags & theirs) != 0) mirrored = mirrored | mine;
      if ((flags & mine) != 0) mirrored = mirrored | theirs;
    }
    return mirrored;
  }

  std::size_t max_row_;
  std::map<Slot, std::map<Slot, Held>> rows_;
};

inline void ExpectAgreement(const SubscriptionRegistry& registry, const Model& model,
                            std::uint32_t slot_count) {
  ASSERT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
  ASSERT_EQ(registry.edge_count(), model.edge_count());
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    ASSERT_EQ(SortedRow(registry, Slot{i}), model.SortedRow(Slot{i})) << "slot " << i;
  }
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_PARTS_SUBSCRIPTION_REGISTRY_MODEL_H_
