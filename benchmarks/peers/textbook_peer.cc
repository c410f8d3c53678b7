#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmarks/peers/haversine.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace peers {
namespace {

using nearby::Delivery;
using nearby::DeliveryKind;
using nearby::LatLng;
using nearby::UserId;

constexpr std::int64_t kTtlMs = 600'000;

// Whole haversine, from degrees, as the textbook prints it.
double Haversine(LatLng a, LatLng b) {
  const double sin_lat = std::sin((b.lat - a.lat) * kRadians / 2);
  const double sin_lng = std::sin((b.lng - a.lng) * kRadians / 2);
  const double h = sin_lat * sin_lat +
                   std::cos(a.lat * kRadians) * std::cos(b.lat * kRadians) * sin_lng * sin_lng;
  return 2 * nearby::kEarthRadiusMeters * std::asin(std::sqrt(h));
}

class TextbookPeer : public Peer {
 public:
  explicit TextbookPeer(const World& world) : world_(&world) {}

  absl::Status Connect() override;
  absl::Status Report(absl::Span<const TraceReport> batch,
                      std::vector<Delivery>* deliveries) override;

 private:
  struct Entry {
    LatLng location;
    nearby::Time last_seen = nearby::Time{-kTtlMs - 1};
    std::vector<UserId> friends;
    absl::flat_hash_set<UserId> in_sight;
  };

  void ReportOne(UserId id, LatLng location, nearby::Time now, std::vector<Delivery>* deliveries);

  const World* world_;
  absl::flat_hash_map<UserId, Entry> users_;
};

absl::Status TextbookPeer::Connect() {
  for (User user = 0; user < world_->users(); ++user) {
    Entry& entry = users_[world_->ids[user]];
    entry.friends.reserve(world_->FriendsOf(user).size());
    for (const User friend_user : world_->FriendsOf(user)) {
      entry.friends.push_back(world_->ids[friend_user]);
    }
  }
  return absl::OkStatus();
}

absl::Status TextbookPeer::Report(absl::Span<const TraceReport> batch,
                                  std::vector<Delivery>* deliveries) {
  for (const TraceReport& report : batch) {
    ReportOne(world_->ids[report.user], report.location, report.time, deliveries);
  }
  return absl::OkStatus();
}

void TextbookPeer::ReportOne(UserId id, LatLng location, nearby::Time now,
                             std::vector<Delivery>* deliveries) {
  Entry& user = users_.find(id)->second;
  user.location = location;
  user.last_seen = now;
  for (const UserId friend_id : user.friends) {
    Entry& other = users_.find(friend_id)->second;
    if (now.ms - other.last_seen.ms >= kTtlMs) continue;
    const double distance_m = Haversine(location, other.location);
    const bool near = distance_m <= kRadiusMeters;
    const bool was_near = user.in_sight.contains(friend_id);
    if (!near && !was_near) continue;
    Delivery delivery;
    delivery.subscriber = friend_id;
    delivery.friend_id = id;
    delivery.time = delivery.reported_at = now;
    delivery.distance_mm = std::llround(distance_m * 1000);
    delivery.kind = !near      ? DeliveryKind::kLeave
                    : was_near ? DeliveryKind::kMove
                               : DeliveryKind::kEnter;
    if (near) delivery.position = nearby::Position::FromLatLng(location);
    deliveries->push_back(delivery);
    if (near == was_near) continue;
    delivery.subscriber = id;
    delivery.friend_id = friend_id;
    delivery.reported_at = other.last_seen;
    if (near) delivery.position = nearby::Position::FromLatLng(other.location);
    deliveries->push_back(delivery);
    if (near) {
      user.in_sight.insert(friend_id);
      other.in_sight.insert(id);
    } else {
      user.in_sight.erase(friend_id);
      other.in_sight.erase(id);
    }
  }
}

}  // namespace

std::unique_ptr<Peer> MakeTextbookPeer(const World& world) {
  return std::make_unique<TextbookPeer>(world);
}

}  // namespace peers
