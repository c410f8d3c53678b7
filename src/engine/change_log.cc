#include "src/engine/change_log.h"

#include <algorithm>

namespace nearby::internal {

ChangeLog::Verdict ChangeLog::Judge(const FriendshipChange& change) const {
  const auto found = latest_.find(View(change.user, change.friend_id));
  if (found != latest_.end()) {
    return change.version > found->second.change.version ? Verdict::kNew : Verdict::kRepeated;
  }
  return !floor_ || change.version > *floor_ ? Verdict::kNew : Verdict::kTooOld;
}

void ChangeLog::Record(const FriendshipChange& change, bool in_force) {
  const View view(change.user, change.friend_id);
  const bool is_first = !latest_.contains(view);
  latest_[view] = Remembered{change, in_force};
  latest_[View(change.friend_id, change.user)] = Remembered{
      {change.friend_id, change.user, change.friendship.Flipped(), change.version}, in_force};
  if (is_first) arrivals_.emplace_back(view, change.version);
  MakeRoom();
}

void ChangeLog::ListInForce(FriendVersion version, UserId user) {
  for (auto it = latest_.lower_bound(View(user, UserId{0}));
       it != latest_.end() && it->first.first == user; ++it) {
    if (it->second.change.version > version || !it->second.in_force) continue;
    it->second.in_force = false;
    latest_.at(View(it->first.second, user)).in_force = false;
  }
}

bool ChangeLog::IsInForce(UserId user, UserId friend_id) const {
  const auto found = latest_.find(View(user, friend_id));
  return found != latest_.end() && found->second.in_force;
}

void ChangeLog::MakeRoom() {
  while (arrivals_.size() > max_changes_) {
    const auto [view, arrived] = arrivals_.front();
    arrivals_.pop_front();
    const auto found = latest_.find(view);
    const FriendVersion version = found->second.change.version;
    if (version != arrived) {
      arrivals_.emplace_back(view, version);
      continue;
    }
    latest_.erase(found);
    latest_.erase(View(view.second, view.first));
    floor_ = floor_ ? std::max(*floor_, version) : version;
    ++forgotten_;
  }
}

std::optional<FriendshipChange> ChangeLog::NewerThan(FriendVersion version, UserId user,
                                                     UserId friend_id) const {
  const auto found = latest_.find(View(user, friend_id));
  if (found == latest_.end() || found->second.change.version <= version) return std::nullopt;
  return found->second.change;
}

std::vector<FriendshipChange> ChangeLog::AllNewerThan(FriendVersion version, UserId user) const {
  std::vector<FriendshipChange> newer;
  for (auto it = latest_.lower_bound(View(user, UserId{0}));
       it != latest_.end() && it->first.first == user; ++it) {
    if (it->second.change.version > version) newer.push_back(it->second.change);
  }
  return newer;
}

}  // namespace nearby::internal
