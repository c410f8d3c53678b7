#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

absl::Status NoSession() { return absl::NotFoundError("no such session, or it has ended"); }

// Whether one of the entries or changes, ascending by friend, concerns this friend.
template <typename Item>
bool Names(absl::Span<const Item> items, UserId friend_id) {
  const auto found =
      std::lower_bound(items.begin(), items.end(), friend_id,
                       [](const Item& item, UserId id) { return item.friend_id < id; });
  return found != items.end() && found->friend_id == friend_id;
}

bool IsStrictlyAscending(absl::Span<const FriendEntry> friends) {
  return std::adjacent_find(friends.begin(), friends.end(),
                            [](const FriendEntry& a, const FriendEntry& b) {
                              return a.friend_id >= b.friend_id;
                            }) == friends.end();
}

// Ascending by friend; of an id listed twice the last entry stays. Settling the earlier ones as
// well would show, if only for an instant, what the last one may forbid.
std::vector<FriendEntry> SortedLastWins(absl::Span<const FriendEntry> friends) {
  std::vector<FriendEntry> sorted(friends.rbegin(), friends.rend());
  std::stable_sort(sorted.begin(), sorted.end(), [](const FriendEntry& a, const FriendEntry& b) {
    return a.friend_id < b.friend_id;
  });
  const auto end = std::unique(
      sorted.begin(), sorted.end(),
      [](const FriendEntry& a, const FriendEntry& b) { return a.friend_id == b.friend_id; });
  sorted.erase(end, sorted.end());
  return sorted;
}

}  // namespace

Engine::Impl::Impl(const EngineOptions& options)
    : options_(options),
      enter_limit_(RadiusLimit::FromMeters(options.radius_m)),
      leave_limit_(RadiusLimit::FromMeters(
          std::min(options.radius_m + options.hysteresis_m, kMaxRadiusMeters))),
      max_future_skew_ms_(absl::ToInt64Milliseconds(options.max_future_skew)),
      min_move_interval_ms_(absl::ToInt64Milliseconds(options.min_move_interval)),
      min_report_interval_ms_(absl::ToInt64Milliseconds(options.min_report_interval)),
      cache_({options.ttl, options.max_entities, options.expected_entities}),
      registry_({options.max_friends, options.unsubscribe_delay}),
      changes_(options.max_remembered_changes) {
  entities_.reserve(options.expected_entities);
}

bool Engine::Impl::IsClient(ClientHandle client) const {
  return ToInt(client.slot) < entities_.size() && entity(client.slot).is_client &&
         entity(client.slot).generation == client.generation;
}

Slot Engine::Impl::FindClient(UserId user) const {
  const Slot slot = cache_.Find(user);
  return slot != kNoSlot && entity(slot).is_client ? slot : kNoSlot;
}

std::optional<ClientHandle> Engine::Impl::Find(UserId user) const {
  const Slot slot = FindClient(user);
  if (slot == kNoSlot) return std::nullopt;
  return ClientHandle{slot, entity(slot).generation};
}

const EngineStats& Engine::Impl::stats() {
  stats_.entities = cache_.size();
  stats_.edges = registry_.edge_count() / 2;
  stats_.changes_forgotten = changes_.forgotten();
  return stats_;
}

absl::StatusOr<Slot> Engine::Impl::NewEntity(UserId user) {
  absl::StatusOr<Slot> slot = cache_.Acquire(user);
  if (!slot.ok()) return slot;
  if (entities_.size() < cache_.slot_limit()) entities_.resize(cache_.slot_limit());
  const std::uint32_t generation = entity(*slot).generation;
  entity(*slot) = Entity();
  entity(*slot).generation = generation;
  return slot;
}

void Engine::Impl::ReleaseEntity(Slot slot) {
  entity(slot).is_client = false;
  entity(slot).is_remote = false;
  cache_.Release(slot);
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
    absl::StatusOr<Slot> added = NewEntity(request.user);
    if (!added.ok()) return added.status();
    slot = *added;
    ++stats_.clients;
  }
  ++stats_.connects;
  Entity& client = entity(slot);
  client.is_client = true;
  client.has_friends = false;
  client.cookie = request.cookie;
  if (++client.generation == 0) client.generation = 1;  // 0 names no session
  WriteRadius(slot, radius_m);
  const ClientHandle handle{slot, client.generation};
  effects->friend_requests.push_back({handle, request.user});
  return handle;
}

// The next session begins with nobody in sight and is told nothing before its friends are loaded.
// What friends see of the user goes on.
void Engine::Impl::EndSession(Slot client, Effects* effects) {
  effects->replaced.push_back(
      {{client, entity(client).generation}, entity(client).cookie, cache_.user(client)});
  for (Edge& edge : registry_.MutableRow(client)) {
    if (edge.has(kISee)) ForgetView(client, edge);
  }
}

absl::Status Engine::Impl::Disconnect(ClientHandle handle, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  const Slot client = handle.slot;
  UnlinkAll(client, LeaveReason::kOffline, effects);
  PeerMessage offline;
  offline.kind = PeerMessage::Kind::kOffline;
  offline.user = cache_.user(client);
  Publish(client, offline, effects);
  if (!held_reports_.empty()) held_reports_.erase(ToInt(client));
  ReleaseEntity(client);
  ++stats_.disconnects;
  --stats_.clients;
  return absl::OkStatus();
}

