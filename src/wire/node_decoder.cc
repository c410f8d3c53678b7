#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "nearby/v1/node.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/fields.h"
#include "src/wire/friendship_bits.h"
#include "src/wire/message_io.h"
#include "src/wire/node_event_fields.h"
#include "src/wire/values.h"

namespace nearby {
namespace {

constexpr std::size_t kMaxPayloadBytesLimit = std::size_t{1} << 30;
constexpr std::int32_t kQuarterTurn = 1 << 30;

std::optional<NodeEvent::Kind> ToKind(v1::NodeEvent::Kind kind) {
  switch (kind) {
    case v1::NodeEvent::LOCATION:
      return NodeEvent::Kind::kLocation;
    case v1::NodeEvent::OFFLINE:
      return NodeEvent::Kind::kOffline;
    case v1::NodeEvent::ANNOUNCE:
      return NodeEvent::Kind::kAnnounce;
    case v1::NodeEvent::ANNOUNCE_BACK:
      return NodeEvent::Kind::kAnnounceBack;
    case v1::NodeEvent::CHANGE:
      return NodeEvent::Kind::kChange;
    case v1::NodeEvent::CHANGED:
      return NodeEvent::Kind::kChanged;
    case v1::NodeEvent::TAKEN:
      return NodeEvent::Kind::kTaken;
    case v1::NodeEvent::RELOAD:
      return NodeEvent::Kind::kReload;
    default:
      return std::nullopt;
  }
}

// A friendship with a bit that a later version has added, of which only that version knows whether
// it grants or forbids.
bool HasUnknownBits(const v1::NodeEvent& message) {
  return (message.friendship() & ~wire::kFriendshipBits) != 0;
}

// The kind of an event that this version knows. What a later one adds is left out: a kind, or an
// announcement with such a friendship, without which nobody is told anything. A change is not: the
// sender waits for the answer.
std::optional<NodeEvent::Kind> KnownKind(const v1::NodeEvent& message) {
  const std::optional<NodeEvent::Kind> kind = ToKind(message.kind());
  if (kind == NodeEvent::Kind::kChange) return kind;
  if (kind.has_value() && wire::FieldsOf(*kind).pair && HasUnknownBits(message)) {
    return std::nullopt;
  }
  return kind;
}

absl::Status FillLocation(const v1::NodeEvent& message, NodeEvent* event) {
  if (message.lat_units() < -kQuarterTurn || message.lat_units() > kQuarterTurn) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lat_units ", message.lat_units(), " lies outside ", -kQuarterTurn, " .. ", kQuarterTurn));
  }
  absl::Status status = wire::CheckTime("accepted_at_ms", message.accepted_at_ms());
  if (status.ok()) status = wire::CheckTime("reported_at_ms", message.reported_at_ms());
  if (!status.ok()) return status;
  event->position = Position::FromUnits(message.lat_units(), message.lng_units());
  event->accepted_at = Time::Millis(message.accepted_at_ms());
  event->reported_at = Time::Millis(message.reported_at_ms());
  event->speed_bound_mm_s = message.speed_bound_mm_s();
  event->jumps = message.jumps();
  return status;
}

// The fields of the event's kind; what the message bears beyond them is not looked at.
absl::Status Fill(const v1::NodeEvent& message, NodeEvent* event) {
  const wire::NodeEventFields has = wire::FieldsOf(event->kind);
  if (has.user) event->user = UserId{message.user()};
  if (has.session) event->session = Epoch{message.session()};
  if (has.pair) {
    event->friend_id = UserId{message.friend_id()};
    // Nothing is the one thing that no bit forbids.
    event->friendship =
        HasUnknownBits(message) ? Friendship() : wire::FriendshipFromBits(message.friendship());
    event->version = FriendVersion{message.version()};
  }
  if (has.request) event->request = message.request();
  return has.location ? FillLocation(message, event) : absl::OkStatus();
}

// Empties it, but for its memory.
void Clear(NodeBatch* batch) {
  std::vector<NodeEvent> events = std::move(batch->events);
  events.clear();
  *batch = NodeBatch();
  batch->events = std::move(events);
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
    Clear(batch);
    absl::Status status = CheckLimits(payload);
    if (status.ok()) status = wire::Parse(WireFormat::kProtobuf, payload, &message_);
    if (status.ok()) status = AppendEvents(batch);
    if (!status.ok()) {
      Clear(batch);
      return status;
    }
    batch->from = {NodeId{message_.from_node()}, Epoch{message_.from_life()}};
    batch->to = Epoch{message_.to_life()};
    batch->sequence = message_.sequence();
    batch->acknowledged = message_.acknowledged();
    return status;
  }

 private:
  absl::Status CheckLimits(absl::string_view payload) const {
    if (payload.size() > options_.max_payload_bytes) {
      return wire::TooLong("payload", payload.size(), options_.max_payload_bytes);
    }
    // Before protobuf makes them: an empty event is 2 bytes of a payload, and 96 in memory.
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
      const std::optional<NodeEvent::Kind> kind = KnownKind(message);
      if (!kind.has_value()) {
        ++batch->unknown_events;
        continue;
      }
      NodeEvent& event = batch->events.emplace_back();
      event.kind = *kind;
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
