#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

namespace nearby {

absl::Status Engine::Impl::Apply(const FriendshipChange& change, Effects* effects) {
  if (change.user == change.friend_id) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(change.user), " cannot be their own friend"));
  }
  if (!IsHome(change.user) && !IsHome(change.friend_id)) {
    return absl::InvalidArgumentError(absl::StrCat("neither user ", ToInt(change.user),
                                                   " nor user ", ToInt(change.friend_id),
                                                   " is at home on shard ", ToInt(options_.shard)));
  }
  switch (changes_.Judge(change)) {
    case internal::ChangeLog::Verdict::kRepeated:
      ++stats_.changes_repeated;
      return absl::OkStatus();
    case internal::ChangeLog::Verdict::kTooOld:
      return absl::FailedPreconditionError(
          absl::StrCat("the change's version ", ToInt(change.version),
                       " is older than changes that had to be forgotten"));
    case internal::ChangeLog::Verdict::kNew:
      break;
  }
  changes_.Record(change);
  ++stats_.changes_applied;
  const std::uint64_t links_refused = stats_.links_refused;
  const Slot a = IsHome(change.user) ? FindClient(change.user) : kNoSlot;
  const Slot b = IsHome(change.friend_id) ? FindClient(change.friend_id) : kNoSlot;
  if (IsHome(change.user) && IsHome(change.friend_id)) {
    if (a == kNoSlot || b == kNoSlot) return absl::OkStatus();
    // Old news to both lists: what came of it later is in force already.
    if (ListCovers(a, change.version) && ListCovers(b, change.version)) return absl::OkStatus();
    SettleClients(a, b, change.friendship, {}, effects);
  } else if (a != kNoSlot) {
    ApplyTo(a, change, effects);
  } else if (b != kNoSlot) {
    ApplyTo(b, {change.friend_id, change.user, change.friendship.Flipped(), change.version},
            effects);
  }
  if (stats_.links_refused == links_refused) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("user ", ToInt(change.user), " or user ",
                                                   ToInt(change.friend_id), " has ",
                                                   options_.max_friends, " friends online"));
}

// A change between a client here and a user who is at home elsewhere. What that user may see is for
// their own shard to settle, which has been given the same change.
void Engine::Impl::ApplyTo(Slot client, const FriendshipChange& change, Effects* effects) {
  if (SettleRemote(client, change.friend_id, change.friendship, {}, effects)) return;
  Announce(PeerMessage::Kind::kAnnounce, change, effects);
}

Engine::Impl::Reasons Engine::Impl::ReasonsFor(const Friendship& friendship) {
  if (!friendship.friends) return {LeaveReason::kUnfriended, LeaveReason::kUnfriended};
  return {friendship.friend_hides ? LeaveReason::kHidden : LeaveReason::kUnsubscribed,
          friendship.i_hide ? LeaveReason::kHidden : LeaveReason::kUnsubscribed};
}

// What a remote may see is for their own shard to know.
EdgeFlags Engine::Impl::FlagsFor(Slot a, Slot b, const Friendship& friendship) const {
  const auto has_radius = [this](const Entity& e) {
    return e.is_client && e.radius_m != options_.radius_m;
  };
  EdgeFlags flags = kNoEdgeFlags;
  if (entity(a).is_client && friendship.i_may_see()) flags = flags | kIMaySee;
  if (entity(b).is_client && friendship.friend_may_see()) flags = flags | kFriendMaySee;
  if (has_radius(entity(a))) flags = flags | kIHaveRadius;
  if (has_radius(entity(b))) flags = flags | kFriendHasRadius;
  return flags;
}

bool Engine::Impl::LinkPair(Slot a, Slot b, const Friendship& friendship, LinkOptions link,
                            Effects* effects) {
  const EdgeFlags flags = FlagsFor(a, b, friendship);
  // Settling again what has been settled would let in whom a page holds back, so only a direction
  // that changes is settled.
  std::uint32_t changed = kIMaySee | kFriendMaySee;
  Edge* edge = registry_.FindMutable(a, b);
  if (edge == nullptr) {
    if (!registry_.Link(a, b, flags).ok()) {
      ++stats_.links_refused;
      return false;
    }
    edge = registry_.FindMutable(a, b);
  } else {
    changed &= edge->flags() ^ flags;
    ClearBoth(a, *edge, kIMaySee | kFriendMaySee);
    SetBoth(a, *edge, flags);
  }
  const Reasons reasons = ReasonsFor(friendship);
  if ((changed & kIMaySee) != 0 && !link.silent_for_a) {
    SettleView(a, *edge, reasons.for_a, effects);
  }
  if ((changed & kFriendMaySee) != 0) SettleViewOf(a, *edge, reasons.for_b, effects);
  return true;
}

void Engine::Impl::UnlinkPair(Slot a, Slot b, Reasons reasons, Effects* effects) {
  Edge* edge = registry_.FindMutable(a, b);
  if (edge == nullptr) return;
  ClearBoth(a, *edge, kIMaySee | kFriendMaySee);
  SettleView(a, *edge, reasons.for_a, effects);
  SettleViewOf(a, *edge, reasons.for_b, effects);
  registry_.Unlink(a, b);
  for (const Slot slot : {a, b}) {
    if (entity(slot).is_remote) registry_.MaybeLastOut(slot, now_);
  }
}

void Engine::Impl::UnlinkAll(Slot slot, LeaveReason reason, Effects* effects) {
  while (!registry_.Row(slot).empty()) {
    Edge& edge = registry_.MutableRow(slot).back();
    const Slot neighbour = edge.neighbour();
    if (edge.has(kISee)) ForgetView(slot, edge);
    if (edge.has(kFriendSees)) {
      ForgetView(neighbour, *registry_.FindMutable(neighbour, slot));
      Leave(neighbour, slot, reason, effects);
    }
    registry_.Unlink(slot, neighbour);
    if (entity(neighbour).is_remote) registry_.MaybeLastOut(neighbour, now_);
  }
}

void Engine::Impl::SettleClients(Slot a, Slot b, const Friendship& friendship, LinkOptions link,
                                 Effects* effects) {
  if (friendship.friends) {
    LinkPair(a, b, friendship, link, effects);
  } else {
    UnlinkPair(a, b, ReasonsFor(friendship), effects);
  }
}

bool Engine::Impl::SettleRemote(Slot client, UserId remote, const Friendship& friendship,
                                LinkOptions link, Effects* effects) {
  const Slot slot = FindRemote(remote);
  if (!friendship.i_may_see()) {
    if (slot != kNoSlot) UnlinkPair(client, slot, ReasonsFor(friendship), effects);
    return true;
  }
  if (slot == kNoSlot) return false;
  if (LinkPair(client, slot, friendship, link, effects)) SubscribeIfFirst(slot, effects);
  return true;
}

void Engine::Impl::DropRemote(Slot remote, LeaveReason reason, Effects* effects) {
  UnlinkAll(remote, reason, effects);
  registry_.ForgetChannel(remote);
  ReleaseEntity(remote);
}

}  // namespace nearby