absl::Status Engine::Impl::FriendsLoaded(ClientHandle handle, FriendVersion version,
                                         absl::Span<const FriendEntry> friends, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  const Slot client = handle.slot;
  const UserId user = cache_.user(client);
  absl::Status status;
  if (friends.size() > options_.max_friends) {
    status = absl::ResourceExhaustedError(
        absl::StrCat(friends.size(), " friends; at most ", options_.max_friends, " are allowed"));
  } else if (!changes_.IsBelievable(version)) {
    status = absl::FailedPreconditionError(
        absl::StrCat("the friend list's version ", ToInt(version),
                     " is older than changes that had to be forgotten; load it again"));
  } else if (entity(client).has_friends && version < entity(client).list_version) {
    status = absl::FailedPreconditionError(
        absl::StrCat("the friend list's version ", ToInt(version), " is older than ",
                     ToInt(entity(client).list_version), ", which this session has loaded"));
  } else if (std::any_of(friends.begin(), friends.end(),
                         [user](const FriendEntry& entry) { return entry.friend_id == user; })) {
    status = absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(user), " is on their own friend list"));
  }
  if (!status.ok()) {
    ++stats_.lists_refused;
    return status;
  }
  ++stats_.lists_loaded;
  if (IsStrictlyAscending(friends)) {
    InstallFriends(client, version, friends, effects);
  } else {
    InstallFriends(client, version, SortedLastWins(friends), effects);
  }
  return absl::OkStatus();
}

void Engine::Impl::InstallFriends(Slot client, FriendVersion version,
                                  absl::Span<const FriendEntry> friends, Effects* effects) {
  // What changed after the list was read stands, whatever the list says.
  const std::vector<FriendshipChange> changes = changes_.AllNewerThan(version, cache_.user(client));
  const absl::Span<const FriendshipChange> newer = changes;
  DropUnlisted(client, version, friends, newer, effects);
  const bool answers_connect = !entity(client).has_friends;
  entity(client).has_friends = true;
  entity(client).list_version = version;
  const LinkOptions link{/*silent_for_a=*/answers_connect};
  for (const FriendEntry& entry : friends) {
    if (Names(newer, entry.friend_id)) continue;
    InstallFriend(client, entry.friend_id, entry.friendship, version, link, effects);
  }
  for (const FriendshipChange& change : newer) {
    InstallFriend(client, change.friend_id, change.friendship, change.version, link, effects);
  }
  if (answers_connect) AnswerConnect(client, effects);
}

void Engine::Impl::InstallFriend(Slot client, UserId friend_id, const Friendship& friendship,
                                 FriendVersion version, LinkOptions link, Effects* effects) {
  if (IsHome(friend_id)) {
    const Slot friend_slot = FindClient(friend_id);
    if (friend_slot == kNoSlot) return;
    // The edge stands for the friend's list where that is the newer one. Without an edge nothing is
    // known: the friend's list was loaded before the client came.
    if (KnowsBetter(friend_slot, version) && registry_.Find(client, friend_slot) != nullptr) return;
    SettleClients(client, friend_slot, friendship, link, effects);
    return;
  }
  SettleRemote(client, friend_id, friendship, link, effects);
  // The friend's shard may not know yet that the client is here, even where this shard knows all
  // about the friend.
  if (friendship.i_may_see() || friendship.friend_may_see()) {
    Announce(PeerMessage::Kind::kAnnounce, {cache_.user(client), friend_id, friendship, version},
             effects);
  }
}

// Ends edges that neither the list nor a newer change bears out: the store changed, and nobody told
// this engine.
void Engine::Impl::DropUnlisted(Slot client, FriendVersion version,
                                absl::Span<const FriendEntry> friends,
                                absl::Span<const FriendshipChange> newer, Effects* effects) {
  std::vector<Slot> unlisted;
  for (const Edge edge : registry_.Row(client)) {
    const UserId friend_id = cache_.user(edge.neighbour());
    const bool is_known = Names(friends, friend_id) || Names(newer, friend_id) ||
                          KnowsBetter(edge.neighbour(), version);
    if (!is_known) {
      unlisted.push_back(edge.neighbour());
    }
  }
  for (const Slot neighbour : unlisted) {
    UnlinkPair(client, neighbour, {LeaveReason::kUnfriended, LeaveReason::kUnfriended}, effects);
  }
}

absl::Status Engine::Impl::SetRadius(ClientHandle handle, double radius_m, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;
  const Slot client = handle.slot;
  WriteRadius(client, radius_m);
  for (Edge& edge : registry_.MutableRow(client)) {
    SettleView(client, edge, LeaveReason::kRange, effects);
  }
  return absl::OkStatus();
}

void Engine::Impl::WriteRadius(Slot client, double radius_m) {
  entity(client).radius_m = radius_m;
  const bool has_radius = radius_m != options_.radius_m;
  for (Edge& edge : registry_.MutableRow(client)) {
    if (has_radius) {
      SetBoth(client, edge, kIHaveRadius);
    } else if (edge.has(kIHaveRadius)) {
      ClearBoth(client, edge, kIHaveRadius);
    }
  }
}

}  // namespace nearby
