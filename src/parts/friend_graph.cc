#include "nearby/friend_graph.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace nearby {
namespace {

bool HasOwnSetting(const Friendship& friendship) {
  return friendship.i_hide || friendship.i_unsubscribed;
}

// The first entry not below `friend_id`, in a list or a const list.
template <typename Pairs>
auto LowerBound(Pairs& pairs, UserId friend_id) {
  return std::lower_bound(pairs.begin(), pairs.end(), friend_id,
                          [](const FriendEntry& entry, UserId id) { return entry.friend_id < id; });
}

}  // namespace

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Befriend(UserId a, UserId b) {
  return Set(a, b, &Friendship::friends, true);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Unfriend(UserId a, UserId b) {
  return Set(a, b, &Friendship::friends, false);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Hide(Viewing viewing) {
  return Set(viewing.viewer, viewing.owner, &Friendship::friend_hides, true);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Share(Viewing viewing) {
  return Set(viewing.viewer, viewing.owner, &Friendship::friend_hides, false);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Subscribe(Viewing viewing) {
  return Set(viewing.viewer, viewing.owner, &Friendship::i_unsubscribed, false);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Unsubscribe(Viewing viewing) {
  return Set(viewing.viewer, viewing.owner, &Friendship::i_unsubscribed, true);
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Edit(const FriendEdit& edit) {
  absl::StatusOr<Outcome> outcome = EditAny(edit);
  if (outcome.ok() && outcome->change.user != edit.user) {
    FriendshipChange& change = outcome->change;
    std::swap(change.user, change.friend_id);
    change.friendship = change.friendship.Flipped();
  }
  return outcome;
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::EditAny(const FriendEdit& edit) {
  switch (edit.kind) {
    case FriendEdit::Kind::kBefriend:
      return Befriend(edit.user, edit.friend_id);
    case FriendEdit::Kind::kUnfriend:
      return Unfriend(edit.user, edit.friend_id);
    case FriendEdit::Kind::kHide:
      return Hide({/*viewer=*/edit.friend_id, /*owner=*/edit.user});
    case FriendEdit::Kind::kShare:
      return Share({/*viewer=*/edit.friend_id, /*owner=*/edit.user});
    case FriendEdit::Kind::kSubscribe:
      return Subscribe({/*viewer=*/edit.user, /*owner=*/edit.friend_id});
    case FriendEdit::Kind::kUnsubscribe:
      return Unsubscribe({/*viewer=*/edit.user, /*owner=*/edit.friend_id});
  }
  return absl::InvalidArgumentError("no such kind of edit");
}

Friendship FriendGraph::Get(UserId user, UserId friend_id) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return Friendship();
  const std::vector<FriendEntry>& pairs = found->second.pairs;
  const auto entry = LowerBound(pairs, friend_id);
  return entry != pairs.end() && entry->friend_id == friend_id ? entry->friendship : Friendship();
}

void FriendGraph::List(UserId user, std::vector<FriendEntry>* out) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  std::copy_if(found->second.pairs.begin(), found->second.pairs.end(), std::back_inserter(*out),
               [](const FriendEntry& entry) { return entry.friendship.friends; });
}

void FriendGraph::Mutual(UserId a, UserId b, std::vector<UserId>* out) const {
  const auto found_a = users_.find(a);
  const auto found_b = users_.find(b);
  if (found_a == users_.end() || found_b == users_.end()) return;
  const std::vector<FriendEntry>& of_a = found_a->second.pairs;
  const std::vector<FriendEntry>& of_b = found_b->second.pairs;
  auto it = of_b.begin();
  for (const FriendEntry& entry : of_a) {
    while (it != of_b.end() && it->friend_id < entry.friend_id) ++it;
    if (it == of_b.end()) return;
    if (it->friend_id == entry.friend_id && it->friendship.friends && entry.friendship.friends) {
      out->push_back(entry.friend_id);
    }
  }
}

std::size_t FriendGraph::friend_count(UserId user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? 0 : found->second.friend_count;
}

absl::StatusOr<FriendGraph::Outcome> FriendGraph::Set(UserId a, UserId b, bool Friendship::*fact,
                                                      bool value) {
  if (a == b) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", ToInt(a), " cannot be paired with themselves"));
  }
  const Friendship held = Get(a, b);
  Friendship wanted = held;
  wanted.*fact = value;
  if (wanted == held) return Outcome{{a, b, held, version_}, false};

  // Both sides are checked before either is written, so that a refusal changes nothing.
  absl::Status status = CheckLimits(a, held, wanted);
  status.Update(CheckLimits(b, held.Flipped(), wanted.Flipped()));
  status.Update(CheckRoom(a, b));
  if (!status.ok()) return status;
  Write(a, b, wanted);
  Write(b, a, wanted.Flipped());
  if (wanted.friends && !held.friends) ++friendship_count_;
  if (held.friends && !wanted.friends) --friendship_count_;
  version_ = FriendVersion{ToInt(version_) + 1};
  return Outcome{{a, b, wanted, version_}, true};
}

absl::Status FriendGraph::CheckLimits(UserId user, const Friendship& held,
                                      const Friendship& wanted) const {
  const auto found = users_.find(user);
  const std::uint32_t friends = found == users_.end() ? 0 : found->second.friend_count;
  const std::uint32_t settings = found == users_.end() ? 0 : found->second.setting_count;
  if (wanted.friends && !held.friends && friends >= options_.max_friends) {
    return absl::ResourceExhaustedError(absl::StrCat("user ", ToInt(user), " has the maximum of ",
                                                     options_.max_friends, " friends"));
  }
  if (HasOwnSetting(wanted) && !HasOwnSetting(held) && settings >= options_.max_settings) {
    return absl::ResourceExhaustedError(
        absl::StrCat("user ", ToInt(user), " hides from, or has unsubscribed from, the maximum of ",
                     options_.max_settings, " users"));
  }
  return absl::OkStatus();
}

absl::Status FriendGraph::CheckRoom(UserId a, UserId b) const {
  const std::size_t newcomers = (users_.contains(a) ? 0 : 1) + (users_.contains(b) ? 0 : 1);
  if (newcomers == 0 || users_.size() + newcomers <= options_.max_users) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the graph has the maximum of ", options_.max_users, " users"));
}

void FriendGraph::Write(UserId user, UserId friend_id, const Friendship& wanted) {
  const auto found = users_.try_emplace(user).first;
  User& entry_owner = found->second;
  std::vector<FriendEntry>& pairs = entry_owner.pairs;
  auto entry = LowerBound(pairs, friend_id);
  if (entry == pairs.end() || entry->friend_id != friend_id) {
    entry = pairs.insert(entry, FriendEntry{friend_id, Friendship()});
  }
  if (wanted.friends && !entry->friendship.friends) ++entry_owner.friend_count;
  if (entry->friendship.friends && !wanted.friends) --entry_owner.friend_count;
  if (HasOwnSetting(wanted) && !HasOwnSetting(entry->friendship)) ++entry_owner.setting_count;
  if (HasOwnSetting(entry->friendship) && !HasOwnSetting(wanted)) --entry_owner.setting_count;
  entry->friendship = wanted;
  if (wanted == Friendship()) pairs.erase(entry);
  if (pairs.empty()) users_.erase(found);
}

absl::Status FriendGraph::CheckInvariants() const {
  std::vector<UserId> ids;
  ids.reserve(users_.size());
  for (const auto& [id, user] : users_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  std::size_t friend_entries = 0;
  for (const UserId id : ids) {
    if (absl::Status status = CheckUser(id); !status.ok()) return status;
    friend_entries += friend_count(id);
  }
  if (friend_entries != 2 * friendship_count_) {
    return absl::InternalError(absl::StrCat("the lists hold ", friend_entries,
                                            " friends, which is not twice ", friendship_count_));
  }
  return absl::OkStatus();
}

absl::Status FriendGraph::CheckUser(UserId user) const {
  const auto violation = [user](const auto&... what) {
    return absl::InternalError(absl::StrCat("user ", ToInt(user), ": ", what...));
  };
  const User& held = users_.at(user);
  if (held.pairs.empty()) return violation("is held without pairs");
  std::size_t friends = 0;
  std::size_t settings = 0;
  for (std::size_t i = 0; i < held.pairs.size(); ++i) {
    const auto& [friend_id, friendship] = held.pairs[i];
    if (friend_id == user) return violation("is paired with themselves");
    if (i > 0 && friend_id <= held.pairs[i - 1].friend_id) {
      return violation("user ", ToInt(friend_id), " is out of order");
    }
    if (friendship == Friendship()) return violation("nothing holds for ", ToInt(friend_id));
    if (Get(friend_id, user) != friendship.Flipped()) {
      return violation("user ", ToInt(friend_id), " holds otherwise");
    }
    if (friendship.friends) ++friends;
    if (HasOwnSetting(friendship)) ++settings;
  }
  if (friends != held.friend_count || settings != held.setting_count) {
    return violation("has ", friends, " friends and ", settings, " settings, not ",
                     held.friend_count, " and ", held.setting_count);
  }
  if (friends > options_.max_friends || settings > options_.max_settings) {
    return violation("has ", friends, " friends and ", settings, " settings, over the limits");
  }
  return absl::OkStatus();
}

}  // namespace nearby
