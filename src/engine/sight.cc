#include <algorithm>

#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

// A pair that is tested exactly even when the box says that it is far: somebody sees somebody, so
// that seeing may end, or the neighbour's radius is not the one that the box was made for.
constexpr std::uint32_t kAlwaysTested = kFriendSees | kISee | kFriendHasRadius;

}  // namespace

void Engine::Impl::Walk(Slot mover, Effects* effects) {
  const absl::Span<Edge> row = registry_.MutableRow(mover);
  if (row.empty()) return;
  stats_.checks += row.size();
  // An edge is its bits and nothing else (static_asserts in its header), so the row can be read as
  // the kernel wants it.
  IndexedRow indexed;
  indexed.entries = {reinterpret_cast<const std::uint32_t*>(row.data()), row.size()};
  indexed.index_shift = Edge::kFlagBits;
  indexed.always_mask = kAlwaysTested;
  double radius_m = options_.radius_m;
  if (entity(mover).is_client) radius_m = std::max(radius_m, entity(mover).radius_m);
  const Position center = cache_.position(mover);
  const FixedPointBox box = FixedPointBox::Around(center, radius_m);
  if (selected_.size() < row.size()) selected_.resize(row.size());
  const std::size_t selected =
      SelectInBox(center, box, cache_.positions(), indexed, selected_.data());
  for (std::size_t i = 0; i < selected; ++i) SettleMoved(mover, row[selected_[i]], effects);
}

void Engine::Impl::SettleMoved(Slot mover, Edge& edge, Effects* effects) {
  if (edge.has(kFriendSees) && Reaches(edge.neighbour(), mover, edge.has(kFriendHasRadius), true)) {
    Move(edge.neighbour(), mover, effects);
  } else {
    SettleViewOf(mover, edge, LeaveReason::kRange, effects);
  }
  SettleView(mover, edge, LeaveReason::kRange, effects);
}

void Engine::Impl::SettleView(Slot viewer, Edge& edge, LeaveReason reason, Effects* effects) {
  const Slot owner = edge.neighbour();
  const bool saw = edge.has(kISee);
  const bool sees =
      edge.has(kIMaySee) && IsReady(viewer) && Reaches(viewer, owner, edge.has(kIHaveRadius), saw);
  if (sees == saw) return;
  if (sees) {
    SetBoth(viewer, edge, kISee);
    Enter(viewer, owner, effects);
  } else {
    ForgetView(viewer, edge);
    Leave(viewer, owner, reason, effects);
  }
}

void Engine::Impl::SettleViewOf(Slot owner, Edge& edge, LeaveReason reason, Effects* effects) {
  const Slot viewer = edge.neighbour();
  const bool saw = edge.has(kFriendSees);
  const bool sees = edge.has(kFriendMaySee) && IsReady(viewer) &&
                    Reaches(viewer, owner, edge.has(kFriendHasRadius), saw);
  if (sees == saw) return;
  if (sees) {
    SetBoth(owner, edge, kFriendSees);
    Enter(viewer, owner, effects);
  } else {
    ForgetView(viewer, *registry_.FindMutable(viewer, owner));
    Leave(viewer, owner, reason, effects);
  }
}

bool Engine::Impl::Reaches(Slot viewer, Slot owner, bool viewer_has_radius, bool sees_now) const {
  const Position from = cache_.position(viewer);
  const Position to = cache_.position(owner);
  if (!from.is_somewhere() || !to.is_somewhere()) return false;
  if (!viewer_has_radius) return (sees_now ? leave_limit_ : enter_limit_).Admits(from, to);
  double radius_m = entity(viewer).radius_m;
  if (sees_now) radius_m = std::min(radius_m + options_.hysteresis_m, kMaxRadiusMeters);
  return RadiusLimit::FromMeters(radius_m).Admits(from, to);
}

void Engine::Impl::SetBoth(Slot row, Edge& edge, EdgeFlags flags) {
  edge.Set(flags);
  registry_.FindMutable(edge.neighbour(), row)->Set(Mirrored(flags));
}

void Engine::Impl::ClearBoth(Slot row, Edge& edge, EdgeFlags flags) {
  edge.Clear(flags);
  registry_.FindMutable(edge.neighbour(), row)->Clear(Mirrored(flags));
}

void Engine::Impl::ForgetView(Slot viewer, Edge& edge) {
  ClearBoth(viewer, edge, kISee);
  if (move_paces_.empty()) return;
  const auto pace = move_paces_.find(PairKey(viewer, edge.neighbour()));
  if (pace == move_paces_.end()) return;
  pace->second.withheld = false;
  if (!pace->second.has_timer) move_paces_.erase(pace);
}

void Engine::Impl::Enter(Slot viewer, Slot owner, Effects* effects) {
  if (min_move_interval_ms_ > 0) {
    MovePace& pace = move_paces_[PairKey(viewer, owner)];
    pace.next_allowed = Time{now_.ms + min_move_interval_ms_};
    pace.withheld = false;
  }
  ++stats_.enters;
  DeliverSight(DeliveryKind::kEnter, viewer, owner, effects);
}

void Engine::Impl::Move(Slot viewer, Slot owner, Effects* effects) {
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
  DeliverSight(DeliveryKind::kMove, viewer, owner, effects);
}

void Engine::Impl::SendWithheldMove(Slot viewer, Slot owner, Effects* effects) {
  const auto found = move_paces_.find(PairKey(viewer, owner));
  found->second.has_timer = false;
  if (found->second.withheld) {
    // The pair may have parted and met again since the timer was set, even as other users in the
    // same slots; Move then finds that it is too early, and sets another.
    Move(viewer, owner, effects);
    return;
  }
  const Edge* edge = registry_.Find(viewer, owner);
  if (edge == nullptr || !edge->has(kISee)) move_paces_.erase(found);
}

void Engine::Impl::Leave(Slot viewer, Slot owner, LeaveReason reason, Effects* effects) {
  ++stats_.leaves[static_cast<std::size_t>(reason)];
  Delivery delivery = MakeDelivery(viewer, cache_.user(owner), DeliveryKind::kLeave);
  delivery.reason = reason;
  if (reason == LeaveReason::kRange) {
    delivery.distance_mm = DistanceMillimeters(cache_.position(viewer), cache_.position(owner));
  }
  effects->deliveries.push_back(delivery);
}

void Engine::Impl::Reset(Slot client, Effects* effects) {
  ++stats_.resets;
  effects->deliveries.push_back(MakeDelivery(client, cache_.user(client), DeliveryKind::kReset));
}

void Engine::Impl::DeliverSight(DeliveryKind kind, Slot viewer, Slot owner, Effects* effects) {
  Delivery delivery = MakeDelivery(viewer, cache_.user(owner), kind);
  delivery.reported_at = cache_.reported_at(owner);
  delivery.position = cache_.position(owner);
  delivery.distance_mm = DistanceMillimeters(cache_.position(viewer), delivery.position);
  effects->deliveries.push_back(delivery);
}

Delivery Engine::Impl::MakeDelivery(Slot viewer, UserId friend_id, DeliveryKind kind) const {
  Delivery delivery;
  delivery.cookie = entity(viewer).cookie;
  delivery.subscriber = cache_.user(viewer);
  delivery.friend_id = friend_id;
  delivery.time = now_;
  delivery.kind = kind;
  return delivery;
}

}  // namespace nearby
