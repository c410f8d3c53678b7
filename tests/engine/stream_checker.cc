#include "tests/engine/stream_checker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nearby::test {
namespace {

// What the library promises for its distances, and what the plain formula loses near the antipode.
double ToleranceMeters(double distance_m) { return distance_m > 19'000'000 ? 0.2 : 0.02; }

double PlainMeters(Position a, Position b) { return HaversineMeters(a.ToLatLng(), b.ToLatLng()); }

bool IsSighting(const Delivery& delivery) {
  return delivery.kind == DeliveryKind::kEnter || delivery.kind == DeliveryKind::kMove;
}

}  // namespace

std::string ToString(const Delivery& delivery) {
  return absl::StrCat("t=", delivery.time.ms, " cookie=", delivery.cookie,
                      " subscriber=", ToInt(delivery.subscriber),
                      " friend=", ToInt(delivery.friend_id), " ", nearby::ToString(delivery.kind),
                      " ", nearby::ToString(delivery.reason), " mm=", delivery.distance_mm,
                      " at=", delivery.position.lat_units(), ",", delivery.position.lng_units(),
                      " reported=", delivery.reported_at.ms);
}

void StreamChecker::OnConnect(UserId user, std::uint64_t cookie, std::optional<double> radius_m) {
  User& entry = users_[user];
  entry.session = Session();
  entry.session->cookie = cookie;
  entry.radius_m = radius_m;
}

void StreamChecker::OnFriendsLoaded(UserId user) {
  User& entry = users_[user];
  if (entry.session) entry.session->loaded = true;
}

void StreamChecker::OnDisconnect(UserId user) {
  User& entry = users_[user];
  entry.session.reset();
  entry.position = Position::Nowhere();
}

void StreamChecker::OnRadius(UserId user, double radius_m) { users_[user].radius_m = radius_m; }

void StreamChecker::OnEffects(Call call, const std::vector<AcceptedLocation>& locations,
                              const std::vector<Delivery>& deliveries) {
  call_ = call;
  last_expiry_.reset();
  // The two are separate vectors; what was accepted by the time of a delivery came before it, but
  // see Whereabouts.
  std::size_t next = 0;
  for (const Delivery& delivery : deliveries) {
    while (next < locations.size() && locations[next].accepted_at <= delivery.time) {
      OnAccepted(locations[next++]);
    }
    OnDelivery(delivery);
  }
  while (next < locations.size()) OnAccepted(locations[next++]);
}

void StreamChecker::OnAccepted(const AcceptedLocation& location) {
  User& user = users_[location.user];
  user.position_before = std::exchange(user.position, location.position);
  user.accepted_before = std::exchange(user.accepted_at, location.accepted_at);
  user.accepted_by_report[location.reported_at] = location.accepted_at;
}

std::vector<Position> StreamChecker::Whereabouts(const User& user, Time at) const {
  std::vector<Position> positions = {user.position};
  // Time may bring several reports and withheld moves in one millisecond, one after the other.
  if (call_ == Call::kAdvance && user.accepted_at == at) positions.push_back(user.position_before);
  return positions;
}

bool StreamChecker::IsActive(const User& user, Time at) const {
  return user.session && user.position.is_somewhere() &&
         at.ms - user.accepted_at.ms < absl::ToInt64Milliseconds(options_.ttl);
}

bool StreamChecker::ExpiredExactly(const User& user, Time at) const {
  // A conflated report may be accepted at the very time of the expiry, right after it.
  const std::int64_t ttl_ms = absl::ToInt64Milliseconds(options_.ttl);
  return at.ms - user.accepted_at.ms == ttl_ms || at.ms - user.accepted_before.ms == ttl_ms;
}

void StreamChecker::Fail(int invariant, const Delivery& delivery, const char* what) {
  violations_.push_back({invariant, absl::StrCat(what, ": ", ToString(delivery))});
}

