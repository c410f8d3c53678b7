#include <memory>
#include <string>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/node_codec.h"
#include "nearby/v1/node.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/friendship_bits.h"
#include "src/wire/message_io.h"

namespace nearby {
namespace {

v1::NodeEvent::Kind ToWire(PeerMessage::Kind kind) {
  switch (kind) {
    case PeerMessage::Kind::kAnnounce:
      return v1::NodeEvent::ANNOUNCE;
    case PeerMessage::Kind::kAnnounceBack:
      return v1::NodeEvent::ANNOUNCE_BACK;
    case PeerMessage::Kind::kSubscribe:
      return v1::NodeEvent::SUBSCRIBE;
    case PeerMessage::Kind::kUnsubscribe:
      return v1::NodeEvent::UNSUBSCRIBE;
    case PeerMessage::Kind::kLocation:
      return v1::NodeEvent::LOCATION;
    case PeerMessage::Kind::kHere:
      return v1::NodeEvent::HERE;
    case PeerMessage::Kind::kPark:
      return v1::NodeEvent::PARK;
    case PeerMessage::Kind::kOffline:
      return v1::NodeEvent::OFFLINE;
  }
  return v1::NodeEvent::KIND_UNSPECIFIED;
}

// Sets every field, so that an event can be used again without being cleared. Those that the kind
// does not have become 0, which takes no byte.
void Fill(const PeerMessage& event, v1::NodeEvent* out) {
  const bool has_location =
      event.kind == PeerMessage::Kind::kLocation || event.kind == PeerMessage::Kind::kHere;
  const bool is_park = event.kind == PeerMessage::Kind::kPark;
  const bool has_pair =
      event.kind == PeerMessage::Kind::kAnnounce || event.kind == PeerMessage::Kind::kAnnounceBack;
  out->set_kind(ToWire(event.kind));
  out->set_from(ToInt(event.from));
  out->set_to(ToInt(event.to));
  out->set_user(ToInt(event.user));
  out->set_friend_id(has_pair ? ToInt(event.friend_id) : 0);
  out->set_friendship(has_pair ? wire::ToBits(event.friendship) : 0);
  out->set_version(has_pair ? ToInt(event.version) : 0);
  out->set_lat_units(has_location ? event.position.lat_units() : 0);
  out->set_lng_units(has_location ? event.position.lng_units() : 0);
  out->set_accepted_at_ms(has_location ? event.accepted_at.ms : 0);
  out->set_reported_at_ms(has_location ? event.reported_at.ms : 0);
  out->set_sequence(has_location || is_park ? event.sequence : 0);
  out->set_speed_bound(has_location || is_park ? event.speed_bound : 0);
  out->set_until_ms(is_park ? event.until.ms : 0);
}

}  // namespace

class NodeEncoder::Impl {
 public:
  void Encode(const NodeBatchId& id, absl::Span<const PeerMessage> events, std::string* payload) {
    batch_.set_publisher(id.publisher);
    batch_.set_epoch(id.epoch);
    batch_.set_sequence(id.sequence);
    auto* out = batch_.mutable_events();
    int count = 0;
    for (const PeerMessage& event : events) {
      Fill(event, count < out->size() ? out->Mutable(count) : out->Add());
      ++count;
    }
    while (out->size() > count) out->RemoveLast();
    wire::Append(WireFormat::kProtobuf, batch_, payload);
  }

 private:
  v1::NodeBatch batch_;
};

NodeEncoder::NodeEncoder() : impl_(std::make_unique<Impl>()) {}
NodeEncoder::~NodeEncoder() = default;
NodeEncoder::NodeEncoder(NodeEncoder&& other) noexcept = default;
NodeEncoder& NodeEncoder::operator=(NodeEncoder&& other) noexcept = default;

void NodeEncoder::Encode(const NodeBatchId& id, absl::Span<const PeerMessage> events,
                         std::string* payload) {
  impl_->Encode(id, events, payload);
}

}  // namespace nearby
