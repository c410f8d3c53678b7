#include "absl/strings/str_cat.h"
#include "src/base/planted_bugs.h"
#include "src/engine/engine_impl.h"

namespace nearby {

absl::Status Engine::Impl::CheckPair(const FriendshipChange& change) const {
  if (change.user == change.friend_id) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(change.user), " cannot be their own friend"));
  }
  if (!IsHome(change.user) && !IsHome(change.friend_id)) {
    return absl::InvalidArgumentError(absl::StrCat("neither user ", ToInt(change.user),
                                                   " nor user ", ToInt(change.friend_id),
                                                   " is at home on shard ", ToInt(options_.shard)));
  }
  return absl::OkStatus();
}

absl::Status Engine::Impl::Apply(const FriendshipChange& change, Effects* effects) {
  if (absl::Status status = CheckPair(change); !status.ok()) return status;
  switch (changes_.Judge(change)) {
    case internal::ChangeLog::Verdict::kRepeated:
      ++stats_.changes_repeated;
      return absl::OkStatus();
    case internal::ChangeLog::Verdict::kTooOld:
      return ApplyTooOld(change, effects);
    case internal::ChangeLog::Verdict::kNew:
      break;
  }
  // What the lists have taken account of is old news: what came of it later is in force already,
  // and must not be undone even for a moment. But whatever takes sight away is applied all the
  // same, in case a list was not as new as it said. What the pair's later changes granted then has
  // to come again, from them or from the lists.
  const bool is_old_news = ListsCover(change) && !changes_.IsInForce(change.user, change.friend_id);
  LinkOptions link;
  link.only_takes_away = is_old_news;
  const std::uint64_t links_refused = stats_.links_refused;
  const bool has_changed = SettlePair(change, link, effects);
  if (is_old_news && has_changed) RequestFriendsOf(change, effects);
  changes_.Record(change, !is_old_news || has_changed);
  ++stats_.changes_applied;
  if (stats_.links_refused == links_refused) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("user ", ToInt(change.user), " or user ",
                                                   ToInt(change.friend_id), " has ",
                                                   options_.max_friends, " friends online"));
}

// For a late change, which may have taken away what a later one granted: that one may have been
// applied already, be forgotten, or never come because nobody knows that it was made.
void Engine::Impl::RequestFriendsOf(const FriendshipChange& change, Effects* effects) {
  for (const UserId user : {change.user, change.friend_id}) {
    const Slot client = IsHome(user) ? FindClient(user) : kNoSlot;
    if (client != kNoSlot && entity(client).has_friends) RequestFriends(client, effects);
  }
}

// Fails closed: nobody can tell whether a forgotten change granted it anew.
absl::Status Engine::Impl::ApplyTooOld(const FriendshipChange& change, Effects* effects) {
  LinkOptions link;
  link.only_takes_away = true;
  SettlePair(change, link, effects);
  RequestFriendsOf(change, effects);
  return absl::FailedPreconditionError(
      absl::StrCat("the change's version ", ToInt(change.version),
                   " is not newer than changes that had to be forgotten: only what it takes away "
                   "was applied; both users' friends are to be loaded again"));
}

// Whether each of the two who is a client here has loaded a list as new as the change. Of a user
// who is at home elsewhere, their own shard knows, and announces them if theirs is older.
bool Engine::Impl::ListsCover(const FriendshipChange& change) const {
  bool knows_either = false;
  for (const UserId user : {change.user, change.friend_id}) {
    if (!IsHome(user)) continue;
    const Slot client = FindClient(user);
    if (client == kNoSlot && options_.spans_nodes) continue;  // They may be on another node.
    if (client == kNoSlot || !entity(client).has_friends ||
        entity(client).list_version < change.version) {
      return false;
    }
    knows_either = true;
  }
  return knows_either;
}

bool Engine::Impl::SettlePair(const FriendshipChange& change, LinkOptions link, Effects* effects) {
  const Slot a = IsHome(change.user) ? FindClient(change.user) : kNoSlot;
  const Slot b = IsHome(change.friend_id) ? FindClient(change.friend_id) : kNoSlot;
  if (a != kNoSlot && b != kNoSlot) return SettleClients(a, b, change.friendship, link, effects);
  const bool are_home = IsHome(change.user) && IsHome(change.friend_id);
  if (are_home && !options_.spans_nodes) return false;  // One of them is offline.
  const Slot client = a != kNoSlot ? a : b;
  if (client == kNoSlot) return false;
  FriendshipChange pair = change;
  if (client == b) {
    pair = {change.friend_id, change.user, change.friendship.Flipped(), change.version};
  }
  // What the other may see is for their own shard to settle, which has been given the same change.
  const bool is_known = FindRemote(pair.friend_id) != kNoSlot;
  if (is_known) return SettleRemote(client, pair.friend_id, pair.friendship, link, effects);
  if (pair.friendship.i_may_see() && !link.only_takes_away) {
    Announce(PeerMessage::Kind::kAnnounce, pair, HomeOfOther(pair.friend_id), effects);
  }
  return false;
}

Engine::Impl::Reasons Engine::Impl::ReasonsFor(const Friendship& friendship) {
  if (!friendship.friends) return {LeaveReason::kUnfriended, LeaveReason::kUnfriended};
  return {friendship.friend_hides ? LeaveReason::kHidden : LeaveReason::kUnsubscribed,
          friendship.i_hide ? LeaveReason::kHidden : LeaveReason::kUnsubscribed};
}

