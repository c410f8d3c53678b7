#include "examples/phones/violations.h"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/ids.h"

namespace phones {

const char* ToString(ViolationKind kind) {
  switch (kind) {
    case ViolationKind::kEnterTwice:
      return "a friend entered who was in sight";
    case ViolationKind::kMoveUnseen:
      return "a friend moved who was not in sight";
    case ViolationKind::kLeaveUnseen:
      return "a friend left who was not in sight";
    case ViolationKind::kNoFriend:
      return "news of somebody who is no friend";
    case ViolationKind::kUnsubscribed:
      return "news of a friend unsubscribed from";
    case ViolationKind::kTimeBackward:
      return "time went backward";
    case ViolationKind::kTwiceInUpdate:
      return "two events about one friend in one update";
    case ViolationKind::kBeforeInit:
      return "news before the answer to init";
    case ViolationKind::kUnaskedAnswer:
      return "an answer to no call, or of the wrong kind";
    case ViolationKind::kUnreadable:
      return "a frame that is no message";
  }
  return "unknown";
}

std::string ToString(const Violation& violation) {
  std::string text =
      absl::StrCat(absl::FormatTime("%H:%M:%E3S", violation.time.ToAbsl(), absl::UTCTimeZone()),
                   "  user ", nearby::ToInt(violation.user), ": ", ToString(violation.kind));
  if (violation.friend_id.has_value()) {
    absl::StrAppend(&text, ", user ", nearby::ToInt(*violation.friend_id));
  }
  return text;
}

void Violations::Add(const Violation& violation) {
  ++counts_[static_cast<std::size_t>(violation.kind)];
  if (!first_.has_value()) first_ = violation;
}

void Violations::Add(const Violations& other) {
  for (std::size_t i = 0; i < kViolationKinds; ++i) counts_[i] += other.counts_[i];
  const bool is_earlier =
      other.first_.has_value() && (!first_.has_value() || other.first_->time < first_->time);
  if (is_earlier) first_ = other.first_;
}

std::uint64_t Violations::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace phones
