#include "tests/wire/wire_faults.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "nearby/geo.h"
#include "nearby/radius_filter.h"
#include "nearby/time.h"

namespace nearby::test {
namespace {

constexpr double kMaxDistanceMillimeters = kMaxDistanceMeters * 1000 + 1;

bool IsPlace(Position position) {
  return position.lat_units() >= -(1 << 30) && position.lat_units() <= 1 << 30;
}

bool IsDistance(std::int64_t mm) {
  return mm >= 0 && static_cast<double>(mm) <= kMaxDistanceMillimeters;
}

bool IsWait(absl::Duration wait) {
  return wait >= absl::ZeroDuration() && wait <= absl::Milliseconds(kMaxTimeMs);
}

std::string Fault(const ReportCall& call) {
  if (!std::isfinite(call.location.lat) || std::fabs(call.location.lat) > 90) return "latitude";
  if (!std::isfinite(call.location.lng) || std::fabs(call.location.lng) > 180) return "longitude";
  return IsValid(call.reported_at) ? "" : "report time";
}

std::string Fault(const InitCall& call) {
  if (call.radius_m.has_value() && !(*call.radius_m >= 0 && *call.radius_m <= kMaxRadiusMeters)) {
    return "radius";
  }
  return call.location.has_value() ? Fault(*call.location) : "";
}

std::string Fault(const SubscribeCall&) { return ""; }
std::string Fault(const UnsubscribeCall&) { return ""; }

std::string Fault(const PageToken& token) {
  const bool is_beginning = token.distance_mm == -1 && token.friend_id == UserId{0};
  return is_beginning || IsDistance(token.distance_mm) ? "" : "page token";
}

std::string Fault(const NearbyCall& call) {
  if (call.page_size == 0 || call.page_size > ClientDecoderOptions().max_page_size) {
    return "page size";
  }
  return Fault(call.after);
}

std::string Fault(const NearbyFriend& in_sight) {
  if (!IsPlace(in_sight.position)) return "position";
  if (!IsDistance(in_sight.distance_mm)) return "distance";
  return IsValid(in_sight.reported_at) ? "" : "report time";
}

std::string Fault(const NearbyPage& page) {
  for (const NearbyFriend& in_sight : page.friends) {
    std::string fault = Fault(in_sight);
    if (!fault.empty()) return fault;
  }
  return page.next.has_value() ? Fault(*page.next) : "";
}

std::string Fault(const InitAnswer& answer) { return Fault(answer.page); }
std::string Fault(const NearbyAnswer& answer) { return Fault(answer.page); }
std::string Fault(const UnsubscribeAnswer&) { return ""; }

std::string Fault(const SubscribeAnswer& answer) {
  return answer.in_sight.has_value() ? Fault(*answer.in_sight) : "";
}

std::string Fault(const ClientEvent& event) {
  if (!IsValid(event.time)) return "time";
  switch (event.kind) {
    case DeliveryKind::kEnter:
    case DeliveryKind::kMove:
      if (event.reason != LeaveReason::kNone) return "reason of one in sight";
      return Fault(
          NearbyFriend{event.friend_id, event.position, event.distance_mm, event.reported_at});
    case DeliveryKind::kLeave:
      if (event.position.is_somewhere() || event.distance_mm != 0) return "position of a leave";
      return event.reason == ReasonForClient(event.reason) ? "" : "reason not for clients";
    case DeliveryKind::kReset:
      break;
  }
  return "kind";
}

std::string Fault(const ClientUpdate& update) {
  if (update.start > BatchStart::kResync) return "start";
  for (const ClientEvent& event : update.events) {
    std::string fault = Fault(event);
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string Fault(const ServerError& error) {
  if (error.status.ok()) return "error that is Ok";
  return IsWait(error.retry_after) ? "" : "retry_after";
}

std::string Fault(const DrainNotice& drain) {
  return IsWait(drain.reconnect_after) ? "" : "reconnect_after";
}

std::string Fault(const NodeEvent& event) {
  using Kind = NodeEvent::Kind;
  const bool is_change = event.kind == Kind::kChange;
  const bool is_changed = event.kind == Kind::kChanged;
  const bool has_pair =
      is_change || event.kind == Kind::kAnnounce || event.kind == Kind::kAnnounceBack;
  if (event.kind > Kind::kReload) return "kind";
  if (event.kind == Kind::kLocation) {
    if (!IsPlace(event.position)) return "position";
    if (!IsValid(event.accepted_at) || !IsValid(event.reported_at)) return "time";
  } else {
    if (event.position.is_somewhere()) return "position without a location";
    if (event.accepted_at != Time() || event.reported_at != Time())
      return "time without a location";
    if (event.speed_bound_mm_s != 0) return "speed without a location";
    if (event.jumps != 0) return "jumps without a location";
  }
  if (is_changed && event.user != UserId{}) return "user of no one's event";
  if ((is_change || is_changed) && event.session != Epoch{}) return "session of a change";
  if (!has_pair && event.friend_id != UserId{}) return "friend without a pair";
  if (!has_pair && event.friendship != Friendship()) return "friendship without a pair";
  if (!has_pair && event.version != FriendVersion{}) return "version without a pair";
  if (!is_change && !is_changed && event.request != 0) return "request without a change";
  return "";
}

}  // namespace

std::string FindFault(const ClientCall& call) {
  return std::visit([](const auto& c) { return Fault(c); }, call.call);
}

std::string FindFault(const ServerMessage& message) {
  return std::visit([](const auto& m) { return Fault(m); }, message.message);
}

std::string FindFault(const NodeBatch& batch) {
  for (const NodeEvent& event : batch.events) {
    std::string fault = Fault(event);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace nearby::test
