#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/planted_bugs.h"
#include "src/base/prefetch.h"
#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

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

absl::Status Engine::Impl::FriendsLoaded(ClientHandle handle, FriendVersion version,
                                         absl::Span<const FriendEntry> friends, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  if (absl::Status status = CheckList(handle.slot, version, friends); !status.ok()) {
    ++stats_.lists_refused;
    return status;
  }
  ++stats_.lists_loaded;
  if (IsStrictlyAscending(friends)) {
    InstallFriends(handle.slot, version, friends, effects);
  } else {
    InstallFriends(handle.slot, version, SortedLastWins(friends), effects);
  }
  return absl::OkStatus();
}

absl::Status Engine::Impl::Recheck(ClientHandle handle, FriendVersion version,
                                   absl::Span<const FriendEntry> friends, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  if (absl::Status status = CheckList(handle.slot, version, friends); !status.ok()) {
    ++stats_.lists_refused;
    return status;
  }
  if (!entity(handle.slot).has_friends) {
    return absl::FailedPreconditionError("the client's friends have not been loaded yet");
  }
  ++stats_.lists_rechecked;
  const std::vector<FriendEntry> sorted = SortedLastWins(friends);
  const UserId user = cache_.user(handle.slot);
  std::vector<FriendshipChange> differences;
  for (const Edge edge : registry_.Row(handle.slot)) {
    const UserId friend_id = cache_.user(edge.neighbour());
    const auto listed =
        std::lower_bound(sorted.begin(), sorted.end(), friend_id,
                         [](const FriendEntry& entry, UserId id) { return entry.friend_id < id; });
    const bool is_listed = listed != sorted.end() && listed->friend_id == friend_id;
    const Friendship friendship = is_listed ? listed->friendship : Friendship();
    if (IsOtherwise(handle.slot, edge, friendship)) {
      differences.push_back({user, friend_id, friendship, version});
    }
  }
  // One that has no room, or is too old to be judged, stays as it is.
  for (const FriendshipChange& change : differences) Apply(change, effects).IgnoreError();
  return absl::OkStatus();
}

bool Engine::Impl::IsOtherwise(Slot client, Edge edge, const Friendship& friendship) const {
  const EdgeFlags flags = FlagsFor(client, edge.neighbour(), friendship);
  return edge.has(kIMaySee) != ((flags & kIMaySee) != 0) ||
         edge.has(kFriendMaySee) != ((flags & kFriendMaySee) != 0);
}

absl::Status Engine::Impl::CheckList(Slot client, FriendVersion version,
                                     absl::Span<const FriendEntry> friends) const {
  if (friends.size() > options_.max_friends) {
    return absl::ResourceExhaustedError(
        absl::StrCat(friends.size(), " friends; at most ", options_.max_friends, " are allowed"));
  }
  if (!changes_.IsBelievable(version)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the friend list's version ", ToInt(version),
                     " is older than changes that had to be forgotten; load it again"));
  }
  if (entity(client).has_friends && version < entity(client).list_version) {
    return absl::FailedPreconditionError(
        absl::StrCat("the friend list's version ", ToInt(version), " is older than ",
                     ToInt(entity(client).list_version), ", which this session has loaded"));
  }
  const UserId user = cache_.user(client);
  if (std::any_of(friends.begin(), friends.end(),
                  [user](const FriendEntry& entry) { return entry.friend_id == user; })) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(user), " is on their own friend list"));
  }
  return absl::OkStatus();
}

