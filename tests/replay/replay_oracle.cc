#include "tests/replay/replay_oracle.h"

#include <algorithm>
#include <boost/geometry/core/cs.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/strategies/spherical/distance_haversine.hpp>
#include <cmath>
#include <sstream>

namespace replay_oracle {
namespace {

constexpr double kEarthRadiusMeters = 6'371'008.7714;
constexpr double kBoundaryToleranceMeters = 0.02;
// Rounding of two positions to units of 9.3 mm, and of the distance to the millimetre.
constexpr double kDistanceToleranceMeters = 0.015;
// Beyond this the haversine loses its precision.
constexpr double kHaversineGoodMeters = 19'000'000;
constexpr std::size_t kDifferencesShown = 20;

double AntipodalMeters(double lat1, double lng1, double lat2, double lng2) {
  const long double radian = std::acos(-1.0L) / 180;
  const auto axis = [radian](double lat, double lng, int i) {
    if (i == 2) return std::sin(lat * radian);
    return std::cos(lat * radian) * (i == 0 ? std::cos(lng * radian) : std::sin(lng * radian));
  };
  long double chord2 = 0;  // to the antipode of the second point
  for (int i = 0; i < 3; ++i) {
    const long double sum = axis(lat1, lng1, i) + axis(lat2, lng2, i);
    chord2 += sum * sum;
  }
  const long double angle = std::acos(-1.0L) - 2 * std::asin(std::sqrt(chord2) / 2);
  return static_cast<double>(angle * kEarthRadiusMeters);
}

double Meters(double lat1, double lng1, double lat2, double lng2) {
  namespace bg = boost::geometry;
  using Point = bg::model::point<double, 2, bg::cs::spherical_equatorial<bg::degree>>;
  const bg::strategy::distance::haversine<double> haversine(kEarthRadiusMeters);
  const double meters = haversine.apply(Point(lng1, lat1), Point(lng2, lat2));
  return meters < kHaversineGoodMeters ? meters : AntipodalMeters(lat1, lng1, lat2, lng2);
}

}  // namespace

// --- What was delivered --------------------------------------------------------------------------

bool Deliveries::ReadAhead() {
  if (ahead_) return true;
  if (at_end_) return false;
  Event event;
  if (!reader_.Next(&event)) {
    at_end_ = true;
    return false;
  }
  ahead_ = event;
  return true;
}

void Deliveries::MoveTo(std::int64_t time_ms) {
  if (time_ms_ == time_ms) return;
  RejectRest();
  time_ms_ = time_ms;
  std::optional<PairKey> last;
  while (ReadAhead() && ahead_->time_ms <= time_ms) {
    const PairKey key(ahead_->subscriber, ahead_->friend_id);
    if (ahead_->time_ms < time_ms) {
      Differ("must not be there: " + ToString(*ahead_));
    } else {
      if (last && key < *last) Differ("out of order: " + ToString(*ahead_));
      last = key;
      present_[key].push_back(*ahead_);
    }
    ahead_.reset();
  }
}

const Event* Deliveries::Peek(std::uint64_t subscriber, std::uint64_t friend_id) {
  const auto found = present_.find({subscriber, friend_id});
  return found == present_.end() ? nullptr : &found->second.front();
}

void Deliveries::Expect(const Event& expected) {
  ++verdict_->expected[expected.kind];
  const auto found = present_.find({expected.subscriber, expected.friend_id});
  if (found == present_.end()) {
    Differ("missing: " + ToString(expected));
    return;
  }
  const Event actual = found->second.front();
  found->second.pop_front();
  if (found->second.empty()) present_.erase(found);
  if (actual.kind != expected.kind ||
      actual.distance_m.has_value() != expected.distance_m.has_value()) {
    Differ("must be " + ToString(expected) + ", is " + ToString(actual));
    return;
  }
  if (!expected.distance_m) return;
  const double error_m = std::abs(*actual.distance_m - *expected.distance_m);
  verdict_->largest_error_m = std::max(verdict_->largest_error_m, error_m);
  if (error_m > kDistanceToleranceMeters) {
    Differ("must be " + ToString(expected) + ", is " + ToString(actual));
  }
}

void Deliveries::RejectRest() {
  for (const auto& [key, events] : present_) {
    for (const Event& event : events) Differ("must not be there: " + ToString(event));
  }
  present_.clear();
}

void Deliveries::Finish() {
  RejectRest();
  for (; ReadAhead(); ahead_.reset()) Differ("must not be there: " + ToString(*ahead_));
}

void Deliveries::Differ(const std::string& what) {
  ++verdict_->differences;
  if (verdict_->first_differences.size() < kDifferencesShown) {
    verdict_->first_differences.push_back(what);
  }
}

// --- What should have been -----------------------------------------------------------------------

Replay::Replay(const Question& question, Deliveries* deliveries, Verdict* verdict)
    : radius_m_(question.radius_m),
      ttl_ms_(std::llround(question.ttl_s * 1000)),
      deliveries_(deliveries),
      verdict_(verdict) {}

Replay::User& Replay::GetUser(std::uint64_t id) {
  const auto [it, is_new] = users_.try_emplace(id);
  if (is_new) {
    it->second.id = id;
    it->second.radius_m = radius_m_;
  }
  return it->second;
}

Replay::Look& Replay::GetLook(std::uint64_t subscriber, std::uint64_t owner) {
  User& s = GetUser(subscriber);
  User& o = GetUser(owner);
  Look& look = s.looks[owner];
  if (look.back == nullptr) {
    Look& back = o.looks[subscriber];
    look.subscriber = back.owner = &s;
    look.owner = back.subscriber = &o;
    look.back = &back;
    back.back = &look;
  }
  return look;
}

void Replay::Befriend(std::uint64_t a, std::uint64_t b) {
  if (a != b) SetFriends(a, b, true);
}

void Replay::SetFriends(std::uint64_t a, std::uint64_t b, bool friends) {
  Look& look = GetLook(a, b);
  look.friends = look.back->friends = friends;
  Settle(look, "leave:unfriended", false);
  Settle(*look.back, "leave:unfriended", false);
}

void Replay::Play(const std::vector<std::string>& fields) {
  ++verdict_->rows;
  if (fields[0][0] == '!') {
    Act(fields);
    return;
  }
  if (fields.size() < 4) throw InputError("a report has four fields");
  AdvanceTo(ParseTimeMs(fields[1]));
  const std::uint64_t id = ParseId(fields[0]);
  if (reporters_.insert(id).second) ++verdict_->users;
  Report(id, ParseDouble(fields[2]), ParseDouble(fields[3]));
}

void Replay::Report(std::uint64_t id, double lat, double lng) {
  User& user = GetUser(id);
  if (user.active) deadlines_.erase({user.reported_ms + ttl_ms_, id});
  user.active = true;
  user.lat = lat;
  user.lng = lng;
  user.reported_ms = *now_ms_;
  deadlines_.insert({user.reported_ms + ttl_ms_, id});
  for (auto& [friend_id, look] : user.looks) {
    Settle(*look.back, "leave:range", true);
    Settle(look, "leave:range", false);
  }
}

void Replay::Act(const std::vector<std::string>& fields) {
  AdvanceTo(ParseTimeMs(fields.back()));
  const std::string& verb = fields[0];
  const bool names_pair = fields.size() == 4 && verb != "!radius";
  const std::uint64_t first = ParseId(fields.at(1));
  const std::uint64_t second = names_pair ? ParseId(fields[2]) : 0;
  if (verb == "!disconnect" && fields.size() == 3) {
    End(GetUser(first), "leave:offline");
  } else if (verb == "!radius" && fields.size() == 4) {
    SetRadius(first, ParseDouble(fields[2]));
  } else if (names_pair && (verb == "!befriend" || verb == "!unfriend")) {
    SetFriends(first, second, verb == "!befriend");
  } else if (names_pair && (verb == "!hide" || verb == "!share")) {
    Look& look = GetLook(second, first);
    look.hidden = verb == "!hide";
    Settle(look, "leave:hidden", false);
  } else if (names_pair && (verb == "!unsubscribe" || verb == "!subscribe")) {
    Look& look = GetLook(first, second);
    look.unsubscribed = verb == "!unsubscribe";
    Settle(look, "leave:unsubscribed", false);
  } else {
    throw InputError("no such action: " + verb);
  }
}

void Replay::SetRadius(std::uint64_t id, double radius_m) {
  User& user = GetUser(id);
  user.radius_m = radius_m;
  for (auto& [friend_id, look] : user.looks) Settle(look, "leave:range", false);
}

void Replay::End(User& user, const char* reason) {
  if (!user.active) return;
  deadlines_.erase({user.reported_ms + ttl_ms_, user.id});
  user.active = false;
  for (auto& [friend_id, look] : user.looks) {
    look.sees = false;  // without a word
    Settle(*look.back, reason, false);
  }
}

void Replay::AdvanceTo(std::int64_t time_ms) {
  if (now_ms_ && time_ms < *now_ms_) throw InputError("earlier than the line before");
  while (!deadlines_.empty() && deadlines_.begin()->first <= time_ms) {
    const auto [deadline_ms, id] = *deadlines_.begin();
    now_ms_ = deadline_ms;
    deliveries_->MoveTo(deadline_ms);
    End(GetUser(id), "leave:expired");
  }
  now_ms_ = time_ms;
  deliveries_->MoveTo(time_ms);
}

void Replay::Finish() {
  if (!deadlines_.empty()) AdvanceTo(deadlines_.rbegin()->first);
  deliveries_->Finish();
}

void Replay::Settle(Look& look, const char* reason, bool owner_reported) {
  const User& subscriber = *look.subscriber;
  const User& owner = *look.owner;
  bool sees =
      subscriber.active && owner.active && look.friends && !look.hidden && !look.unsubscribed;
  // What ends seeing other than by distance has its own reason; a leave by range bears a distance.
  std::optional<double> distance_m;
  if (sees) {
    distance_m = Meters(subscriber.lat, subscriber.lng, owner.lat, owner.lng);
    const double excess_m = *distance_m - subscriber.radius_m;
    sees = excess_m <= 0;
    if (std::abs(excess_m) <= kBoundaryToleranceMeters) {
      ++verdict_->on_boundary;
      const Event* actual = deliveries_->Peek(subscriber.id, owner.id);
      const bool changed = actual != nullptr && actual->kind != "move";
      sees = look.sees != changed;
    }
  }
  const bool saw = look.sees;
  look.sees = sees;
  if (sees && !saw) Expect(look, "enter", distance_m);
  if (sees && saw && owner_reported) Expect(look, "move", distance_m);
  if (!sees && saw) Expect(look, reason, distance_m);
}

void Replay::Expect(const Look& look, const std::string& kind, std::optional<double> distance_m) {
  deliveries_->Expect({*now_ms_, look.subscriber->id, look.owner->id, kind, distance_m});
}

// --- Both ----------------------------------------------------------------------------------------

Verdict CheckReplay(const Question& question) {
  Verdict verdict;
  Deliveries deliveries(question.events_path, &verdict);
  Replay replay(question, &deliveries, &verdict);
  std::vector<std::string> fields;
  FieldReader friends(question.friends_path);
  while (friends.Next(&fields)) {
    if (fields.size() < 2) friends.Fail("a friendship has two users");
    try {
      replay.Befriend(ParseId(fields[0]), ParseId(fields[1]));
    } catch (const InputError& error) {
      friends.Fail(error.what());
    }
  }
  FieldReader trace(question.trace_path);
  while (trace.Next(&fields)) {
    try {
      replay.Play(fields);
    } catch (const InputError& error) {
      trace.Fail(error.what());
    }
  }
  replay.Finish();
  return verdict;
}

}  // namespace replay_oracle
