#include "benchmarks/capacity/textbook.h"

#include <cmath>
#include <utility>

namespace capacity {
namespace {

using nearby::LatLng;
using nearby::UserId;

double TextbookHaversine(LatLng a, LatLng b) {
  constexpr double kRadians = 3.141592653589793 / 180;
  const double lat = std::sin((b.lat - a.lat) * kRadians / 2);
  const double lng = std::sin((b.lng - a.lng) * kRadians / 2);
  const double h = lat * lat + std::cos(a.lat * kRadians) * std::cos(b.lat * kRadians) * lng * lng;
  return 2 * nearby::kEarthRadiusMeters * std::asin(std::sqrt(std::fmin(h, 1.0)));
}

}  // namespace

void Textbook::Reserve(std::size_t users) {
  locations_.reserve(users);
  friends_.reserve(users);
}

void Textbook::SetFriends(UserId user, std::vector<Friend> friends) {
  friends_[user] = std::move(friends);
}

void Textbook::SetLocation(UserId user, LatLng location, nearby::Time time) {
  locations_[user] = {location, time};
}

void Textbook::Report(UserId user, LatLng location, nearby::Time time, Deliveries* deliveries) {
  using Kind = Deliveries::Kind;
  locations_[user] = {location, time};
  for (Friend& one : friends_[user]) {
    const auto found = locations_.find(one.id);
    if (found == locations_.end() || found->second.time.ms + ttl_ms_ <= time.ms) continue;
    const Location& theirs = found->second;
    const double meters = TextbookHaversine(location, theirs.point);
    const bool sees = meters <= radius_m_;
    if (!sees && !one.in_sight) continue;
    const auto millimeters = static_cast<std::int64_t>(meters * 1000 + 0.5);
    // The friend is told of the user.
    Deliveries::Delivery delivery;
    delivery.subscriber = one.id;
    delivery.friend_id = user;
    delivery.kind = !sees ? Kind::kLeave : one.in_sight ? Kind::kMove : Kind::kEnter;
    if (sees) {
      delivery.position = nearby::Position::FromLatLng(location);
      delivery.distance_mm = millimeters;
      delivery.reported_at = time;
    }
    deliveries->Write(delivery);
    if (sees == one.in_sight) continue;
    // So is the user of the friend, where that changes.
    one.in_sight = sees;
    SetInSight(one.id, user, sees);
    delivery.subscriber = user;
    delivery.friend_id = one.id;
    if (sees) {
      delivery.position = nearby::Position::FromLatLng(theirs.point);
      delivery.reported_at = theirs.time;
    }
    deliveries->Write(delivery);
  }
}

void Textbook::SetInSight(UserId user, UserId friend_id, bool in_sight) {
  for (Friend& one : friends_[user]) {
    if (one.id == friend_id) one.in_sight = in_sight;
  }
}

}  // namespace capacity
