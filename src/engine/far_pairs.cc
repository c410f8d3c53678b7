#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/engine/engine_impl.h"
#include "src/parts/motions.h"
#include "src/parts/speed_bound.h"

namespace nearby {

void Engine::Impl::Relocate(Slot slot, const LocationCache::Record& record) {
  const bool was_active = cache_.is_active(slot);
  const Time before = was_active ? cache_.accepted_at(slot) : kNever;
  const LocationCache::Motion motion = cache_.Write(slot, record);
  if (!options_.skip_far_pairs) return;
  if (motion == LocationCache::Motion::kUnbounded) {
    if (was_active) ++stats_.bound_breaks;
    MakeRowDue(slot);
    MakeDueForOthers(slot);
  } else if (now_.ms - before.ms > DueTicks::kSafeMs) {
    // Nobody has looked at this row for so long that its ticks may have come round.
    MakeRowDue(slot);
  }
}

Engine::Impl::Range Engine::Impl::RangeOf(Slot slot) const {
  const LocationCache::Motions& motions = cache_.motions();
  const double speed = SpeedBound::kMetersPerMs[motions.speed_class(slot)];
  const auto age_ms = static_cast<double>(now_.ms - motions.accepted_at(slot).ms);
  return {radius_m(slot), speed, speed * age_ms};
}

std::uint8_t Engine::Impl::NotBefore(const Range& range, Edge edge, const Separation& apart) const {
  if ((edge.flags() & (kISee | kFriendSees)) != 0) return now_tick_;
  // When the other comes back, from wherever, all that is said about them becomes due.
  if (!apart.is_somewhere) return DueTicks::Farthest(now_);
  const double ms = MillisecondsToMeet(range, edge, apart);
  return ms > 0 ? DueTicks::NotBefore(now_, ms) : now_tick_;
}

// While both keep to their bounds, two who are d apart, as far as is known from positions that are
// tA and tB old, come within r not before the time t from now at which
// d - r = vA (tA + t) + vB (tB + t).
double Engine::Impl::MillisecondsToMeet(const Range& range, Edge edge,
                                        const Separation& apart) const {
  const LocationCache::Motions& motions = cache_.motions();
  const Slot other = edge.neighbour();
  const double other_speed = SpeedBound::kMetersPerMs[motions.speed_class(other)];
  const double speeds = range.speed + other_speed;
  if (!std::isfinite(speeds)) return 0;
  const double radius =
      std::max(range.radius_m, edge.has(kFriendHasRadius) ? radius_m(other) : options_.radius_m);
  const auto age_ms = static_cast<double>(now_.ms - motions.accepted_at(other).ms);
  return (apart.MinMeters() - radius - range.way_m - other_speed * age_ms) / speeds;
}

void Engine::Impl::MakeRowDue(Slot slot) {
  const RowView row = registry_.MutableRow(slot);
  std::fill_n(row.ticks, row.edges.size(), now_tick_);
}

void Engine::Impl::MakeDueForOthers(Slot slot) {
  const absl::Span<const Edge> row = registry_.Row(slot);
  for (const Edge edge : row) registry_.PrefetchHead(edge.neighbour());
  for (const Edge edge : row) registry_.PrefetchRow(edge.neighbour(), kRowLines);
  for (const Edge edge : row) {
    registry_.TickOf(edge.neighbour(), registry_.MirrorOf(slot, edge)) = now_tick_;
  }
}

}  // namespace nearby
