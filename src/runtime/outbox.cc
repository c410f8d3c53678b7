#include "src/runtime/outbox.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "src/base/planted_bugs.h"

namespace nearby::internal {
namespace {

ClientEvent ToEvent(const Delivery& delivery) {
  ClientEvent event;
  event.friend_id = delivery.friend_id;
  event.time = delivery.time;
  event.kind = delivery.kind;
  if (delivery.kind == DeliveryKind::kLeave) {
    event.reason = ReasonForClient(delivery.reason);
  } else {
    event.reported_at = delivery.reported_at;
    event.position = delivery.position;
    event.distance_mm = delivery.distance_mm;
  }
  return event;
}

}  // namespace

Outbox::Added Outbox::Add(const Delivery& delivery, std::size_t limit) {
  if (delivery.kind == DeliveryKind::kReset) {
    Clear();
    start_ = BatchStart::kReset;
    return Added::kWaits;
  }
  if (start_ == BatchStart::kResync) return Added::kCovered;
  const ClientEvent event = ToEvent(delivery);
  if (Entry* entry = Find(event.friend_id); entry != nullptr) return Merge(entry, event);
  // Cancelled entries count: their places are taken until the next batch.
  if (entries_.size() >= limit) {
    Clear();
    start_ = BatchStart::kResync;
    return Added::kOverflow;
  }
  entries_.push_back({event, true});
  ++live_;
  if (entries_.size() > kUnindexed) {
    if (index_.empty()) {
      for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
        index_[entries_[i].event.friend_id] = static_cast<std::uint32_t>(i);
      }
    }
    index_[event.friend_id] = static_cast<std::uint32_t>(entries_.size() - 1);
  }
  return Added::kWaits;
}

Outbox::Added Outbox::Merge(Entry* entry, const ClientEvent& event) {
  if (!entry->is_live) {
    *entry = {event, true};
    ++live_;
    return Added::kWaits;
  }
  const DeliveryKind waiting = entry->event.kind;
  if (IsPlanted(PlantedBug::kLeaveLostInConflation) && waiting == DeliveryKind::kMove) {
    return Added::kMerged;
  }
  entry->event = event;
  if (waiting == DeliveryKind::kEnter) {
    if (event.kind == DeliveryKind::kLeave && !IsPlanted(PlantedBug::kCancelledEnterLeaves)) {
      entry->is_live = false;
      --live_;
      return Added::kCancelled;
    }
    entry->event.kind = DeliveryKind::kEnter;
  } else if (event.kind == DeliveryKind::kEnter) {
    entry->event.kind = DeliveryKind::kMove;
  }
  return Added::kMerged;
}

Outbox::Entry* Outbox::Find(UserId friend_id) {
  if (!index_.empty()) {
    const auto found = index_.find(friend_id);
    return found == index_.end() ? nullptr : &entries_[found->second];
  }
  for (Entry& entry : entries_) {
    if (entry.event.friend_id == friend_id) return &entry;
  }
  return nullptr;
}

absl::Span<const ClientEvent> Outbox::Events() {
  events_.clear();
  for (const Entry& entry : entries_) {
    if (entry.is_live) events_.push_back(entry.event);
  }
  return events_;
}

void Outbox::Clear() {
  entries_.clear();
  index_.clear();
  live_ = 0;
  start_ = BatchStart::kGoesOn;
}

}  // namespace nearby::internal