void Engine::Impl::InstallFriends(Slot client, FriendVersion version,
                                  absl::Span<const FriendEntry> friends, Effects* effects) {
  // What changed after the list was read stands, whatever the list says.
  const std::vector<FriendshipChange> changes = changes_.AllNewerThan(version, cache_.user(client));
  absl::Span<const FriendshipChange> newer = changes;
  if (IsPlanted(PlantedBug::kLateListUndoesChange)) newer = {};
  DropUnlisted(client, friends, newer, effects);
  changes_.ListInForce(version, cache_.user(client));
  const bool answers_connect = !IsReady(client);
  entity(client).has_friends = true;
  entity(client).list_version = version;
  LinkOptions link;
  link.silent_for_a = answers_connect;
  // The list and the changes name each friend once, so what follows makes no pair of these twice.
  link.is_new = registry_.Row(client).empty() || IsPlanted(PlantedBug::kPairLinkedTwice);
  // Installing makes no entity and frees none, so what has been found stays true.
  link.row_to_be = static_cast<std::uint32_t>(registry_.Row(client).size() + FindFriends(friends));
  FindHomes(friends);
  for (std::size_t i = 0; i < friends.size(); ++i) {
    const auto& [friend_id, friendship] = friends[i];
    // Offline, as most are.
    if (found_[i] == kNoSlot && homes_[i] == options_.shard && !options_.spans_nodes) continue;
    if (!newer.empty() && Names(newer, friend_id)) continue;
    InstallFriend(client, {found_[i], homes_[i]}, {{}, friend_id, friendship, version}, link,
                  effects);
  }
  for (const FriendshipChange& change : newer) {
    const Whereabouts whereabouts{cache_.Find(change.friend_id), options_.HomeOf(change.friend_id)};
    InstallFriend(client, whereabouts, change, link, effects);
  }
  registry_.Trim(client);
  if (answers_connect && MayKnowRemotes()) ReconsiderAll(client, effects);
  if (answers_connect && !options_.hold_connect_answers) AnswerConnect(client, effects);
}

// Most of the friends are offline: finding out is what a list costs, so their look-ups overlap.
std::size_t Engine::Impl::FindFriends(absl::Span<const FriendEntry> friends) {
  users_.resize(friends.size());
  std::transform(friends.begin(), friends.end(), users_.begin(),
                 [](const FriendEntry& entry) { return entry.friend_id; });
  found_.resize(friends.size());
  cache_.FindAll(users_, absl::MakeSpan(found_));
  return PrefetchFound();
}

// The host may read a table for it, so these look-ups overlap as well: nothing here depends on what
// they find.
void Engine::Impl::FindHomes(absl::Span<const FriendEntry> friends) {
  homes_.assign(friends.size(), options_.shard);
  if (options_.shard_count == 1) return;
  std::transform(friends.begin(), friends.end(), homes_.begin(),
                 [this](const FriendEntry& entry) { return options_.HomeOf(entry.friend_id); });
}

std::size_t Engine::Impl::PrefetchFound() const {
  std::size_t count = 0;
  for (const Slot found : found_) {
    if (found == kNoSlot) continue;
    ++count;
    lines_.Prefetch(found);
  }
  for (const Slot found : found_) {
    if (found != kNoSlot) registry_.PrefetchRowEnd(found);
  }
  return count;
}

void Engine::Impl::InstallFriend(Slot client, Whereabouts whereabouts, FriendshipChange pair,
                                 LinkOptions link, Effects* effects) {
  const auto [friend_slot, home] = whereabouts;
  const bool is_home = home == options_.shard;
  if (friend_slot != kNoSlot && entity(friend_slot).is_client) {
    if (!is_home) return;  // A function of the host's is not one.
    // Where the friend's list is the newer one, an edge that it made may be narrowed, not widened:
    // changes in between that widen it are remembered, or are still to be applied. Without an edge
    // nothing is known, for the friend's list was loaded before the client came.
    link.only_takes_away = !link.is_new && KnowsBetter(friend_slot, pair.version) &&
                           registry_.Find(client, friend_slot) != nullptr;
    SettleClients(client, friend_slot, pair.friendship, link, effects);
    return;
  }
  SettleRemote(client, pair.friend_id, pair.friendship, link, effects);
  if (is_home && !options_.spans_nodes) return;  // Offline.
  // The friend's shard may not know yet that the client is here, even where this shard knows all
  // about the friend.
  if (pair.friendship.i_may_see() || pair.friendship.friend_may_see()) {
    pair.user = cache_.user(client);
    Announce(PeerMessage::Kind::kAnnounce, pair, WhereIfOther(home), effects);
  }
}

// Ends edges that neither the list nor a newer change bears out: the store changed, and nobody told
// this engine.
void Engine::Impl::DropUnlisted(Slot client, absl::Span<const FriendEntry> friends,
                                absl::Span<const FriendshipChange> newer, Effects* effects) {
  std::vector<Slot> unlisted;
  for (const Edge edge : registry_.Row(client)) {
    const UserId friend_id = cache_.user(edge.neighbour());
    if (!Names(friends, friend_id) && !Names(newer, friend_id)) {
      unlisted.push_back(edge.neighbour());
    }
  }
  for (const Slot neighbour : unlisted) {
    UnlinkPair(client, neighbour, {LeaveReason::kUnfriended, LeaveReason::kUnfriended}, effects);
  }
}

}  // namespace nearby
