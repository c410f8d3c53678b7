#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

namespace nearby {

Engine::Impl::Impl(const EngineOptions& options)
    : options_(options),
      enter_limit_(RadiusLimit::FromMeters(options.radius_m)),
      leave_limit_(RadiusLimit::FromMeters(
          std::min(options.radius_m + options.hysteresis_m, kMaxRadiusMeters))),
      max_future_skew_ms_(absl::ToInt64Milliseconds(options.max_future_skew)),
      min_move_interval_ms_(absl::ToInt64Milliseconds(options.min_move_interval)),
      min_report_interval_ms_(absl::ToInt64Milliseconds(options.min_report_interval)),
      // Nobody asks for speeds but those who pass pairs by.
      cache_(
          {options.ttl, options.max_entities, options.expected_entities, options.skip_far_pairs}),
      lines_(*cache_.lines()),
      registry_({options.max_friends, options.unsubscribe_delay, options.expected_entities},
                &lines_),
      rows_(registry_.rows()),
      motions_(cache_.motions()),
      changes_(options.max_remembered_changes) {}

absl::Status Engine::Impl::NoSession() { return ToStatus(ReportOutcome::kUnknownClient); }

Slot Engine::Impl::FindClient(UserId user) const {
  const Slot slot = cache_.Find(user);
  return slot != kNoSlot && entity(slot).is_client ? slot : kNoSlot;
}

std::optional<ClientHandle> Engine::Impl::Find(UserId user) const {
  const Slot slot = FindClient(user);
  if (slot == kNoSlot) return std::nullopt;
  return ClientHandle{slot, entity(slot).generation};
}

EngineStats Engine::Impl::stats() const {
  EngineStats stats = stats_;
  stats.entities = cache_.size();
  stats.edges = registry_.edge_count() / 2;
  stats.changes_forgotten = changes_.forgotten();
  return stats;
}

absl::StatusOr<Slot> Engine::Impl::NewEntity(UserId user, LocationCache::Kind kind) {
  absl::StatusOr<Slot> slot = cache_.Acquire(user, kind);
  if (!slot.ok()) return slot;
  if (MayKnowRemotes()) {
    listeners_.resize(lines_.size());
    listeners_[ToInt(*slot)] = Listeners();
  }
  const std::uint32_t generation = entity(*slot).generation;
  entity(*slot) = Entity();
  entity(*slot).generation = generation;
  return slot;
}

void Engine::Impl::ReleaseEntity(Slot slot) {
  const auto kind =
      entity(slot).is_remote ? LocationCache::Kind::kRemote : LocationCache::Kind::kLocal;
  entity(slot).is_client = false;
  entity(slot).is_remote = false;
  radii_.erase(slot);
  cache_.Release(slot, kind);
}

absl::StatusOr<ClientHandle> Engine::Impl::Connect(const ConnectRequest& request,
                                                   Effects* effects) {
  if (!IsHome(request.user)) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(request.user), " is not at home on shard ",
                     ToInt(options_.shard), " of ", options_.shard_count));
  }
  const double radius_m = request.radius_m.value_or(options_.radius_m);
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;

  Slot slot = FindClient(request.user);
  if (slot != kNoSlot) {
    EndSession(slot, effects);
    ++stats_.replacements;
  } else {
    // Until now they were on another node.
    if (const Slot remote = FindRemote(request.user); remote != kNoSlot) {
      Send(About(request.user, PeerMessage::Kind::kUnsubscribe), HomeOfRemote(remote), effects);
      DropRemote(remote, LeaveReason::kOffline, effects);
    }
    absl::StatusOr<Slot> added = NewEntity(request.user, LocationCache::Kind::kLocal);
    if (!added.ok()) return added.status();
    slot = *added;
    ++stats_.clients;
  }
  ++stats_.connects;
  Entity& client = entity(slot);
  client.is_client = true;
  client.has_friends = false;
  client.is_answered = false;
  cache_.SetCookie(slot, request.cookie);
  if (++client.generation == 0) client.generation = 1;  // 0 names no session
  WriteRadius(slot, radius_m, effects);
  RequestFriends(slot, effects);
  return ClientHandle{slot, client.generation};
}

// The next session begins with nobody in sight and is told nothing before its friends are loaded.
// What friends see of the user goes on.
void Engine::Impl::EndSession(Slot client, Effects* effects) {
  effects->replaced.push_back(
      {{client, entity(client).generation}, cache_.cookie(client), cache_.user(client)});
  for (Edge& edge : registry_.MutableRow(client).edges) {
    if (edge.has(kISee)) ForgetView(client, edge);
  }
}

absl::Status Engine::Impl::Disconnect(ClientHandle handle, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  const Slot client = handle.slot;
  if (options_.spans_nodes) AnnounceFriendsOf(client, effects);
  UnlinkAll(client, LeaveReason::kOffline, effects);
  if (entity(client).is_heard) {
    SendToAll(listeners_[ToInt(client)].shards,
              About(cache_.user(client), PeerMessage::Kind::kOffline), effects);
  }
  CancelHeldReport(client);
  ReleaseEntity(client);
  ++stats_.disconnects;
  --stats_.clients;
  return absl::OkStatus();
}

absl::Status Engine::Impl::SetRadius(ClientHandle handle, double radius_m, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;
  const Slot client = handle.slot;
  if (radius_m == this->radius_m(client)) return absl::OkStatus();
  WriteRadius(client, radius_m, effects);
  for (Edge& edge : registry_.MutableRow(client).edges) {
    SettleView(client, edge, LeaveReason::kRange, effects);
  }
  return absl::OkStatus();
}

double Engine::Impl::OwnRadius(Slot client) const { return radii_.find(client)->second; }

void Engine::Impl::WriteRadius(Slot client, double radius_m, Effects* effects) {
  const bool grows = radius_m > this->radius_m(client);
  const bool has_radius = radius_m != options_.radius_m;
  entity(client).has_radius = has_radius;
  if (has_radius) {
    radii_.insert_or_assign(client, radius_m);
  } else {
    radii_.erase(client);
  }
  if (grows) {
    MakeRowDue(client);
    MakeDueForOthers(client, effects);
  }
  for (Edge& edge : registry_.MutableRow(client).edges) {
    if (has_radius) {
      SetBoth(client, edge, kIHaveRadius);
    } else if (edge.has(kIHaveRadius)) {
      ClearBoth(client, edge, kIHaveRadius);
    }
  }
}

}  // namespace nearby