void StreamChecker::OnDelivery(const Delivery& delivery) {
  ++kinds_[static_cast<std::size_t>(delivery.kind)];
  if (delivery.kind == DeliveryKind::kLeave) ++reasons_[static_cast<std::size_t>(delivery.reason)];

  User& user = users_[delivery.subscriber];
  if (!user.session || user.session->cookie != delivery.cookie) {
    return Fail(8, delivery, "delivered under a session that is over");
  }
  Session& session = *user.session;
  if (!session.loaded) Fail(0, delivery, "delivered before the friends were loaded");
  if (delivery.time < session.last_delivery) Fail(5, delivery, "engine time went backward");
  session.last_delivery = delivery.time;
  if (options_.one_engine) CheckExpiryOrder(delivery);

  if (IsSighting(delivery)) return OnSighting(delivery, session);
  if (delivery.position.is_somewhere()) Fail(4, delivery, "a leave or reset bears a position");
  if (delivery.kind == DeliveryKind::kReset) return OnReset(delivery, session);
  OnLeave(delivery, session);
}

void StreamChecker::OnSighting(const Delivery& delivery, Session& session) {
  const bool was_in_sight = session.in_sight.count(delivery.friend_id) != 0;
  if (delivery.kind == DeliveryKind::kEnter) {
    if (was_in_sight) Fail(8, delivery, "enter without a leave before it");
    session.in_sight.insert(delivery.friend_id);
  } else if (!was_in_sight) {
    Fail(8, delivery, "move of a friend who is not in sight");
  }

  const auto [shown, is_first] =
      session.reported_at.try_emplace(delivery.friend_id, delivery.reported_at);
  if (!is_first && delivery.reported_at < shown->second) {
    Fail(5, delivery, "the friend's report time went backward");
  }
  shown->second = delivery.reported_at;

  if (delivery.reason != LeaveReason::kNone) Fail(0, delivery, "a sighting bears a leave reason");
  if (!graph_->Get(delivery.subscriber, delivery.friend_id).i_may_see()) {
    Fail(4, delivery, "shown to one who may not see");
  }
  if (!IsActive(users_[delivery.subscriber], delivery.time)) {
    Fail(0, delivery, "shown to an inactive subscriber");
  }
  CheckSightIsTrue(delivery);
}

void StreamChecker::CheckSightIsTrue(const Delivery& delivery) {
  const User& shown = users_[delivery.friend_id];
  if (options_.delayed_messages) {
    const auto report = shown.accepted_by_report.find(delivery.reported_at);
    if (report == shown.accepted_by_report.end()) {
      return Fail(0, delivery, "shows a report that was never accepted");
    }
    if (delivery.time.ms - report->second.ms >= absl::ToInt64Milliseconds(options_.ttl)) {
      Fail(3, delivery, "shows a report older than the time to live");
    }
    return;
  }
  if (!IsActive(shown, delivery.time)) return Fail(3, delivery, "shows an inactive user");
  const std::vector<Position> positions = Whereabouts(shown, delivery.time);
  if (std::find(positions.begin(), positions.end(), delivery.position) == positions.end()) {
    return Fail(0, delivery, "shows another position");
  }
  CheckDistance(delivery);
}

void StreamChecker::CheckDistance(const Delivery& delivery) {
  const User& viewer = users_[delivery.subscriber];
  // The one that fits among those possible; most often there is but one.
  double distance_m = std::numeric_limits<double>::infinity();
  const double said_m = static_cast<double>(delivery.distance_mm) / 1000;
  for (const Position from : Whereabouts(viewer, delivery.time)) {
    for (const Position to : Whereabouts(users_[delivery.friend_id], delivery.time)) {
      if (!from.is_somewhere() || !to.is_somewhere()) continue;
      const double between_m = PlainMeters(from, to);
      if (std::abs(between_m - said_m) < std::abs(distance_m - said_m)) distance_m = between_m;
    }
  }
  const double tolerance_m = ToleranceMeters(said_m);
  if (!(std::abs(said_m - distance_m) <= tolerance_m)) Fail(1, delivery, "wrong distance");
  const double enter_m = radius_of(viewer);
  const double leave_m = enter_m + options_.hysteresis_m;
  if (delivery.kind == DeliveryKind::kLeave) {
    if (said_m < leave_m - tolerance_m) Fail(0, delivery, "out of range within the radius");
  } else if (said_m > (delivery.kind == DeliveryKind::kEnter ? enter_m : leave_m) + tolerance_m) {
    Fail(0, delivery, "shown beyond the radius");
  }
}

