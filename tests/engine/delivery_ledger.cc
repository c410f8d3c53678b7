#include "tests/engine/delivery_ledger.h"

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
  events_.assign(deliveries.size(), kNoEvent);
  open_.clear();
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const Delivery& delivery = deliveries[i];
    open_[Key(delivery.time.ms, delivery.subscriber, delivery.friend_id)].push_back(i);
  }
}

const Delivery* DeliveryLedger::Peek(Time time, UserId subscriber, UserId friend_id) const {
  const auto found = open_.find(Key(time.ms, subscriber, friend_id));
  if (found == open_.end() || found->second.empty()) return nullptr;
  return &deliveries_[found->second.front()];
}

const Delivery* DeliveryLedger::Take(Time time, UserId subscriber, UserId friend_id,
                                     std::size_t event) {
  const auto found = open_.find(Key(time.ms, subscriber, friend_id));
  if (found == open_.end() || found->second.empty()) return nullptr;
  const std::size_t index = found->second.front();
  found->second.pop_front();
  events_[index] = event;
  return &deliveries_[index];
}

std::vector<std::string> DeliveryLedger::Faults() const {
  std::vector<std::string> faults;
  std::map<UserId, std::size_t> latest;
  for (std::size_t i = 0; i < deliveries_.size(); ++i) {
    const Delivery& delivery = deliveries_[i];
    if (events_[i] == kNoEvent) {
      faults.push_back(absl::StrCat("must not be delivered: ", Describe(delivery)));
      continue;
    }
    std::size_t& event = latest[delivery.subscriber];
    if (events_[i] < event) {
      faults.push_back(absl::StrCat("delivered after what followed it: ", Describe(delivery)));
    }
    event = events_[i];
  }
  return faults;
}

}  // namespace nearby::test
