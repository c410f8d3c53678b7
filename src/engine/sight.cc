#include <algorithm>
#include <array>

#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

// A pair that is tested exactly even when the box says that it is far: somebody sees somebody, so
// that seeing may end, or the neighbour's radius is not the one that the box was made for.
constexpr std::uint32_t kAlwaysTested = kFriendSees | kISee | kFriendHasRadius;

bool Admits(const RadiusLimit& limit, const Separation& apart) {
  return limit.compares_haversines() ? apart.haversine <= limit.haversine()
                                     : limit.Admits(apart.a, apart.b);
}

// Whether both see each other, and go on. `leave_limit` is that of the default radius.
bool SeesOn(Edge edge, const Separation& apart, const RadiusLimit& leave_limit) {
  constexpr EdgeFlags kBothSee = kFriendSees | kISee;
  return (edge.flags() & (kBothSee | kFriendHasRadius | kIHaveRadius)) == kBothSee &&
         apart.is_somewhere && Admits(leave_limit, apart);
}

// Whether neither sees the other, nor comes to. `enter_limit` is that of the default radius.
bool StaysFar(Edge edge, const Separation& apart, const RadiusLimit& enter_limit) {
  return (edge.flags() & (kFriendSees | kISee | kFriendHasRadius | kIHaveRadius)) == 0 &&
         !(apart.is_somewhere && Admits(enter_limit, apart));
}

}  // namespace

void Engine::Impl::Walk(Slot mover, Effects* effects) {
  const RowView row = rows_.Row(mover);
  if (row.edges.empty()) return;
  Edge* const edges = row.edges.data();
  absl::Span<const std::uint32_t> selected = SelectToSettle(mover, row);
  const internal::Approach approach = ApproachOf(mover);
  const bool moves_are_paced = min_move_interval_ms_ > 0;
  const bool writes_ticks = UsesTicks(mover);
  const bool may_be_parked = MayKnowRemotes();
  const Delivery move = MoveOf(mover);
  SeparationBlock apart(lines_[mover].position);
  while (!selected.empty()) {
    const std::uint32_t* const numbers = selected.data();
    const std::size_t count = std::min(SeparationBlock::kSize, selected.size());
    selected.remove_prefix(count);
    // The lines of the first ones have been asked for; a long row's others have not.
    for (const std::uint32_t number : selected.subspan(0, SeparationBlock::kSize)) {
      lines_.Prefetch(edges[number].neighbour());
    }
    apart.Clear();
    for (std::size_t i = 0; i < count; ++i) {
      apart.Add(lines_[edges[numbers[i]].neighbour()].position);
    }
    apart.Compute();
    for (std::size_t i = 0; i < count; ++i) {
      Edge& edge = edges[numbers[i]];
      const Separation separation = apart[i];
      if (may_be_parked && IsParked(edge.neighbour())) {
        row.ticks[numbers[i]] = NotBeforeOfParked(approach, edge, separation, effects);
        continue;
      }
      if (SeesOn(edge, separation, leave_limit_) && !moves_are_paced) {
        // What happens nearly always.
        const internal::SlotLine& viewer = lines_[edge.neighbour()];
        // Filled in where it lies: the processor would wait for words written to the one that is
        // copied in larger pieces.
        Delivery& delivery = effects->deliveries.emplace_back(move);
        delivery.cookie = viewer.cookie;
        delivery.subscriber = viewer.user;
        delivery.distance_mm = separation.DistanceMm();
        ++stats_.moves;
      } else if (!StaysFar(edge, separation, enter_limit_)) {
        SettleMoved(mover, edge, separation, effects);
      }
      if (writes_ticks) row.ticks[numbers[i]] = NotBefore(approach, edge, separation);
    }
  }
}

absl::Span<const std::uint32_t> Engine::Impl::SelectToSettle(Slot mover, RowView row) {
  const std::size_t size = row.edges.size();
  if (selected_.size() < size) selected_.resize(size);
  if (UsesTicks(mover)) {
    absl::Span<const std::uint32_t> due;
    if (known_due_.has_value()) {
      due = absl::MakeConstSpan(due_numbers_).subspan(known_due_->begin, known_due_->size());
    } else {
      due = {selected_.data(), DueTicks::Select(row.ticks, size, now_tick_, selected_.data())};
    }
    stats_.checks += due.size();
    stats_.skipped += size - due.size();
    return due;
  }
  // So that none comes round while nobody looks at them.
  if (options_.skip_far_pairs) std::fill_n(row.ticks, size, now_tick_);
  stats_.checks += size;
  // An edge is its bits and nothing else (static_asserts in its header), so the row can be read as
  // the kernel wants it.
  IndexedRow indexed;
  indexed.entries = {reinterpret_cast<const std::uint32_t*>(row.edges.data()), size};
  indexed.index_shift = Edge::kFlagBits;
  indexed.always_mask = kAlwaysTested;
  // Whom ticks spare has not been asked for.
  indexed.is_cached =
      !options_.skip_far_pairs && known_due_.has_value() && known_due_->size() == size;
  double radius = options_.radius_m;
  if (entity(mover).has_radius) radius = std::max(radius, radius_m(mover));
  const Position center = cache_.position(mover);
  const std::size_t found = SelectInBox(center, FixedPointBox::Around(center, radius),
                                        cache_.positions(), indexed, selected_.data());
  return {selected_.data(), found};
}

