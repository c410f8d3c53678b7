#include "src/engine/groups.h"

#include <algorithm>

#include "src/base/prefetch.h"

namespace nearby {

void Engine::Impl::PrefetchRow(Slot slot) const {
  if (options_.skip_far_pairs) {
    rows_.PrefetchBlock(slot, kRowLines);
  } else {
    rows_.PrefetchEdges(slot, kRowLines);
  }
  if (!MayKnowRemotes() || !lines_.Has(slot)) return;
  // Of whom every listener has parked, unless that is over, nobody will be told.
  const Entity& e = entity(slot);
  const bool is_parked = e.is_all_parked && ParkTicks::MsUntil(e.parked_until, now_) > 0;
  if (e.is_heard && !is_parked) internal::Prefetch(&listeners_[ToInt(slot)]);
}

void Engine::Impl::PrefetchNeighbours(Slot slot) {
  const RowView row = rows_.Row(slot);
  const Edge* const edges = row.edges.data();
  const std::size_t size = row.edges.size();
  if (!options_.skip_far_pairs) {
    const std::size_t count = std::min(size, kMaxPrefetched);
    for (std::size_t i = 0; i < count; ++i) lines_.Prefetch(edges[i].neighbour());
    found_due_.back() = Range{0, count};
    return;
  }
  const std::size_t begin = due_numbers_used_;
  if (due_numbers_.size() < begin + size) due_numbers_.resize(2 * (begin + size));
  std::uint32_t* const numbers = due_numbers_.data() + begin;
  const std::size_t due = DueTicks::Select(row.ticks, size, now_tick_, numbers);
  for (std::size_t i = 0; i < std::min(due, kMaxPrefetched); ++i) {
    lines_.Prefetch(edges[numbers[i]].neighbour());
  }
  due_numbers_used_ += due;
  found_due_.back() = Range{begin, due_numbers_used_};
}

}  // namespace nearby
