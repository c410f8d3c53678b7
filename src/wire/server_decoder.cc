#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"
#include "nearby/v1/client.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/fields.h"
#include "src/wire/message_io.h"
#include "src/wire/page_token.h"
#include "src/wire/utf8.h"
#include "src/wire/values.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxFrameBytesLimit = std::size_t{1} << 30;

// Protobuf refuses text that is not UTF-8, too, but prints a line for each; and it looks at a text
// before it sees that the message around it is malformed.
absl::Status CheckText(absl::string_view frame) {
  bool is_utf8 = true;
  bool is_well_formed = true;
  const auto visit_error = [&is_utf8](int number, absl::string_view content) {
    if (number == v1::Error::kMessageFieldNumber) is_utf8 = is_utf8 && wire::IsUtf8(content);
  };
  const auto visit = [&](int number, absl::string_view content) {
    if (number != v1::ServerMessage::kErrorFieldNumber) return;
    is_well_formed = wire::VisitFields(content, visit_error) && is_well_formed;
  };
  is_well_formed = wire::VisitFields(frame, visit) && is_well_formed;
  if (!is_well_formed) return wire::MalformedProtobuf();
  if (!is_utf8) return absl::InvalidArgumentError("error: message is not UTF-8");
  return absl::OkStatus();
}

// The field in which the message of this kind has events or friends; 0 if it has none.
int EntriesField(int kind) {
  switch (kind) {
    case v1::ServerMessage::kInitAnswerFieldNumber:
      return v1::InitAnswer::kFriendsFieldNumber;
    case v1::ServerMessage::kNearbyAnswerFieldNumber:
      return v1::NearbyAnswer::kFriendsFieldNumber;
    case v1::ServerMessage::kUpdateFieldNumber:
      return v1::Update::kEventsFieldNumber;
    default:
      return 0;
  }
}

// How many events or friends the frame has, before protobuf makes them: an empty one is 2 bytes of
// a frame, and 100 in memory. In JSON each is an object within two others; braces within texts
// count as well.
std::size_t CountEntries(WireFormat format, absl::string_view frame) {
  std::size_t count = 0;
  if (format == WireFormat::kJson) {
    count = static_cast<std::size_t>(std::count(frame.begin(), frame.end(), '{'));
    return count - std::min<std::size_t>(count, 2);
  }
  wire::VisitFields(frame, [&count](int kind, absl::string_view message) {
    const int entries = EntriesField(kind);
    if (entries == 0) return;
    wire::VisitFields(message, [&count, entries](int number, absl::string_view /*content*/) {
      if (number == entries) ++count;
    });
  });
  return count;
}

// What a Friend and an Event tell of somebody in sight, under the same names.
template <typename Message>
absl::Status CheckSight(const Message& message) {
  absl::Status status = Validate(LatLng{message.lat(), message.lng()});
  if (status.ok()) status = wire::CheckDistance("distance_mm", message.distance_mm());
  if (status.ok()) status = wire::CheckTime("reported_at_ms", message.reported_at_ms());
  return status;
}

absl::StatusOr<NearbyFriend> ToFriend(const v1::Friend& message) {
  const absl::Status status = CheckSight(message);
  if (!status.ok()) return wire::Within(absl::StrCat("friend ", message.friend_id()), status);
  NearbyFriend in_sight;
  in_sight.friend_id = UserId{message.friend_id()};
  in_sight.position = Position::FromLatLng({message.lat(), message.lng()});
  in_sight.distance_mm = message.distance_mm();
  in_sight.reported_at = Time::Millis(message.reported_at_ms());
  return in_sight;
}

// Of an InitAnswer or a NearbyAnswer.
template <typename Message>
absl::StatusOr<NearbyPage> ToPage(const Message& message) {
  NearbyPage page;
  page.friends.reserve(static_cast<std::size_t>(message.friends_size()));
  for (const v1::Friend& entry : message.friends()) {
    const absl::StatusOr<NearbyFriend> in_sight = ToFriend(entry);
    if (!in_sight.ok()) return in_sight.status();
    page.friends.push_back(*in_sight);
  }
  page.in_sight = message.in_sight();
  // A token of a later version is the server's to read, and cannot be carried in a PageToken.
  if (!message.next_page_token().empty() && wire::HasKnownTokenVersion(message.next_page_token())) {
    const absl::StatusOr<PageToken> next = wire::DecodePageToken(message.next_page_token());
    if (!next.ok()) return wire::Within("next_page_token", next.status());
    page.next = *next;
  }
  return page;
}

