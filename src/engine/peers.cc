#include <algorithm>

#include "absl/numeric/bits.h"
#include "src/base/planted_bugs.h"
#include "src/base/prefetch.h"
#include "src/engine/engine_impl.h"
#include "src/engine/groups.h"

namespace nearby {
namespace {

// Whether a report can have led to this location message, if no clock is ahead by more than the
// skew.
bool IsPossible(const PeerMessage& message, Time now, std::int64_t max_skew_ms) {
  constexpr std::int32_t kQuarterTurn = 1 << 30;
  return message.position.lat_units() >= -kQuarterTurn &&
         message.position.lat_units() <= kQuarterTurn && IsValid(message.accepted_at) &&
         message.accepted_at.ms <= now.ms + max_skew_ms && IsValid(message.reported_at) &&
         message.reported_at.ms <= message.accepted_at.ms + max_skew_ms;
}

// Whether a message tells, or asks not to be told, where a user is. None of these makes or ends a
// pair.
bool ConcernsLocation(const PeerMessage& message) {
  return message.kind == PeerMessage::Kind::kLocation || message.kind == PeerMessage::Kind::kHere ||
         message.kind == PeerMessage::Kind::kPark;
}

bool Announces(const PeerMessage& message) {
  return message.kind == PeerMessage::Kind::kAnnounce ||
         message.kind == PeerMessage::Kind::kAnnounceBack;
}

}  // namespace

PeerMessage Engine::Impl::About(UserId user, PeerMessage::Kind kind) {
  PeerMessage message;
  message.kind = kind;
  message.user = user;
  return message;
}

void Engine::Impl::ReceiveAll(absl::Span<const PeerMessage> messages, Effects* effects) {
  PrefetchClients(messages);
  while (!messages.empty()) {
    const auto other = std::find_if_not(messages.begin(), messages.end(), ConcernsLocation);
    const auto run = static_cast<std::size_t>(other - messages.begin());
    ReceiveLocations(messages.subspan(0, run), effects);
    messages.remove_prefix(run);
    if (messages.empty()) return;
    Receive(messages.front(), effects);
    messages.remove_prefix(1);
  }
}

// A user who connects is announced to hundreds, nine in ten of whom are not here.
void Engine::Impl::PrefetchClients(absl::Span<const PeerMessage> messages) {
  constexpr std::size_t kMost = 1024;  // More would not stay cached.
  if (!MayKnowRemotes()) return;
  users_.clear();
  for (const PeerMessage& message : messages) {
    if (ConcernsLocation(message)) continue;
    users_.push_back(Announces(message) ? message.friend_id : message.user);
    if (users_.size() == kMost) break;
  }
  found_.resize(users_.size());
  cache_.FindAll(users_, absl::MakeSpan(found_));
  for (const Slot found : found_) {
    if (found != kNoSlot) internal::Prefetch(&listeners_[ToInt(found)]);
  }
}

void Engine::Impl::ReceiveLocations(absl::Span<const PeerMessage> messages, Effects* effects) {
  // Few enough that the lines found at the beginning are still cached at the end.
  constexpr std::size_t kAtOnce = 256;
  for (; !messages.empty(); messages.remove_prefix(std::min(kAtOnce, messages.size()))) {
    const absl::Span<const PeerMessage> some = messages.subspan(0, kAtOnce);
    users_.resize(some.size());
    std::transform(some.begin(), some.end(), users_.begin(),
                   [](const PeerMessage& message) { return message.user; });
    found_.resize(some.size());
    cache_.FindAll(users_, absl::MakeSpan(found_));
    const auto slot_of = [this](std::size_t i) { return found_[i]; };
    const auto will_walk = [this, some](std::size_t i) {
      return found_[i] != kNoSlot && some[i].kind != PeerMessage::Kind::kPark;
    };
    InGroups(some.size(), slot_of, will_walk, [&](std::size_t i) { Receive(some[i], effects); });
  }
}

void Engine::Impl::Receive(const PeerMessage& message, Effects* effects) {
  ++stats_.messages_received;
  bool taken = false;
  const bool addressed = message.to == options_.shard && message.from != options_.shard &&
                         (ToInt(message.from) < options_.shard_count || IsElsewhere(message.from));
  if (addressed) {
    switch (message.kind) {
      case PeerMessage::Kind::kAnnounce:
      case PeerMessage::Kind::kAnnounceBack:
        taken = ReceiveAnnouncement(message, effects);
        break;
      case PeerMessage::Kind::kSubscribe:
        taken = ReceiveSubscribe(message, effects);
        break;
      case PeerMessage::Kind::kUnsubscribe:
        taken = ReceiveUnsubscribe(message);
        break;
      case PeerMessage::Kind::kLocation:
      case PeerMessage::Kind::kHere:
        taken = ReceiveLocation(message, effects);
        break;
      case PeerMessage::Kind::kPark:
        taken = ReceivePark(message);
        break;
      case PeerMessage::Kind::kOffline:
        taken = ReceiveOffline(message, effects);
        break;
    }
  }
  if (!taken) ++stats_.messages_dropped;
}

void Engine::Impl::Send(PeerMessage message, ShardId to, Effects* effects) {
  message.from = options_.shard;
  message.to = to;
  effects->messages.push_back(message);
  ++stats_.messages_sent;
}

void Engine::Impl::Announce(PeerMessage::Kind kind, const FriendshipChange& pair, ShardId to,
                            Effects* effects) {
  PeerMessage message = About(pair.user, kind);
  message.friend_id = pair.friend_id;
  message.friendship = pair.friendship;
  message.version = pair.version;
  Send(message, to, effects);
}

// They may have connected to another node before they left theirs. Who connected here or became a
// friend in between took them for being there still, and so has not been announced where they are.
// What the two may see is not said, for this shard need not know; as of no version at all, it makes
// the other side load its list again, which announces both ways.
void Engine::Impl::AnnounceFriendsOf(Slot leaving, Effects* effects) {
  if (IsPlanted(PlantedBug::kMoverNotAnnouncedTo)) return;
  Friendship friendship;
  friendship.friends = true;
  friendship.i_hide = true;
  friendship.friend_hides = true;
  for (const Edge edge : registry_.Row(leaving)) {
    // Of friends on other shards of this node, who may be seen but need not see, theirs may not
    // know.
    const Slot neighbour = edge.neighbour();
    const bool is_here = entity(neighbour).is_client || !IsElsewhere(HomeOfRemote(neighbour));
    if (!is_here) continue;
    Announce(PeerMessage::Kind::kAnnounce,
             {cache_.user(edge.neighbour()), cache_.user(leaving), friendship, FriendVersion{}},
             options_.elsewhere(), effects);
  }
}

// `message.user` is online elsewhere, and a friend of `message.friend_id`, who may be a client
// here.
bool Engine::Impl::ReceiveAnnouncement(const PeerMessage& message, Effects* effects) {
  if (!SpeaksFor(message.from, message.user) || !IsHome(message.friend_id)) return false;
  const Slot client = FindClient(message.friend_id);
  if (client == kNoSlot) {
    // When they connect, their shard will announce them; unless they have, to another node.
    const bool may_be_elsewhere = options_.spans_nodes && !IsElsewhere(message.from);
    if (may_be_elsewhere) Send(message, options_.elsewhere(), effects);
    return true;
  }
  if (!changes_.IsBelievable(message.version)) {
    // A fresh list of the client's, if it still names the user, announces the client to them.
    if (entity(client).has_friends) RequestFriends(client, effects);
    return false;
  }
  // What the two may see is not said: see AnnounceFriendsOf. That a newer change says it does not
  // help whoever asks, where they know that change already: they take no older word for an answer.
  if (message.friendship.i_hide && message.friendship.friend_hides) {
    if (entity(client).has_friends) RequestFriends(client, effects);
    return false;
  }
  FriendshipChange pair{message.friend_id, message.user, message.friendship.Flipped(),
                        message.version};
  if (IsPlanted(PlantedBug::kDirectionNotFlipped)) pair.friendship = message.friendship;
  if (const auto newer = changes_.NewerThan(pair.version, pair.user, pair.friend_id)) {
    pair = *newer;
  }
  const bool is_late = !IsPlanted(PlantedBug::kLateAnnouncementBelieved) &&
                       pair.version < entity(client).list_version;
  if (entity(client).has_friends && is_late) {
    // To link the two on the strength of this could undo what the list took away; to ignore it
    // could leave them apart, where the other side had an older list. What a newer list of the
    // client's announces, both sides believe. (An answer belongs to an announcement of an older
    // list; the present one's is still to be answered.)
    if (message.kind == PeerMessage::Kind::kAnnounce) RequestFriends(client, effects);
    return false;
  }
  if (pair.friendship.i_may_see()) {
    LinkRemote(client, message.user, message.from, pair.friendship, effects);
  }
  if (message.kind == PeerMessage::Kind::kAnnounce && pair.friendship.friend_may_see()) {
    Announce(PeerMessage::Kind::kAnnounceBack, pair, message.from, effects);
  }
  return true;
}

void Engine::Impl::RequestFriends(Slot client, Effects* effects) {
  effects->friend_requests.push_back({{client, entity(client).generation}, cache_.user(client)});
}

Slot Engine::Impl::MakeRemote(UserId user, ShardId home, Effects* effects) {
  if (const Slot known = FindRemote(user); known != kNoSlot) {
    if (HomeOfRemote(known) == home) return known;
    // They have moved from this node to another, or back, and the news of their leaving is late.
    DropRemote(known, LeaveReason::kOffline, effects);
  }
  // Known as a client: late word of another node's; or a function of the host's is not one.
  if (cache_.Find(user) != kNoSlot) return kNoSlot;
  const absl::StatusOr<Slot> added = NewEntity(user, LocationCache::Kind::kRemote);
  if (!added.ok()) {
    ++stats_.links_refused;
    return kNoSlot;
  }
  entity(*added).is_remote = true;
  // Below 64, as the options' limit has it; the mask is for the compiler.
  entity(*added).home_shard = static_cast<std::uint8_t>(ToInt(home) & 63U);
  return *added;
}

void Engine::Impl::LinkRemote(Slot client, UserId remote, ShardId home,
                              const Friendship& friendship, Effects* effects) {
  const Slot slot = MakeRemote(remote, home, effects);
  if (slot == kNoSlot) return;
  if (LinkPair(client, slot, friendship, {}, effects) != LinkResult::kRefused) {
    SubscribeIfFirst(slot, effects);
  } else if (registry_.Row(slot).empty() && !registry_.is_subscribed(slot)) {
    ReleaseEntity(slot);
  }
}

void Engine::Impl::SubscribeIfFirst(Slot remote, Effects* effects) {
  if (!registry_.FirstIn(remote)) return;
  ++stats_.channels_subscribed;
  Send(About(cache_.user(remote), PeerMessage::Kind::kSubscribe), HomeOfRemote(remote), effects);
}

bool Engine::Impl::ReceiveSubscribe(const PeerMessage& message, Effects* effects) {
  if (!IsHome(message.user)) return false;
  const Slot client = FindClient(message.user);
  if (client == kNoSlot) {
    // The user left while the subscription was under way.
    Send(About(message.user, PeerMessage::Kind::kOffline), message.from, effects);
    return true;
  }
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  Listeners& listeners = listeners_[ToInt(client)];
  SetListeners(client, listeners.shards | shard, listeners.parked & ~shard);
  if (cache_.is_active(client)) {
    listeners.sequence = ++last_sequence_;
    Send(LocationMessage(client, PeerMessage::Kind::kHere), message.from, effects);
  }
  return true;
}

bool Engine::Impl::ReceiveUnsubscribe(const PeerMessage& message) {
  const Slot client = FindClient(message.user);
  if (client == kNoSlot) return false;
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  const Listeners& listeners = listeners_[ToInt(client)];
  SetListeners(client, listeners.shards & ~shard, listeners.parked & ~shard);
  return true;
}

PeerMessage Engine::Impl::LocationMessage(Slot client, PeerMessage::Kind kind) const {
  PeerMessage message = About(cache_.user(client), kind);
  message.position = cache_.position(client);
  message.accepted_at = cache_.accepted_at(client);
  message.reported_at = cache_.reported_at(client);
  message.sequence = listeners_[ToInt(client)].sequence;
  message.speed_bound = SpeedBoundOf(client);
  return message;
}

void Engine::Impl::SendToAll(std::uint64_t shards, const PeerMessage& message, Effects* effects) {
  for (; shards != 0; shards &= shards - 1) {
    Send(message, ShardId{static_cast<std::uint32_t>(absl::countr_zero(shards))}, effects);
  }
}

bool Engine::Impl::ReceiveLocation(const PeerMessage& message, Effects* effects) {
  if (!IsPossible(message, now_, max_future_skew_ms_)) return false;
  const Slot remote = FindRemote(message.user);
  if (remote == kNoSlot) {
    if (!SpeaksFor(message.from, message.user)) return false;
    // A subscription of an earlier session that crossed with its end. Messages arrive in order, so
    // a subscription made after this one's end stands.
    Send(About(message.user, PeerMessage::Kind::kUnsubscribe), message.from, effects);
    return false;
  }
  if (HomeOfRemote(remote) != message.from) return false;
  Entity& e = entity(remote);
  if (e.has_reported && message.reported_at < cache_.reported_at(remote)) return false;
  // An answer that a report has overtaken tells nothing new. Taken for one, it would be a move. (By
  // a clock that is ahead it may have been accepted at any time up to now.)
  if (message.kind == PeerMessage::Kind::kHere && e.has_reported && !e.is_asked &&
      message.reported_at == cache_.reported_at(remote) &&
      message.position == cache_.position(remote) &&
      (message.accepted_at <= cache_.accepted_at(remote) || message.accepted_at > now_)) {
    return true;
  }
  // Late by more than a time to live: its expiry is past already.
  if (message.accepted_at.ms + absl::ToInt64Milliseconds(cache_.ttl()) <= now_.ms) return false;
  e.has_reported = true;
  e.is_parked = false;
  e.is_asked = false;
  // A clock that is ahead is not to make a position younger than this shard has held it: what is
  // far is judged by its age.
  Relocate(remote, {message.position, std::min(message.accepted_at, now_), message.reported_at},
           effects);
  Walk(remote, effects);
  ParkIfFar(remote, message, effects);
  return true;
}

bool Engine::Impl::ReceiveOffline(const PeerMessage& message, Effects* effects) {
  const Slot remote = FindRemote(message.user);
  if (remote == kNoSlot || HomeOfRemote(remote) != message.from) return false;
  if (options_.spans_nodes) AnnounceFriendsOf(remote, effects);
  DropRemote(remote, LeaveReason::kOffline, effects);
  return true;
}

Slot Engine::Impl::FindRemote(UserId user) const {
  const Slot slot = cache_.Find(user);
  return slot != kNoSlot && entity(slot).is_remote ? slot : kNoSlot;
}

void Engine::Impl::DropIdleChannel(Slot remote, Effects* effects) {
  ++stats_.channels_unsubscribed;
  Send(About(cache_.user(remote), PeerMessage::Kind::kUnsubscribe), HomeOfRemote(remote), effects);
  ReleaseEntity(remote);
}

}  // namespace nearby
