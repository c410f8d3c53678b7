#ifndef NEARBY_TESTS_RUNTIME_OUTBOX_MODEL_H_
#define NEARBY_TESTS_RUNTIME_OUTBOX_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"

namespace nearby::test {

/// A delivery as an engine makes it; `stamp` makes it recognisable.
inline Delivery MakeDelivery(DeliveryKind kind, UserId friend_id, std::int64_t stamp) {
  Delivery delivery;
  delivery.subscriber = UserId{1'000};
  delivery.friend_id = kind == DeliveryKind::kReset ? delivery.subscriber : friend_id;
  delivery.kind = kind;
  delivery.time = Time{stamp};
  if (kind == DeliveryKind::kLeave) {
    delivery.reason = LeaveReason::kRange;
    delivery.distance_mm = stamp + 7;
  } else if (kind != DeliveryKind::kReset) {
    delivery.reported_at = Time{stamp + 1};
    delivery.position = Position::FromLatLng({1, static_cast<double>(stamp % 90)});
    delivery.distance_mm = stamp + 2;
  }
  return delivery;
}

inline bool operator==(const ClientEvent& a, const ClientEvent& b) {
  return a.friend_id == b.friend_id && a.time == b.time && a.reported_at == b.reported_at &&
         a.position == b.position && a.distance_mm == b.distance_mm && a.kind == b.kind &&
         a.reason == b.reason;
}

/// What deliveries say, one after the other, about who is in sight, and each one's newest.
class Truth {
 public:
  void Apply(const Delivery& delivery) {
    if (delivery.kind == DeliveryKind::kReset) {
      in_sight_.clear();
    } else if (delivery.kind == DeliveryKind::kLeave) {
      in_sight_.erase(delivery.friend_id);
    } else {
      in_sight_[delivery.friend_id] = delivery;
    }
  }
  bool Sees(UserId friend_id) const { return in_sight_.count(friend_id) > 0; }
  const std::map<UserId, Delivery>& in_sight() const { return in_sight_; }

 private:
  std::map<UserId, Delivery> in_sight_;
};

/// A client that applies batches as they say, and notices what makes no sense.
class ModelClient {
 public:
  void Apply(BatchStart start, absl::Span<const ClientEvent> events) {
    if (start != BatchStart::kGoesOn) in_sight_.clear();
    for (const ClientEvent& event : events) {
      const bool has = in_sight_.count(event.friend_id) > 0;
      switch (event.kind) {
        case DeliveryKind::kEnter:
          makes_sense_ = makes_sense_ && !has;
          in_sight_[event.friend_id] = event;
          break;
        case DeliveryKind::kMove:
          makes_sense_ = makes_sense_ && has;
          in_sight_[event.friend_id] = event;
          break;
        case DeliveryKind::kLeave:
          makes_sense_ = makes_sense_ && has && !event.position.is_somewhere() &&
                         event.distance_mm == 0 && event.reported_at == Time();
          in_sight_.erase(event.friend_id);
          break;
        case DeliveryKind::kReset:
          makes_sense_ = false;
      }
    }
  }

  bool makes_sense() const { return makes_sense_; }

  /// Whether the client believes what is true, down to the newest position of each.
  bool Believes(const Truth& truth) const {
    if (in_sight_.size() != truth.in_sight().size()) return false;
    return std::all_of(in_sight_.begin(), in_sight_.end(), [&truth](const auto& believed) {
      const auto found = truth.in_sight().find(believed.first);
      if (found == truth.in_sight().end()) return false;
      const ClientEvent& event = believed.second;
      const Delivery& newest = found->second;
      return event.position == newest.position && event.distance_mm == newest.distance_mm &&
             event.reported_at == newest.reported_at && event.time == newest.time;
    });
  }

 private:
  std::map<UserId, ClientEvent> in_sight_;
  bool makes_sense_ = true;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_OUTBOX_MODEL_H_