LeaveReason ToReason(v1::Event::Reason reason) {
  switch (reason) {
    case v1::Event::RANGE:
      return LeaveReason::kRange;
    case v1::Event::EXPIRED:
      return LeaveReason::kExpired;
    case v1::Event::OFFLINE:
      return LeaveReason::kOffline;
    case v1::Event::UNSUBSCRIBED:
      return LeaveReason::kUnsubscribed;
    default:
      return LeaveReason::kNone;
  }
}

std::optional<DeliveryKind> ToKind(v1::Event::Kind kind) {
  switch (kind) {
    case v1::Event::ENTER:
      return DeliveryKind::kEnter;
    case v1::Event::MOVE:
      return DeliveryKind::kMove;
    case v1::Event::LEAVE:
      return DeliveryKind::kLeave;
    default:
      return std::nullopt;
  }
}

absl::Status FillEvent(const v1::Event& message, ClientEvent* event) {
  absl::Status status = wire::CheckTime("time_ms", message.time_ms());
  event->friend_id = UserId{message.friend_id()};
  event->time = Time::Millis(message.time_ms());
  if (event->kind == DeliveryKind::kLeave) {
    event->reason = ToReason(message.reason());
    return status;
  }
  if (status.ok()) status = CheckSight(message);
  if (!status.ok()) return status;
  event->position = Position::FromLatLng({message.lat(), message.lng()});
  event->distance_mm = message.distance_mm();
  event->reported_at = Time::Millis(message.reported_at_ms());
  return status;
}

