#include "tests/engine/delivery_ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace nearby::test {

std::string Describe(const Delivery& delivery) {
  std::string line = absl::StrCat("t=", delivery.time.ms, " ", ToInt(delivery.subscriber), "<-",
                                  ToInt(delivery.friend_id), " ", ToString(delivery.kind));
  if (delivery.kind == DeliveryKind::kLeave) {
    absl::StrAppend(&line, "{", ToString(delivery.reason), "}");
  }
  absl::StrAppend(&line, " ", delivery.distance_mm, " mm, reported at ", delivery.reported_at.ms,
                  ", cookie ", delivery.cookie);
  return line;
}

void DeliveryLedger::Open(absl::Span<const Delivery> deliveries) {
  deliveries_ = deliveries;
  open_.clear();
  progress_.clear();
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const Delivery& delivery = deliveries[i];
    open_[Key(delivery.time.ms, delivery.subscriber, delivery.friend_id)].push_back(i);
  }
}

const Delivery* DeliveryLedger::Peek(Time time, UserId subscriber, UserId friend_id) const {
  const auto found = open_.find(Key(time.ms, subscriber, friend_id));
  return found == open_.end() ? nullptr : &deliveries_[found->second.front()];
}

DeliveryLedger::Taken DeliveryLedger::Take(Time time, UserId subscriber, UserId friend_id,
                                           std::size_t event) {
  const auto found = open_.find(Key(time.ms, subscriber, friend_id));
  if (found == open_.end()) return {};
  const std::size_t index = found->second.front();
  found->second.pop_front();
  if (found->second.empty()) open_.erase(found);
  Progress& progress = progress_[subscriber];
  if (progress.event != event) {
    progress.event = event;
    progress.end_before = progress.end;
  }
  progress.end = std::max(progress.end, index + 1);
  return {&deliveries_[index], index >= progress.end_before};
}

const Delivery* DeliveryLedger::FirstLeft(Time time) const {
  std::size_t first = deliveries_.size();
  for (auto it = open_.lower_bound(Key(time.ms, UserId{0}, UserId{0}));
       it != open_.end() && std::get<0>(it->first) == time.ms; ++it) {
    first = std::min(first, it->second.front());
  }
  return first == deliveries_.size() ? nullptr : &deliveries_[first];
}

std::vector<const Delivery*> DeliveryLedger::Left() const {
  std::vector<const Delivery*> left;
  for (const auto& [key, indices] : open_) {
    for (const std::size_t index : indices) left.push_back(&deliveries_[index]);
  }
  return left;
}

}  // namespace nearby::test
