#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/v1/client.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/message_io.h"
#include "src/wire/page_token.h"
#include "src/wire/utf8.h"
#include "src/wire/values.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxErrorTextBytes = 512;

// A position is a cell 8.4e-8 degrees wide, so that in JSON all digits behind the eighth would be
// noise, and a third of the frame. They still name the same cell.
double Rounded(double degrees) { return std::floor(degrees * 1e8 + 0.5) / 1e8; }

LatLng ToWireLatLng(Position position, WireFormat format) {
  assert(position.is_somewhere());
  const LatLng point = position.ToLatLng();
  if (format == WireFormat::kProtobuf) return point;
  return {Rounded(point.lat), Rounded(point.lng)};
}

v1::Update::Start ToWire(BatchStart start) {
  switch (start) {
    case BatchStart::kGoesOn:
      return v1::Update::GOES_ON;
    case BatchStart::kReset:
      return v1::Update::RESET;
    case BatchStart::kResync:
      return v1::Update::RESYNC;
  }
  return v1::Update::START_UNSPECIFIED;
}

v1::Event::Reason ToWire(LeaveReason reason) {
  switch (ReasonForClient(reason)) {
    case LeaveReason::kRange:
      return v1::Event::RANGE;
    case LeaveReason::kExpired:
      return v1::Event::EXPIRED;
    case LeaveReason::kOffline:
      return v1::Event::OFFLINE;
    case LeaveReason::kUnsubscribed:
      return v1::Event::UNSUBSCRIBED;
    case LeaveReason::kNone:
    case LeaveReason::kUnfriended:
    case LeaveReason::kHidden:
      break;
  }
  return v1::Event::REASON_UNSPECIFIED;
}

// Sets every field, so that an event can be used again without being cleared.
void FillLeave(const ClientEvent& event, v1::Event* out) {
  out->set_kind(v1::Event::LEAVE);
  out->set_friend_id(ToInt(event.friend_id));
  out->set_time_ms(event.time.ms);
  out->set_lat(0);
  out->set_lng(0);
  out->set_distance_mm(0);
  out->set_reported_at_ms(0);
  out->set_reason(ToWire(event.reason));
}

// The same for an enter or a move.
void FillSight(const ClientEvent& event, WireFormat format, v1::Event* out) {
  const LatLng point = ToWireLatLng(event.position, format);
  out->set_kind(event.kind == DeliveryKind::kMove ? v1::Event::MOVE : v1::Event::ENTER);
  out->set_friend_id(ToInt(event.friend_id));
  out->set_time_ms(event.time.ms);
  out->set_lat(point.lat);
  out->set_lng(point.lng);
  out->set_distance_mm(event.distance_mm);
  out->set_reported_at_ms(event.reported_at.ms);
  out->set_reason(v1::Event::REASON_UNSPECIFIED);
}

// Overwrites the events of the batch before: clearing them first would cost as much as writing.
void FillUpdate(const ClientBatch& batch, WireFormat format, v1::Update* update) {
  update->set_start(ToWire(batch.start));
  auto* events = update->mutable_events();
  int count = 0;
  for (const ClientEvent& event : batch.events) {
    if (event.kind == DeliveryKind::kReset) continue;
    v1::Event* out = count < events->size() ? events->Mutable(count) : events->Add();
    if (event.kind == DeliveryKind::kLeave) {
      FillLeave(event, out);
    } else {
      FillSight(event, format, out);
    }
    ++count;
  }
  while (events->size() > count) events->RemoveLast();
}

void FillFriend(const NearbyFriend& in_sight, WireFormat format, v1::Friend* out) {
  const LatLng point = ToWireLatLng(in_sight.position, format);
  out->set_friend_id(ToInt(in_sight.friend_id));
  out->set_lat(point.lat);
  out->set_lng(point.lng);
  out->set_distance_mm(in_sight.distance_mm);
  out->set_reported_at_ms(in_sight.reported_at.ms);
}