std::optional<BatchStart> ToStart(v1::Update::Start start) {
  switch (start) {
    case v1::Update::GOES_ON:
      return BatchStart::kGoesOn;
    case v1::Update::RESET:
      return BatchStart::kReset;
    case v1::Update::RESYNC:
      return BatchStart::kResync;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<ClientUpdate> ToUpdate(const v1::Update& message) {
  const std::optional<BatchStart> start = ToStart(message.start());
  if (!start.has_value()) return absl::InvalidArgumentError("start is missing or unknown");
  ClientUpdate update;
  update.start = *start;
  update.events.reserve(static_cast<std::size_t>(message.events_size()));
  for (const v1::Event& entry : message.events()) {
    const std::optional<DeliveryKind> kind = ToKind(entry.kind());
    if (!kind.has_value()) continue;
    ClientEvent event;
    event.kind = *kind;
    const absl::Status status = FillEvent(entry, &event);
    if (!status.ok()) return wire::Within(absl::StrCat("friend ", entry.friend_id()), status);
    update.events.push_back(event);
  }
  return update;
}

absl::StatusOr<ServerError> ToError(const v1::Error& message) {
  const absl::Status status = wire::CheckWait("retry_after_ms", message.retry_after_ms());
  if (!status.ok()) return status;
  const bool is_known =
      v1::Error::Code_IsValid(message.code()) && message.code() != v1::Error::CODE_UNSPECIFIED;
  const auto code =
      is_known ? static_cast<absl::StatusCode>(message.code()) : absl::StatusCode::kUnknown;
  return ServerError{absl::Status(code, message.message()),
                     absl::Milliseconds(message.retry_after_ms())};
}

absl::StatusOr<DrainNotice> ToDrain(const v1::Drain& message) {
  const absl::Status status = wire::CheckWait("reconnect_after_ms", message.reconnect_after_ms());
  if (!status.ok()) return status;
  return DrainNotice{absl::Milliseconds(message.reconnect_after_ms())};
}

absl::StatusOr<SubscribeAnswer> ToSubscribeAnswer(const v1::SubscribeAnswer& message) {
  if (!message.has_in_sight()) return SubscribeAnswer{};
  const absl::StatusOr<NearbyFriend> in_sight = ToFriend(message.in_sight());
  if (!in_sight.ok()) return in_sight.status();
  return SubscribeAnswer{*in_sight};
}

// Answer is InitAnswer or NearbyAnswer.
template <typename Answer, typename Message>
absl::StatusOr<Answer> ToPageAnswer(const Message& message) {
  absl::StatusOr<NearbyPage> page = ToPage(message);
  if (!page.ok()) return page.status();
  return Answer{*std::move(page)};
}

template <typename Kind>
absl::Status Keep(absl::string_view name, absl::StatusOr<Kind> kind, ServerMessage* result) {
  if (!kind.ok()) return wire::Within(name, kind.status());
  result->message = *std::move(kind);
  return absl::OkStatus();
}

absl::Status ToMessage(const v1::ServerMessage& message, ServerMessage* result) {
  switch (message.kind_case()) {
    case v1::ServerMessage::kInitAnswer:
      return Keep("init_answer", ToPageAnswer<InitAnswer>(message.init_answer()), result);
    case v1::ServerMessage::kSubscribeAnswer:
      return Keep("subscribe_answer", ToSubscribeAnswer(message.subscribe_answer()), result);
    case v1::ServerMessage::kUnsubscribeAnswer:
      result->message = UnsubscribeAnswer{};
      return absl::OkStatus();
    case v1::ServerMessage::kNearbyAnswer:
      return Keep("nearby_answer", ToPageAnswer<NearbyAnswer>(message.nearby_answer()), result);
    case v1::ServerMessage::kUpdate:
      return Keep("update", ToUpdate(message.update()), result);
    case v1::ServerMessage::kError:
      return Keep("error", ToError(message.error()), result);
    case v1::ServerMessage::kDrain:
      return Keep("drain", ToDrain(message.drain()), result);
    case v1::ServerMessage::KIND_NOT_SET:
      break;
  }
  return absl::UnimplementedError("no message that this client knows");
}

// Updates and drains have no request id, whatever they bear.
bool CanAnswer(const ServerMessage& message) {
  return !std::holds_alternative<ClientUpdate>(message.message) &&
         !std::holds_alternative<DrainNotice>(message.message);
}

}  // namespace

absl::Status ServerDecoderOptions::Validate() const {
  if (max_frame_bytes <= kMaxFrameBytesLimit) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("max_frame_bytes must be at most ", kMaxFrameBytesLimit));
}

class ServerDecoder::Impl {
 public:
  explicit Impl(const ServerDecoderOptions& options) : options_(options) {}

  absl::StatusOr<ServerMessage> Decode(WireFormat format, absl::string_view frame) {
    if (frame.size() > options_.max_frame_bytes) {
      return wire::TooLong("frame", frame.size(), options_.max_frame_bytes);
    }
    const std::size_t entries = CountEntries(format, frame);
    if (entries > options_.max_events) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a frame of ", entries, " events, where at most ", options_.max_events, " are taken"));
    }
    absl::Status status = absl::OkStatus();
    if (format == WireFormat::kProtobuf) status = CheckText(frame);
    if (status.ok()) status = wire::Parse(format, frame, &message_);
    ServerMessage result;
    if (status.ok()) status = ToMessage(message_, &result);
    if (status.ok() && CanAnswer(result)) result.request_id = message_.request_id();
    if (!status.ok()) return status;
    return result;
  }

 private:
  ServerDecoderOptions options_;
  v1::ServerMessage message_;
};

ServerDecoder::ServerDecoder() : ServerDecoder(ServerDecoderOptions()) {}
ServerDecoder::ServerDecoder(const ServerDecoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
ServerDecoder::~ServerDecoder() = default;
ServerDecoder::ServerDecoder(ServerDecoder&& other) noexcept = default;
ServerDecoder& ServerDecoder::operator=(ServerDecoder&& other) noexcept = default;

absl::StatusOr<ServerDecoder> ServerDecoder::Create(const ServerDecoderOptions& options) {
  absl::Status status = options.Validate();
  if (!status.ok()) return status;
  return ServerDecoder(options);
}

absl::StatusOr<ServerMessage> ServerDecoder::Decode(WireFormat format, absl::string_view frame) {
  return impl_->Decode(format, frame);
}

}  // namespace nearby