Delivery Engine::Impl::MoveOf(Slot mover) const {
  Delivery move;
  move.friend_id = cache_.user(mover);
  move.time = now_;
  move.reported_at = motions_.reported_at(mover);
  move.position = cache_.position(mover);
  move.kind = DeliveryKind::kMove;
  return move;
}

void Engine::Impl::SettleMoved(Slot mover, Edge& edge, const Separation& apart, Effects* effects) {
  const Slot other = edge.neighbour();
  const bool was_seen = edge.has(kFriendSees);
  const bool saw = edge.has(kISee);
  const bool is_seen = edge.has(kFriendMaySee) &&
                       Reaches(other, apart, edge.has(kFriendHasRadius), was_seen) &&
                       IsReady(other);
  const bool sees =
      edge.has(kIMaySee) && Reaches(mover, apart, edge.has(kIHaveRadius), saw) && IsReady(mover);
  EdgeFlags changed = kNoEdgeFlags;
  if (is_seen != was_seen) changed = changed | kFriendSees;
  if (sees != saw) changed = changed | kISee;
  if (changed != kNoEdgeFlags) {
    edge.Toggle(changed);
    registry_.MirrorOf(mover, edge).Toggle(Mirrored(changed));
  }
  if (was_seen || is_seen) Tell(other, mover, was_seen, is_seen, apart, effects);
  // The mover's own client knows where the mover is.
  if (sees != saw) Tell(mover, other, saw, sees, apart, effects);
}

void Engine::Impl::Tell(Slot viewer, Slot owner, bool saw, bool sees, const Separation& apart,
                        Effects* effects) {
  if (!sees) {
    ForgetPace(viewer, owner);
    Leave(viewer, owner, LeaveReason::kRange, apart.DistanceMm(), effects);
  } else if (saw) {
    Move(viewer, owner, apart.DistanceMm(), effects);
  } else {
    Enter(viewer, owner, apart.DistanceMm(), effects);
  }
}

void Engine::Impl::SettleView(Slot viewer, Edge& edge, LeaveReason reason, Effects* effects) {
  if (IsParked(edge.neighbour())) {
    // Of whom is parked nobody is in sight, so only a new right to see them matters.
    if (edge.has(kIMaySee)) Reconsider(viewer, edge, effects);
    return;
  }
  SettleView(viewer, edge, Between(viewer, edge.neighbour()), reason, effects);
}

void Engine::Impl::SettleView(Slot viewer, Edge& edge, const Separation& apart, LeaveReason reason,
                              Effects* effects) {
  const Slot owner = edge.neighbour();
  const bool saw = edge.has(kISee);
  const bool sees =
      edge.has(kIMaySee) && Reaches(viewer, apart, edge.has(kIHaveRadius), saw) && IsReady(viewer);
  if (sees == saw) return;
  if (sees) {
    SetBoth(viewer, edge, kISee);
    Enter(viewer, owner, apart.DistanceMm(), effects);
  } else {
    ForgetView(viewer, edge);
    Leave(viewer, owner, reason, apart.DistanceMm(), effects);
  }
}

void Engine::Impl::SettleViewOf(Slot owner, Edge& edge, LeaveReason reason, Effects* effects) {
  SettleViewOf(owner, edge, Between(owner, edge.neighbour()), reason, effects);
}

void Engine::Impl::SettleViewOf(Slot owner, Edge& edge, const Separation& apart, LeaveReason reason,
                                Effects* effects) {
  const Slot viewer = edge.neighbour();
  const bool saw = edge.has(kFriendSees);
  const bool sees = edge.has(kFriendMaySee) &&
                    Reaches(viewer, apart, edge.has(kFriendHasRadius), saw) && IsReady(viewer);
  if (sees == saw) return;
  if (sees) {
    SetBoth(owner, edge, kFriendSees);
    Enter(viewer, owner, apart.DistanceMm(), effects);
  } else {
    ForgetView(viewer, registry_.MirrorOf(owner, edge));
    Leave(viewer, owner, reason, apart.DistanceMm(), effects);
  }
}

