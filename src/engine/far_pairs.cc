#include <algorithm>

#include "src/engine/engine_impl.h"

namespace nearby {

LocationCache::Motion Engine::Impl::Relocate(Slot slot, const LocationCache::Record& record,
                                             Effects* effects) {
  const bool was_active = cache_.is_active(slot);
  const Time before = was_active ? cache_.accepted_at(slot) : kNever;
  const LocationCache::Motion motion = cache_.Write(slot, record);
  if (!options_.skip_far_pairs) return motion;
  if (motion == LocationCache::Motion::kUnbounded) {
    if (was_active) ++stats_.bound_breaks;
    MakeRowDue(slot);
    MakeDueForOthers(slot, effects);
  } else if (now_.ms - before.ms > DueTicks::kSafeMs) {
    // Nobody has looked at this row for so long that its ticks may have come round.
    MakeRowDue(slot);
  }
  return motion;
}

void Engine::Impl::MakeRowDue(Slot slot) {
  TicksVoided();
  const RowView row = rows_.Row(slot);
  std::fill_n(row.ticks, row.edges.size(), now_tick_);
}

void Engine::Impl::MakeDueForOthers(Slot slot, Effects* effects) {
  TicksVoided();
  // Those in sight are due as it is; whoever is inactive will look at everybody on their return.
  const auto has_a_say = [this](Edge edge) {
    return (edge.flags() & (kISee | kFriendSees)) == 0 && cache_.is_active(edge.neighbour());
  };
  const absl::Span<const Edge> row = registry_.Row(slot);
  for (const Edge edge : row) lines_.Prefetch(edge.neighbour());
  for (const Edge edge : row) {
    if (has_a_say(edge)) rows_.PrefetchBlock(edge.neighbour(), kRowLines);
  }
  for (const Edge edge : row) {
    if (!has_a_say(edge)) continue;
    if (IsParked(edge.neighbour())) {
      Reconsider(slot, edge, effects);
      continue;
    }
    registry_.TickOf(edge.neighbour(), registry_.MirrorOf(slot, edge)) = now_tick_;
  }
}

}  // namespace nearby
