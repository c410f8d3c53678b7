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
      waiting_[found->second - taken_] = location;
      return;
    }
  }
  if (waiting_.size() + batch_.size() >= limit_) {
    ++dropped_;
    return;
  }
  if (keep_ == Keep::kNewestOfEachUser) newest_[location.user] = taken_ + waiting_.size();
  waiting_.push_back(location);
}

void WriteBehind::Drop(UserId user) {
  const auto found = newest_.find(user);
  if (found != newest_.end()) {
    waiting_[found->second - taken_].position = Position::Nowhere();
    newest_.erase(found);
  }
  // A batch that fails is not repeated for a user who is no longer there. They are taken out of it
  // all at once when it is: one by one would be a pass over the batch for each.
  if (batch_.empty()) return;
  gone_.insert(user);
  if (gone_.size() > 2 * batch_.size()) ForgetStrangers();
}

// However long the batch is held, and whoever comes and goes meanwhile: at least half of those
// who are gone have nothing in it, so it is paid for by the drops since the last time.
void WriteBehind::ForgetStrangers() {
  absl::flat_hash_set<UserId> theirs;
  for (const AcceptedLocation& location : batch_) {
    if (gone_.contains(location.user)) theirs.insert(location.user);
  }
  gone_ = std::move(theirs);
}

void WriteBehind::RemoveGone() {
  if (gone_.empty()) return;
  const auto is_gone = [this](const AcceptedLocation& location) {
    return gone_.contains(location.user);
  };
  batch_.erase(std::remove_if(batch_.begin(), batch_.end(), is_gone), batch_.end());
  gone_.clear();
}

absl::Span<const AcceptedLocation> WriteBehind::Begin(Time now) {
  if (is_under_way_ || now < not_before_) return {};
  RemoveGone();
  if (batch_.empty()) Fill();
  is_under_way_ = !batch_.empty();
  return batch_;
}

void WriteBehind::Fill() {
  attempts_ = 0;
  for (; !waiting_.empty() && batch_.size() < kMaxBatch; ++taken_) {
    const AcceptedLocation& next = waiting_.front();
    if (next.position.is_somewhere()) {
      newest_.erase(next.user);
      batch_.push_back(next);
    }
    waiting_.pop_front();
  }
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
  ++attempts_;
  RemoveGone();
  if (!MayHelp(status)) {
    dropped_ += batch_.size();
    batch_.clear();
  }
  // Whether the next is this batch or another: it is the store that is given time.
  not_before_ = Time{now.ms + backoff_.DelayMs(++failures_in_a_row_)};
}

bool WriteBehind::MayHelp(const absl::Status& status) const {
  // A store of where everybody is that is full stays full for a while, and until then there will be
  // newer locations. A log is more likely to be busy.
  if (keep_ == Keep::kNewestOfEachUser && absl::IsResourceExhausted(status)) return false;
  return IsRetryable(status.code()) && attempts_ < kMaxAttempts;
}

Time WriteBehind::next_attempt() const {
  if (is_under_way_ || (batch_.empty() && waiting_.empty())) return kNever;
  return not_before_;
}

}  // namespace nearby::internal
