#include "src/engine/change_log.h"

#include <algorithm>

namespace nearby::internal {

ChangeLog::Verdict ChangeLog::Judge(const FriendshipChange& change) const {
  const auto found = latest_.find(View(change.user, change.friend_id));
  if (found != latest_.end()) {
    return change.version > found->second.version ? Verdict::kNew : Verdict::kRepeated;
  }
  if (!floor_ || change.version > *floor_) return Verdict::kNew;
  // The floor's own change may be the very one that was forgotten.
  return change.version == *floor_ ? Verdict::kRepeated : Verdict::kTooOld;
}

void ChangeLog::Record(const FriendshipChange& change) {
  latest_[View(change.user, change.friend_id)] = change;
  latest_[View(change.friend_id, change.user)] =
      FriendshipChange{change.friend_id, change.user, change.friendship.Flipped(), change.version};
  arrivals_.emplace_back(View(change.user, change.friend_id), change.version);
  MakeRoom();
}

void ChangeLog::MakeRoom() {
  while (arrivals_.size() > max_changes_) {
    const auto [view, version] = arrivals_.front();
    arrivals_.pop_front();
    const auto found = latest_.find(view);
    if (found == latest_.end() || found->second.version != version) continue;
    latest_.erase(found);
    latest_.erase(View(view.second, view.first));
    floor_ = floor_ ? std::max(*floor_, version) : version;
    ++forgotten_;
  }
}

std::optional<FriendshipChange> ChangeLog::NewerThan(FriendVersion version, UserId user,
                                                     UserId friend_id) const {
  const auto found = latest_.find(View(user, friend_id));
  if (found == latest_.end() || found->second.version <= version) return std::nullopt;
  return found->second;
}

std::vector<FriendshipChange> ChangeLog::AllNewerThan(FriendVersion version, UserId user) const {
  std::vector<FriendshipChange> newer;
  for (auto it = latest_.lower_bound(View(user, UserId{0}));
       it != latest_.end() && it->first.first == user; ++it) {
    if (it->second.version > version) newer.push_back(it->second);
  }
  return newer;
}

}  // namespace nearby::internal
