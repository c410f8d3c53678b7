#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/node_codec.h"
#include "nearby/time.h"
#include "nearby/v1/node.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/fields.h"
#include "src/wire/friendship_bits.h"
#include "src/wire/message_io.h"
#include "src/wire/values.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxPayloadBytesLimit = std::size_t{1} << 30;
constexpr std::int32_t kQuarterTurn = 1 << 30;

std::optional<PeerMessage::Kind> ToKind(v1::NodeEvent::Kind kind) {
  switch (kind) {
    case v1::NodeEvent::ANNOUNCE:
      return PeerMessage::Kind::kAnnounce;
    case v1::NodeEvent::ANNOUNCE_BACK:
      return PeerMessage::Kind::kAnnounceBack;
    case v1::NodeEvent::SUBSCRIBE:
      return PeerMessage::Kind::kSubscribe;
    case v1::NodeEvent::UNSUBSCRIBE:
      return PeerMessage::Kind::kUnsubscribe;
    case v1::NodeEvent::LOCATION:
      return PeerMessage::Kind::kLocation;
    case v1::NodeEvent::HERE:
      return PeerMessage::Kind::kHere;
    case v1::NodeEvent::PARK:
      return PeerMessage::Kind::kPark;
    case v1::NodeEvent::OFFLINE:
      return PeerMessage::Kind::kOffline;
    default:
      return std::nullopt;
  }
}

void FillPair(const v1::NodeEvent& message, PeerMessage* event) {
  event->friend_id = UserId{message.friend_id()};
  event->friendship = wire::FriendshipFromBits(message.friendship());
  event->version = FriendVersion{message.version()};
}

// What a later version adds, this one leaves out: a kind, or a bit of a friendship, of which only
// that version knows whether it grants or forbids.
bool IsUnknown(const v1::NodeEvent& message) {
  const std::optional<PeerMessage::Kind> kind = ToKind(message.kind());
  if (kind == PeerMessage::Kind::kAnnounce || kind == PeerMessage::Kind::kAnnounceBack) {
    return (message.friendship() & ~wire::kFriendshipBits) != 0;
  }
  return !kind.has_value();
}

absl::Status FillSpeed(const v1::NodeEvent& message, PeerMessage* event) {
  if (!(message.speed_bound() >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("speed_bound ", message.speed_bound(), " is no speed"));
  }
  event->sequence = message.sequence();
  event->speed_bound = message.speed_bound();
  return absl::OkStatus();
}

absl::Status FillPark(const v1::NodeEvent& message, PeerMessage* event) {
  absl::Status status = wire::CheckTime("until_ms", message.until_ms());
  if (status.ok()) status = FillSpeed(message, event);
  if (status.ok()) event->until = Time::Millis(message.until_ms());
  return status;
}

absl::Status FillLocation(const v1::NodeEvent& message, PeerMessage* event) {
  if (message.lat_units() < -kQuarterTurn || message.lat_units() > kQuarterTurn) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lat_units ", message.lat_units(), " lies outside ", -kQuarterTurn, " .. ", kQuarterTurn));
  }
  absl::Status status = wire::CheckTime("accepted_at_ms", message.accepted_at_ms());
  if (status.ok()) status = wire::CheckTime("reported_at_ms", message.reported_at_ms());
  if (status.ok()) status = FillSpeed(message, event);
  if (!status.ok()) return status;
  event->position = Position::FromUnits(message.lat_units(), message.lng_units());
  event->accepted_at = Time::Millis(message.accepted_at_ms());
  event->reported_at = Time::Millis(message.reported_at_ms());
  return status;
}

// The fields of the event's kind; what the message bears beyond them is not looked at.
absl::Status Fill(const v1::NodeEvent& message, PeerMessage* event) {
  event->from = ShardId{message.from()};
  event->to = ShardId{message.to()};
  event->user = UserId{message.user()};
  switch (event->kind) {
    case PeerMessage::Kind::kAnnounce:
    case PeerMessage::Kind::kAnnounceBack:
      FillPair(message, event);
      break;
    case PeerMessage::Kind::kLocation:
    case PeerMessage::Kind::kHere:
      return FillLocation(message, event);
    case PeerMessage::Kind::kPark:
      return FillPark(message, event);
    case PeerMessage::Kind::kSubscribe:
    case PeerMessage::Kind::kUnsubscribe:
    case PeerMessage::Kind::kOffline:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status NodeDecoderOptions::Validate() const {
  if (max_payload_bytes <= kMaxPayloadBytesLimit) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("max_payload_bytes must be at most ", kMaxPayloadBytesLimit));
}

class NodeDecoder::Impl {
 public:
  explicit Impl(const NodeDecoderOptions& options) : options_(options) {}

  absl::Status Decode(absl::string_view payload, NodeBatch* batch) {
    batch->id = {};
    batch->events.clear();
    batch->unknown_events = 0;
    absl::Status status = CheckLimits(payload);
    if (status.ok()) status = wire::Parse(WireFormat::kProtobuf, payload, &message_);
    if (status.ok()) status = AppendEvents(batch);
    if (status.ok()) {
      batch->id = {message_.publisher(), message_.epoch(), message_.sequence()};
    } else {
      batch->events.clear();
      batch->unknown_events = 0;
    }
    return status;
  }

 private:
  absl::Status CheckLimits(absl::string_view payload) const {
    if (payload.size() > options_.max_payload_bytes) {
      return wire::TooLong("payload", payload.size(), options_.max_payload_bytes);
    }
    // Before protobuf makes them: an empty event is 2 bytes of a payload, and 90 in memory.
    std::size_t count = 0;
    const bool is_well_formed = wire::VisitFields(payload, [&count](int number, absl::string_view) {
      if (number == v1::NodeBatch::kEventsFieldNumber) ++count;
    });
    if (count > options_.max_events) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a batch of ", count, " events, where at most ", options_.max_events, " are taken"));
    }
    return is_well_formed ? absl::OkStatus() : wire::MalformedProtobuf();
  }

  absl::Status AppendEvents(NodeBatch* batch) const {
    for (int i = 0; i < message_.events_size(); ++i) {
      const v1::NodeEvent& message = message_.events(i);
      if (IsUnknown(message)) {
        ++batch->unknown_events;
        continue;
      }
      PeerMessage& event = batch->events.emplace_back();
      event.kind = *ToKind(message.kind());
      const absl::Status status = Fill(message, &event);
      if (!status.ok()) return wire::Within(absl::StrCat("event ", i), status);
    }
    return absl::OkStatus();
  }

  NodeDecoderOptions options_;
  v1::NodeBatch message_;
};

NodeDecoder::NodeDecoder() : NodeDecoder(NodeDecoderOptions()) {}
NodeDecoder::NodeDecoder(const NodeDecoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
NodeDecoder::~NodeDecoder() = default;
NodeDecoder::NodeDecoder(NodeDecoder&& other) noexcept = default;
NodeDecoder& NodeDecoder::operator=(NodeDecoder&& other) noexcept = default;

absl::StatusOr<NodeDecoder> NodeDecoder::Create(const NodeDecoderOptions& options) {
  absl::Status status = options.Validate();
  if (!status.ok()) return status;
  return NodeDecoder(options);
}

absl::Status NodeDecoder::Decode(absl::string_view payload, NodeBatch* batch) {
  return impl_->Decode(payload, batch);
}

}  // namespace nearby