// What a remote may see is for their own shard to know.
EdgeFlags Engine::Impl::FlagsFor(Slot a, Slot b, const Friendship& friendship) const {
  EdgeFlags flags = kNoEdgeFlags;
  if (entity(a).is_client && friendship.i_may_see()) flags = flags | kIMaySee;
  if (entity(b).is_client && friendship.friend_may_see()) flags = flags | kFriendMaySee;
  if (entity(a).has_radius) flags = flags | kIHaveRadius;
  if (entity(b).has_radius) flags = flags | kFriendHasRadius;
  return flags;
}

Engine::Impl::LinkResult Engine::Impl::LinkPair(Slot a, Slot b, const Friendship& friendship,
                                                LinkOptions link, Effects* effects) {
  EdgeFlags flags = FlagsFor(a, b, friendship);
  // Settling again what has been settled would let in whom a page holds back, so only a direction
  // that changes is settled.
  std::uint32_t changed = kIMaySee | kFriendMaySee;
  Edge* edge = link.is_new ? nullptr : registry_.FindMutable(a, b);
  if (edge == nullptr) {
    if (link.only_takes_away) return LinkResult::kUnchanged;
    if (!registry_.Link(a, b, flags, now_tick_, link.row_to_be).ok()) {
      ++stats_.links_refused;
      return LinkResult::kRefused;
    }
    // Who is nowhere sees nobody and is not seen, as most are who have just connected.
    if (!cache_.is_active(a)) return LinkResult::kChanged;
    edge = &registry_.MutableRow(a).edges.back();
  } else {
    if (link.only_takes_away) flags = static_cast<EdgeFlags>(flags & edge->flags());
    changed &= edge->flags() ^ flags;
    if (changed == 0) return LinkResult::kUnchanged;
    ClearBoth(a, *edge, kIMaySee | kFriendMaySee);
    SetBoth(a, *edge, static_cast<EdgeFlags>(flags & (kIMaySee | kFriendMaySee)));
  }
  const Reasons reasons = ReasonsFor(friendship);
  if ((changed & kIMaySee) != 0 && !link.silent_for_a) {
    SettleView(a, *edge, reasons.for_a, effects);
  }
  if ((changed & kFriendMaySee) != 0) SettleViewOf(a, *edge, reasons.for_b, effects);
  return LinkResult::kChanged;
}

bool Engine::Impl::UnlinkPair(Slot a, Slot b, Reasons reasons, Effects* effects) {
  Edge* edge = registry_.FindMutable(a, b);
  if (edge == nullptr) return false;
  ClearBoth(a, *edge, kIMaySee | kFriendMaySee);
  SettleView(a, *edge, reasons.for_a, effects);
  SettleViewOf(a, *edge, reasons.for_b, effects);
  registry_.Unlink(a, b);
  for (const Slot slot : {a, b}) {
    if (entity(slot).is_remote) registry_.MaybeLastOut(slot, now_);
  }
  return true;
}

void Engine::Impl::UnlinkAll(Slot slot, LeaveReason reason, Effects* effects) {
  const absl::Span<const Edge> row = registry_.Row(slot);
  for (const Edge edge : row) {
    if (edge.has(kFriendSees)) lines_.Prefetch(edge.neighbour());
  }
  // No flag has to be cleared of edges that go.
  remotes_.clear();
  for (std::size_t i = row.size(); i > 0; --i) {
    const Edge edge = row[i - 1];
    const Slot neighbour = edge.neighbour();
    if (edge.has(kISee)) ForgetPace(slot, neighbour);
    if (edge.has(kFriendSees)) {
      ForgetPace(neighbour, slot);
      Leave(neighbour, slot, reason, 0, effects);
    }
    if (MayKnowRemotes() && entity(neighbour).is_remote) remotes_.push_back(neighbour);
  }
  // Whoever unlinks an entity releases it next.
  cache_.PrefetchRelease(slot);
  registry_.UnlinkAll(slot);
  for (const Slot remote : remotes_) registry_.MaybeLastOut(remote, now_);
}

bool Engine::Impl::SettleClients(Slot a, Slot b, const Friendship& friendship, LinkOptions link,
                                 Effects* effects) {
  if (!friendship.friends) return UnlinkPair(a, b, ReasonsFor(friendship), effects);
  return LinkPair(a, b, friendship, link, effects) == LinkResult::kChanged;
}

bool Engine::Impl::SettleRemote(Slot client, UserId remote, const Friendship& friendship,
                                LinkOptions link, Effects* effects) {
  const Slot slot = FindRemote(remote);
  if (slot == kNoSlot) return false;
  if (!friendship.i_may_see()) return UnlinkPair(client, slot, ReasonsFor(friendship), effects);
  const LinkResult result = LinkPair(client, slot, friendship, link, effects);
  if (result == LinkResult::kChanged) SubscribeIfFirst(slot, effects);
  return result == LinkResult::kChanged;
}

void Engine::Impl::DropRemote(Slot remote, LeaveReason reason, Effects* effects) {
  if (IsPlanted(PlantedBug::kSlotFreedWithEdges)) return ReleaseEntity(remote);
  UnlinkAll(remote, reason, effects);
  registry_.ForgetChannel(remote);
  ReleaseEntity(remote);
}

}  // namespace nearby