bool Engine::Impl::Reaches(Slot viewer, const Separation& apart, bool viewer_has_radius,
                           bool sees_now) const {
  if (!apart.is_somewhere) return false;
  if (!viewer_has_radius) return Admits(sees_now ? leave_limit_ : enter_limit_, apart);
  double radius = radius_m(viewer);
  if (sees_now) radius = std::min(radius + options_.hysteresis_m, kMaxRadiusMeters);
  return Admits(RadiusLimit::FromMeters(radius), apart);
}

void Engine::Impl::SetBoth(Slot row, Edge& edge, EdgeFlags flags) {
  edge.Set(flags);
  registry_.MirrorOf(row, edge).Set(Mirrored(flags));
}

void Engine::Impl::ClearBoth(Slot row, Edge& edge, EdgeFlags flags) {
  edge.Clear(flags);
  registry_.MirrorOf(row, edge).Clear(Mirrored(flags));
}

void Engine::Impl::ForgetView(Slot viewer, Edge& edge) {
  ClearBoth(viewer, edge, kISee);
  ForgetPace(viewer, edge.neighbour());
}

void Engine::Impl::ForgetPace(Slot viewer, Slot owner) {
  if (move_paces_.empty()) return;
  const auto pace = move_paces_.find(PairKey(viewer, owner));
  if (pace == move_paces_.end()) return;
  pace->second.withheld = false;
  if (!pace->second.has_timer) move_paces_.erase(pace);
}

void Engine::Impl::Enter(Slot viewer, Slot owner, std::int64_t distance_mm, Effects* effects) {
  if (min_move_interval_ms_ > 0) {
    MovePace& pace = move_paces_[PairKey(viewer, owner)];
    pace.next_allowed = Time{now_.ms + min_move_interval_ms_};
    pace.withheld = false;
  }
  ++stats_.enters;
  DeliverSight(DeliveryKind::kEnter, viewer, owner, distance_mm, effects);
}

void Engine::Impl::Move(Slot viewer, Slot owner, std::int64_t distance_mm, Effects* effects) {
  if (min_move_interval_ms_ > 0) {
    MovePace& pace = move_paces_[PairKey(viewer, owner)];
    pace.withheld = now_ < pace.next_allowed;
    if (pace.withheld) {
      if (!pace.has_timer) {
        timers_.Add(pace.next_allowed, internal::Timers::Kind::kWithheldMove, viewer, owner);
      }
      pace.has_timer = true;
      return;
    }
    pace.next_allowed = Time{now_.ms + min_move_interval_ms_};
  }
  ++stats_.moves;
  DeliverSight(DeliveryKind::kMove, viewer, owner, distance_mm, effects);
}

void Engine::Impl::SendWithheldMove(Slot viewer, Slot owner, Effects* effects) {
  const auto found = move_paces_.find(PairKey(viewer, owner));
  found->second.has_timer = false;
  if (found->second.withheld) {
    // The pair may have parted and met again since the timer was set, even as other users in the
    // same slots; Move then finds that it is too early, and sets another.
    Move(viewer, owner, Between(viewer, owner).DistanceMm(), effects);
    return;
  }
  const Edge* edge = registry_.Find(viewer, owner);
  if (edge == nullptr || !edge->has(kISee)) move_paces_.erase(found);
}

void Engine::Impl::Leave(Slot viewer, Slot owner, LeaveReason reason, std::int64_t distance_mm,
                         Effects* effects) {
  ++stats_.leaves[static_cast<std::size_t>(reason)];
  Delivery& delivery = AddDelivery(viewer, cache_.user(owner), DeliveryKind::kLeave, effects);
  delivery.reason = reason;
  if (reason == LeaveReason::kRange) delivery.distance_mm = distance_mm;
}

void Engine::Impl::Reset(Slot client, Effects* effects) {
  ++stats_.resets;
  AddDelivery(client, cache_.user(client), DeliveryKind::kReset, effects);
}

void Engine::Impl::DeliverSight(DeliveryKind kind, Slot viewer, Slot owner,
                                std::int64_t distance_mm, Effects* effects) {
  Delivery& delivery = AddDelivery(viewer, cache_.user(owner), kind, effects);
  delivery.reported_at = motions_.reported_at(owner);
  delivery.position = cache_.position(owner);
  delivery.distance_mm = distance_mm;
}

Delivery& Engine::Impl::AddDelivery(Slot viewer, UserId friend_id, DeliveryKind kind,
                                    Effects* effects) const {
  Delivery& delivery = effects->deliveries.emplace_back();
  delivery.cookie = cache_.cookie(viewer);
  delivery.subscriber = cache_.user(viewer);
  delivery.friend_id = friend_id;
  delivery.time = now_;
  delivery.kind = kind;
  return delivery;
}

}  // namespace nearby
