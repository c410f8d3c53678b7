#include "src/runtime/write_behind.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {

void WriteBehind::Add(const AcceptedLocation& location) {
  if (keep_ == Keep::kNewestOfEachUser) {
    const auto found = newest_.find(location.user);
    if (found != newest_.end()) {
      waiting_[found->second] = location;
      return;
    }
  }
  if (waiting_.size() + batch_.size() >= limit_) {
    ++dropped_;
    return;
  }
  if (keep_ == Keep::kNewestOfEachUser) newest_[location.user] = waiting_.size();
  waiting_.push_back(location);
}

void WriteBehind::Drop(UserId user) {
  const auto found = newest_.find(user);
  if (found != newest_.end()) {
    waiting_[found->second].position = Position::Nowhere();
    newest_.erase(found);
  }
  // A batch that fails is not repeated for a user who is no longer there.
  if (!batch_.empty()) gone_.insert(user);
  if (!is_under_way_) {
    RemoveGone();
  } else if (gone_.size() > 2 * batch_.size()) {
    ForgetStrangers();
  }
}

// However long the batch is under way, and whoever comes and goes meanwhile: at least half of those
// who are gone have nothing in it, so it is paid for by the drops since the last time.
void WriteBehind::ForgetStrangers() {
  absl::flat_hash_set<UserId> theirs;
  for (const AcceptedLocation& location : batch_) {
    if (gone_.contains(location.user)) theirs.insert(location.user);
  }
  gone_ = std::move(theirs);
}

void WriteBehind::RemoveGone() {
  const auto is_gone = [this](const AcceptedLocation& location) {
    return gone_.contains(location.user);
  };
  batch_.erase(std::remove_if(batch_.begin(), batch_.end(), is_gone), batch_.end());
  gone_.clear();
}

absl::Span<const AcceptedLocation> WriteBehind::Begin(Time now) {
  if (is_under_way_ || now < not_before_) return {};
  if (batch_.empty()) {
    const auto was_dropped = [](const AcceptedLocation& location) {
      return !location.position.is_somewhere();
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), was_dropped), waiting_.end());
    std::swap(batch_, waiting_);
    newest_.clear();
  }
  is_under_way_ = !batch_.empty();
  return batch_;
}

void WriteBehind::End(const absl::Status& status, Time now) {
  is_under_way_ = false;
  if (status.ok()) {
    stored_ += batch_.size();
    failures_in_a_row_ = 0;
    batch_.clear();
    gone_.clear();
    return;
  }
  ++failures_;
  if (!IsRetryable(status.code())) {
    dropped_ += batch_.size();
    batch_.clear();
  }
  RemoveGone();
  not_before_ = Time{now.ms + backoff_.DelayMs(++failures_in_a_row_)};
}

Time WriteBehind::next_attempt() const {
  if (is_under_way_ || (batch_.empty() && waiting_.empty())) return kNever;
  return not_before_;
}

}  // namespace nearby::internal
