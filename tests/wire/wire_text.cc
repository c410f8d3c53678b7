#include "tests/wire/wire_text.h"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace nearby::test {
namespace {

std::string Text(LatLng point) { return absl::StrFormat("(%.17g, %.17g)", point.lat, point.lng); }

std::string Text(Position position) {
  return absl::StrCat("[", position.lat_units(), ", ", position.lng_units(), "]");
}

std::string Text(const PageToken& token) {
  return absl::StrCat("behind ", token.distance_mm, "/", ToInt(token.friend_id));
}

std::string Text(const std::optional<PageToken>& token) {
  return token.has_value() ? Text(*token) : "no more";
}

std::string Text(const ReportCall& call) {
  return absl::StrCat("report ", Text(call.location), " at ", call.reported_at.ms);
}

std::string Text(const InitCall& call) {
  std::string text = "init";
  if (call.location.has_value()) absl::StrAppend(&text, " ", Text(*call.location));
  if (call.radius_m.has_value()) absl::StrAppendFormat(&text, " radius %.17g", *call.radius_m);
  return text;
}

std::string Text(const SubscribeCall& call) {
  return absl::StrCat("subscribe ", ToInt(call.friend_id));
}

std::string Text(const UnsubscribeCall& call) {
  return absl::StrCat("unsubscribe ", ToInt(call.friend_id));
}

std::string Text(const NearbyCall& call) {
  return absl::StrCat("nearby ", call.page_size, " ", Text(call.after));
}

std::string Text(const NearbyFriend& in_sight) {
  return absl::StrCat("{", ToInt(in_sight.friend_id), " ", Text(in_sight.position), " ",
                      in_sight.distance_mm, " ", in_sight.reported_at.ms, "}");
}

std::string Text(const NearbyPage& page) {
  std::string text;
  for (const NearbyFriend& in_sight : page.friends) absl::StrAppend(&text, Text(in_sight), " ");
  return absl::StrCat(text, "of ", page.in_sight, ", ", Text(page.next));
}

std::string Text(const ClientEvent& event) {
  return absl::StrCat("{", ToString(event.kind), " ", ToInt(event.friend_id), " at ", event.time.ms,
                      " ", Text(event.position), " ", event.distance_mm, " ", event.reported_at.ms,
                      " ", ToString(event.reason), "}");
}

std::string Text(const InitAnswer& answer) { return "init: " + Text(answer.page); }
std::string Text(const NearbyAnswer& answer) { return "nearby: " + Text(answer.page); }
std::string Text(const UnsubscribeAnswer&) { return "unsubscribed"; }

std::string Text(const SubscribeAnswer& answer) {
  return answer.in_sight.has_value() ? "subscribed: " + Text(*answer.in_sight) : "subscribed";
}

std::string Text(const ClientUpdate& update) {
  std::string text = absl::StrCat("update ", static_cast<int>(update.start));
  for (const ClientEvent& event : update.events) absl::StrAppend(&text, " ", Text(event));
  return text;
}

std::string Text(const ServerError& error) {
  return absl::StrCat("error ", error.status.ToString(), " ",
                      absl::FormatDuration(error.retry_after));
}

std::string Text(const DrainNotice& drain) {
  return absl::StrCat("drain ", absl::FormatDuration(drain.reconnect_after));
}

std::string Text(const Friendship& friendship) {
  return absl::StrCat(friendship.friends, friendship.i_hide, friendship.friend_hides,
                      friendship.i_unsubscribed, friendship.friend_unsubscribed);
}

std::string Text(const NodeEvent& event) {
  return absl::StrCat("{", static_cast<int>(event.kind), " ", ToInt(event.user), "/",
                      ToInt(event.session), " ", ToInt(event.friend_id), " ",
                      Text(event.friendship), " ", ToInt(event.version), " ", Text(event.position),
                      " ", event.accepted_at.ms, " ", event.reported_at.ms, " ", event.request, " ",
                      event.speed_bound_mm_s, " ", event.jumps, "}");
}

}  // namespace

std::string ToText(const ClientCall& call) {
  return absl::StrCat("#", call.request_id, " ",
                      std::visit([](const auto& c) { return Text(c); }, call.call));
}

std::string ToText(const ServerMessage& message) {
  return absl::StrCat("#", message.request_id, " ",
                      std::visit([](const auto& m) { return Text(m); }, message.message));
}

std::string ToText(const NodeBatch& batch) {
  std::string text = absl::StrCat(ToInt(batch.from.node), "/", ToInt(batch.from.life), "->",
                                  ToInt(batch.to), " #", batch.sequence, " ack ",
                                  batch.acknowledged, " ", batch.unknown_events, " unknown");
  for (const NodeEvent& event : batch.events) absl::StrAppend(&text, " ", Text(event));
  return text;
}

ServerMessage AsReceived(const ClientBatch& batch) {
  ClientUpdate update;
  update.start = batch.start;
  for (ClientEvent event : batch.events) {
    if (event.kind == DeliveryKind::kLeave) {
      event.position = Position::Nowhere();
      event.distance_mm = 0;
      event.reported_at = Time();
      event.reason = ReasonForClient(event.reason);
    } else {
      event.reason = LeaveReason::kNone;
    }
    update.events.push_back(event);
  }
  return {0, update};
}

}  // namespace nearby::test