void StreamChecker::OnLeave(const Delivery& delivery, Session& session) {
  if (session.in_sight.erase(delivery.friend_id) == 0) {
    Fail(8, delivery, "leave without an enter before it");
  }
  session.reported_at.erase(delivery.friend_id);
  if (delivery.reason == LeaveReason::kNone) Fail(0, delivery, "leave without a reason");
  if (delivery.reason != LeaveReason::kRange && delivery.distance_mm != 0) {
    Fail(4, delivery, "a leave for another reason than range bears a distance");
  }
  if (options_.delayed_messages) return;

  const User& gone = users_[delivery.friend_id];
  if (delivery.reason == LeaveReason::kExpired && !ExpiredExactly(gone, delivery.time)) {
    Fail(3, delivery, "expired at another time than its deadline");
  }
  if (delivery.reason == LeaveReason::kRange) CheckDistance(delivery);
  const bool may_see = graph_->Get(delivery.subscriber, delivery.friend_id).i_may_see();
  const bool is_ban = delivery.reason == LeaveReason::kUnfriended ||
                      delivery.reason == LeaveReason::kUnsubscribed ||
                      delivery.reason == LeaveReason::kHidden;
  if (is_ban == may_see) Fail(0, delivery, "the reason of the leave is not the true one");
}

void StreamChecker::OnReset(const Delivery& delivery, Session& session) {
  session.in_sight.clear();
  session.reported_at.clear();
  if (delivery.friend_id != delivery.subscriber) Fail(0, delivery, "a reset names another user");
  if (!ExpiredExactly(users_[delivery.subscriber], delivery.time)) {
    Fail(3, delivery, "reset at another time than the subscriber's deadline");
  }
}

void StreamChecker::CheckExpiryOrder(const Delivery& delivery) {
  const bool is_expiry =
      delivery.kind == DeliveryKind::kReset ||
      (delivery.kind == DeliveryKind::kLeave && delivery.reason == LeaveReason::kExpired);
  if (!is_expiry) return;
  const std::pair<Time, UserId> expiry(delivery.time, delivery.friend_id);
  if (last_expiry_ && expiry < *last_expiry_) {
    Fail(3, delivery, "expiries out of order of (deadline, user)");
  }
  last_expiry_ = expiry;
}

std::set<UserId> StreamChecker::InSight(UserId user) const {
  const auto it = users_.find(user);
  if (it == users_.end() || !it->second.session) return {};
  return it->second.session->in_sight;
}

void StreamChecker::CompareWithOracle(Time now, Completeness completeness) {
  for (const auto& [subscriber, user] : users_) {
    if (!user.session) continue;
    for (const auto& [friend_id, other] : users_) {
      if (friend_id != subscriber) CheckPair(subscriber, friend_id, now, completeness);
    }
  }
}

void StreamChecker::CheckPair(UserId subscriber, UserId friend_id, Time now,
                              Completeness completeness) {
  const User& viewer = users_.at(subscriber);
  const User& other = users_.at(friend_id);
  const bool in_sight = viewer.session->in_sight.count(friend_id) != 0;
  const bool may_see = graph_->Get(subscriber, friend_id).i_may_see() && IsActive(viewer, now) &&
                       IsActive(other, now);
  const double distance_m = may_see ? PlainMeters(viewer.position, other.position) : 0;
  const double tolerance_m = ToleranceMeters(distance_m);
  const double radius_m = radius_of(viewer);
  const bool may_be = may_see && distance_m <= radius_m + options_.hysteresis_m + tolerance_m;
  const bool must_be = may_see && viewer.session->loaded && other.session->loaded &&
                       distance_m <= radius_m - tolerance_m;
  const bool is_wrong = in_sight && !may_be;
  const bool is_missing = !in_sight && must_be && completeness == Completeness::kNothingMissing;
  if (!is_wrong && !is_missing) return;
  violations_.push_back({10, absl::StrCat("at t=", now.ms, " the set of ", ToInt(subscriber),
                                          is_wrong ? " holds " : " lacks ", ToInt(friend_id), ", ",
                                          distance_m, " m away with a radius of ", radius_m)});
}

}  // namespace nearby::test