// Answer is InitAnswer or NearbyAnswer.
template <typename Answer>
void FillPage(const NearbyPageView& page, WireFormat format, Answer* answer) {
  for (const NearbyFriend& in_sight : page.friends) {
    FillFriend(in_sight, format, answer->add_friends());
  }
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  answer->set_in_sight(static_cast<std::uint32_t>(std::min(page.in_sight, most)));
  if (page.next.has_value()) answer->set_next_page_token(wire::EncodePageToken(*page.next));
}

// The codes are those of google.rpc.Code, as Abseil's are.
v1::Error::Code ToWire(absl::StatusCode code) {
  const int number = static_cast<int>(code);
  if (code == absl::StatusCode::kOk || !v1::Error::Code_IsValid(number)) return v1::Error::UNKNOWN;
  return static_cast<v1::Error::Code>(number);
}

}  // namespace

class ServerEncoder::Impl {
 public:
  void EncodeBatch(WireFormat format, const ClientBatch& batch, std::string* frame) {
    FillUpdate(batch, format, batch_.mutable_update());
    wire::Append(format, batch_, frame);
  }

  // An empty message with the request id, to be filled and given to wire::Append.
  v1::ServerMessage* Begin(std::uint64_t request_id) {
    message_.Clear();
    message_.set_request_id(request_id);
    return &message_;
  }

 private:
  v1::ServerMessage batch_;    // always an update, because clearing it would free its events
  v1::ServerMessage message_;  // everything else
};

ServerEncoder::ServerEncoder() : impl_(std::make_unique<Impl>()) {}
ServerEncoder::~ServerEncoder() = default;
ServerEncoder::ServerEncoder(ServerEncoder&& other) noexcept = default;
ServerEncoder& ServerEncoder::operator=(ServerEncoder&& other) noexcept = default;

void ServerEncoder::EncodeBatch(WireFormat format, const ClientBatch& batch, std::string* frame) {
  impl_->EncodeBatch(format, batch, frame);
}

void ServerEncoder::EncodeInitAnswer(WireFormat format, std::uint64_t request_id,
                                     const NearbyPageView& page, std::string* frame) {
  v1::ServerMessage* message = impl_->Begin(request_id);
  FillPage(page, format, message->mutable_init_answer());
  wire::Append(format, *message, frame);
}

void ServerEncoder::EncodeSubscribeAnswer(WireFormat format, std::uint64_t request_id,
                                          const std::optional<NearbyFriend>& in_sight,
                                          std::string* frame) {
  v1::ServerMessage* message = impl_->Begin(request_id);
  v1::SubscribeAnswer* answer = message->mutable_subscribe_answer();
  if (in_sight.has_value()) FillFriend(*in_sight, format, answer->mutable_in_sight());
  wire::Append(format, *message, frame);
}

void ServerEncoder::EncodeUnsubscribeAnswer(WireFormat format, std::uint64_t request_id,
                                            std::string* frame) {
  v1::ServerMessage* message = impl_->Begin(request_id);
  message->mutable_unsubscribe_answer();
  wire::Append(format, *message, frame);
}

void ServerEncoder::EncodeNearbyAnswer(WireFormat format, std::uint64_t request_id,
                                       const NearbyPageView& page, std::string* frame) {
  v1::ServerMessage* message = impl_->Begin(request_id);
  FillPage(page, format, message->mutable_nearby_answer());
  wire::Append(format, *message, frame);
}

void ServerEncoder::EncodeError(WireFormat format, std::uint64_t request_id,
                                const absl::Status& status, absl::Duration retry_after,
                                std::string* frame) {
  assert(!status.ok());
  v1::ServerMessage* message = impl_->Begin(request_id);
  v1::Error* error = message->mutable_error();
  error->set_code(ToWire(status.code()));
  error->set_message(wire::CleanUtf8(status.message(), kMaxErrorTextBytes));
  error->set_retry_after_ms(wire::ToWireMillis(retry_after));
  wire::Append(format, *message, frame);
}

void ServerEncoder::EncodeDrain(WireFormat format, absl::Duration reconnect_after,
                                std::string* frame) {
  v1::ServerMessage* message = impl_->Begin(0);
  message->mutable_drain()->set_reconnect_after_ms(wire::ToWireMillis(reconnect_after));
  wire::Append(format, *message, frame);
}

}  // namespace nearby
