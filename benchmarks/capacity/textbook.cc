#include "benchmarks/capacity/textbook.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "benchmarks/capacity/sphere.h"
#include "nearby/radius_filter.h"

namespace capacity {
namespace {

using nearby::Delivery;
using nearby::DeliveryKind;
using nearby::LatLng;
using nearby::Position;
using nearby::Time;
using nearby::UserId;

constexpr double kRadiusMeters = 8046.72;
constexpr std::int64_t kTtlMs = 600'000;
constexpr Time kNever{-kTtlMs - 1};

double HaversineMeters(double lat_a, double lng_a, double lat_b, double lng_b) {
  const double sin_lat = std::sin((lat_b - lat_a) * kRadiansPerDegree / 2);
  const double sin_lng = std::sin((lng_b - lng_a) * kRadiansPerDegree / 2);
  const double h = sin_lat * sin_lat + std::cos(lat_a * kRadiansPerDegree) *
                                           std::cos(lat_b * kRadiansPerDegree) * sin_lng * sin_lng;
  return 2 * nearby::kEarthRadiusMeters * std::asin(std::sqrt(h));
}

// As it will be delivered, to the resolution that the records have.
LatLng Rounded(LatLng location) { return Position::FromLatLng(location).ToLatLng(); }

// Two formulas for one distance differ in the last bits. That must not show where deliveries are
// compared to the byte: what lies so close to the boundary, or to the middle between two
// millimetres, that those bits decide, is asked of the library. That is one pair in 10^8, and one
// delivery in 500.
bool IsNear(double distance_m, LatLng a, LatLng b) {
  constexpr double kHair = 1e-6;
  if (std::fabs(distance_m - kRadiusMeters) > kHair) return distance_m <= kRadiusMeters;
  static const nearby::RadiusLimit kLimit = nearby::RadiusLimit::FromMeters(kRadiusMeters);
  return kLimit.Admits(Position::FromLatLng(a), Position::FromLatLng(b));
}

std::int64_t ToMillimeters(double distance_m, LatLng a, LatLng b) {
  constexpr double kHair = 1e-3;
  const double mm = std::floor(distance_m * 1000);
  const double beyond = distance_m * 1000 - mm;
  if (std::fabs(beyond - 0.5) > kHair) return static_cast<std::int64_t>(mm) + (beyond > 0.5);
  return nearby::DistanceMillimeters(Position::FromLatLng(a), Position::FromLatLng(b));
}

/// One of a pair, as the other is told of them.
struct Party {
  UserId user{};
  LatLng location;
  Time reported_at;
  std::uint64_t cookie = 0;
};

Delivery Tell(const Party& subscriber, const Party& of_friend, DeliveryKind kind, double distance_m,
              Time now) {
  Delivery delivery;
  delivery.cookie = subscriber.cookie;
  delivery.subscriber = subscriber.user;
  delivery.friend_id = of_friend.user;
  delivery.time = now;
  delivery.kind = kind;
  delivery.distance_mm = ToMillimeters(distance_m, of_friend.location, subscriber.location);
  if (kind == DeliveryKind::kLeave) {
    delivery.reason = nearby::LeaveReason::kRange;
  } else {
    delivery.position = Position::FromLatLng(of_friend.location);
    delivery.reported_at = of_friend.reported_at;
  }
  return delivery;
}

}  // namespace

Textbook::Textbook(std::size_t users) {
  locations_.reserve(users);
  friends_.reserve(users);
}

void Textbook::Add(UserId user, std::uint64_t cookie, std::vector<UserId> friends) {
  Location& location = locations_[user];
  location.cookie = cookie;
  location.last_seen = location.reported_at = kNever;
  Friends& entry = friends_[user];
  entry.in_sight.resize(friends.size());
  entry.ids = std::move(friends);
}

void Textbook::Place(const UserReport& report) {
  const LatLng rounded = Rounded(report.location);
  Location& location = locations_.find(report.user)->second;
  location = {rounded.lat, rounded.lng, report.reported_at, report.reported_at, location.cookie};
}

void Textbook::SettleSight(Time now) {
  // More than any radius of the kind; spares the trigonometry for most.
  constexpr double kFarDegrees = 0.1;
  for (auto& [user, friends] : friends_) {
    const Location& here = locations_.find(user)->second;
    for (std::size_t i = 0; i < friends.ids.size(); ++i) {
      const Location& there = locations_.find(friends.ids[i])->second;
      if (std::fabs(here.lat - there.lat) > kFarDegrees) continue;
      if (here.last_seen.ms + kTtlMs <= now.ms || there.last_seen.ms + kTtlMs <= now.ms) continue;
      const double distance_m = HaversineMeters(here.lat, here.lng, there.lat, there.lng);
      friends.in_sight[i] = IsNear(distance_m, {here.lat, here.lng}, {there.lat, there.lng});
    }
  }
}

void Textbook::Report(const UserReport& report, Time now, std::vector<Delivery>* deliveries) {
  if (!nearby::IsValid(report.location)) return;
  Location& here = locations_.find(report.user)->second;
  if (report.reported_at < here.reported_at) return;
  const LatLng rounded = Rounded(report.location);
  here = {rounded.lat, rounded.lng, now, report.reported_at, here.cookie};
  const Party self = {report.user, rounded, report.reported_at, here.cookie};
  Friends& friends = friends_.find(report.user)->second;
  for (std::size_t i = 0; i < friends.ids.size(); ++i) {
    const UserId friend_id = friends.ids[i];
    const Location& there = locations_.find(friend_id)->second;
    if (there.last_seen.ms + kTtlMs <= now.ms) continue;
    const double distance_m = HaversineMeters(here.lat, here.lng, there.lat, there.lng);
    const bool near = IsNear(distance_m, {here.lat, here.lng}, {there.lat, there.lng});
    const bool was_near = friends.in_sight[i];
    if (!near && !was_near) continue;
    const DeliveryKind kind = !near      ? DeliveryKind::kLeave
                              : was_near ? DeliveryKind::kMove
                                         : DeliveryKind::kEnter;
    const Party other = {friend_id, {there.lat, there.lng}, there.reported_at, there.cookie};
    deliveries->push_back(Tell(other, self, kind, distance_m, now));
    if (near == was_near) continue;
    deliveries->push_back(Tell(self, other, kind, distance_m, now));
    friends.in_sight[i] = near;
    SetInSight(friend_id, report.user, near);
  }
}

void Textbook::SetInSight(UserId user, UserId friend_id, bool in_sight) {
  Friends& friends = friends_.find(user)->second;
  const auto found = std::find(friends.ids.begin(), friends.ids.end(), friend_id);
  friends.in_sight[static_cast<std::size_t>(found - friends.ids.begin())] = in_sight;
}

}  // namespace capacity
