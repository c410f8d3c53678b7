#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

absl::Status Violation(absl::string_view what, Slot slot) {
  return absl::InternalError(absl::StrCat(what, " (slot ", ToInt(slot), ")"));
}

}  // namespace

absl::Status Engine::Impl::CheckInvariants() const {
  if (absl::Status status = registry_.CheckInvariants(); !status.ok()) return status;
  if (cache_.size() > options_.max_entities) return Violation("I6: too many entities", kNoSlot);
  std::size_t occupied = 0;
  for (std::uint32_t i = 0; i < lines_.size(); ++i) {
    if (absl::Status status = CheckEntity(Slot{i}); !status.ok()) return status;
    if (entity(Slot{i}).is_client || entity(Slot{i}).is_remote) ++occupied;
  }
  if (occupied != cache_.size()) return Violation("I2: a slot is neither free nor in use", kNoSlot);
  if (timers_.size() > move_paces_.size() + held_reports_.size()) {
    return Violation("I6: a pair or a client has more than one timer", kNoSlot);
  }
  if (move_paces_.size() > registry_.edge_count() + timers_.size()) {
    return Violation("I6: paces of moves outlive their pairs", kNoSlot);
  }
  return absl::OkStatus();
}

absl::Status Engine::Impl::CheckEntity(Slot slot) const {
  const Entity& e = entity(slot);
  const absl::Span<const Edge> row = registry_.Row(slot);
  if (e.is_client && e.is_remote) return Violation("an entity is at home here and elsewhere", slot);
  if (!e.is_client && !e.is_remote) {
    if (!row.empty()) return Violation("I2: a free slot still has edges", slot);
    if (ToInt(slot) < cache_.slot_limit() && cache_.is_active(slot)) {
      return Violation("I2: a free slot has a location", slot);
    }
    return absl::OkStatus();
  }
  if (cache_.Find(cache_.user(slot)) != slot) return Violation("a user's slot is not theirs", slot);
  const bool may_be_client =
      IsHome(cache_.user(slot)) && !(e.is_remote && IsElsewhere(HomeOfRemote(slot)));
  if (e.is_client != may_be_client) return Violation("a user is not at home", slot);
  if (row.size() > options_.max_friends) return Violation("I6: a row is too long", slot);
  if (e.is_remote && !registry_.is_subscribed(slot)) {
    return Violation("a remote's channel is not subscribed to", slot);
  }
  if (absl::Status status = CheckParked(slot); !status.ok()) return status;
  for (const Edge& edge : row) {
    absl::Status status = CheckEdge(slot, edge);
    if (status.ok()) status = CheckTick(slot, edge, registry_.TickOf(slot, edge));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Engine::Impl::CheckParked(Slot slot) const {
  const Entity& e = entity(slot);
  if (e.is_asked && !e.is_parked) return Violation("nothing is parked, yet asked for", slot);
  if (e.is_parked && !(e.is_remote && cache_.is_active(slot))) {
    return Violation("a parked channel is not that of a remote who is somewhere", slot);
  }
  if (e.is_client && !listeners_.empty()) {
    const Listeners& listeners = listeners_[ToInt(slot)];
    if ((listeners.parked & ~listeners.shards) != 0 || e.is_heard != (listeners.shards != 0) ||
        (e.is_heard && e.is_all_parked != (listeners.shards == listeners.parked))) {
      return Violation("a session is wrong about who listens", slot);
    }
  }
  if (!e.is_parked) return absl::OkStatus();
  const std::int64_t parked_ms = ParkTicks::MsUntil(e.parked_until, now_);
  const bool must_be_far =
      !e.is_asked && parked_ms > 0 && now_.ms - cache_.accepted_at(slot).ms <= ParkTicks::kSafeMs;
  const internal::Approach approach = ApproachOf(slot);
  for (const Edge& edge : registry_.Row(slot)) {
    if (edge.has(kFriendSees)) return Violation("a parked remote is seen", slot);
    if (must_be_far && cache_.is_active(edge.neighbour()) &&
        MillisecondsToMeet(approach, slot, edge) + 1 < static_cast<double>(parked_ms)) {
      return Violation("I10: a parked remote may meet somebody before the park ends", slot);
    }
  }
  return absl::OkStatus();
}

absl::Status Engine::Impl::CheckEdge(Slot slot, Edge edge) const {
  const Slot neighbour = edge.neighbour();
  const Entity& e = entity(slot);
  if (!entity(neighbour).is_client && !entity(neighbour).is_remote) {
    return Violation("I2: an edge leads to a free slot", slot);
  }
  if (e.is_remote && entity(neighbour).is_remote) {
    return Violation("an edge joins two remotes", slot);
  }
  if (edge.has(kISee) && !e.is_answered) {
    return Violation("I4: a client sees before its connect was answered", slot);
  }
  if (edge.has(kIMaySee) && !e.is_client) {
    return Violation("a remote may see here", slot);
  }
  if (edge.has(kISee) && !edge.has(kIMaySee)) {
    return Violation("I4: a client sees whom it may not see", slot);
  }
  if (edge.has(kISee) && !(cache_.is_active(slot) && cache_.is_active(neighbour))) {
    return Violation("I3: an inactive user sees or is seen", slot);
  }
  if (edge.has(kISee) && !Reaches(slot, Between(slot, neighbour), edge.has(kIHaveRadius), true)) {
    return Violation("a client sees beyond its radius", slot);
  }
  if (edge.has(kIHaveRadius) != e.has_radius) {
    return Violation("an edge is wrong about a radius", slot);
  }
  return absl::OkStatus();
}

// A tick that lets the owner of the row pass by a pair must be one before which the two cannot
// meet.
absl::Status Engine::Impl::CheckTick(Slot slot, Edge edge, std::uint8_t tick) const {
  const bool is_due = DueTicks::Ahead(tick, now_tick_) <= 0;
  if (!options_.skip_far_pairs || is_due) return absl::OkStatus();
  // When the owner reports again, nothing that is said here will be looked at.
  if (!cache_.is_active(slot) || now_.ms - cache_.accepted_at(slot).ms > DueTicks::kSafeMs) {
    return absl::OkStatus();
  }
  if (edge.has(kISee) || edge.has(kFriendSees)) {
    return Violation("I10: a pair in sight is passed by", slot);
  }
  SeparationBlock block(cache_.position(slot));
  block.Add(cache_.position(edge.neighbour()));
  block.Compute();
  const Separation apart = block[0];
  if (!apart.is_somewhere) return absl::OkStatus();
  const double ms =
      ApproachOf(slot).MillisecondsToMeet(edge.neighbour(), RadiusOfNeighbour(edge), apart);
  if (ms + 1 < static_cast<double>(DueTicks::MsUntil(tick, now_))) {
    return Violation("I10: a pair may meet before it is looked at", slot);
  }
  return absl::OkStatus();
}

}  // namespace nearby
