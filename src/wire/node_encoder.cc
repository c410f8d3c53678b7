#include <memory>
#include <string>

#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/session_directory.h"
#include "nearby/v1/node.pb.h"
#include "nearby/wire_format.h"
#include "src/wire/friendship_bits.h"
#include "src/wire/message_io.h"
#include "src/wire/node_event_fields.h"

namespace nearby {
namespace {

v1::NodeEvent::Kind ToWire(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::kLocation:
      return v1::NodeEvent::LOCATION;
    case NodeEvent::Kind::kOffline:
      return v1::NodeEvent::OFFLINE;
    case NodeEvent::Kind::kAnnounce:
      return v1::NodeEvent::ANNOUNCE;
    case NodeEvent::Kind::kAnnounceBack:
      return v1::NodeEvent::ANNOUNCE_BACK;
    case NodeEvent::Kind::kChange:
      return v1::NodeEvent::CHANGE;
    case NodeEvent::Kind::kChanged:
      return v1::NodeEvent::CHANGED;
    case NodeEvent::Kind::kTaken:
      return v1::NodeEvent::TAKEN;
    case NodeEvent::Kind::kReload:
      return v1::NodeEvent::RELOAD;
  }
  return v1::NodeEvent::KIND_UNSPECIFIED;
}

// Sets every field, so that an event can be used again without being cleared. Those that the kind
// does not have become 0, which takes no byte.
void Fill(const NodeEvent& event, v1::NodeEvent* out) {
  const wire::NodeEventFields has = wire::FieldsOf(event.kind);
  out->set_kind(ToWire(event.kind));
  out->set_user(has.user ? ToInt(event.user) : 0);
  out->set_friend_id(has.pair ? ToInt(event.friend_id) : 0);
  out->set_friendship(has.pair ? wire::ToBits(event.friendship) : 0);
  out->set_version(has.pair ? ToInt(event.version) : 0);
  out->set_session(has.session ? ToInt(event.session) : 0);
  out->set_lat_units(has.location ? event.position.lat_units() : 0);
  out->set_lng_units(has.location ? event.position.lng_units() : 0);
  out->set_accepted_at_ms(has.location ? event.accepted_at.ms : 0);
  out->set_reported_at_ms(has.location ? event.reported_at.ms : 0);
  out->set_speed_bound_mm_s(has.location ? event.speed_bound_mm_s : 0);
  out->set_jumps(has.location ? event.jumps : 0);
  out->set_request(has.request ? event.request : 0);
}

}  // namespace

class NodeEncoder::Impl {
 public:
  void Encode(const NodeBatch& batch, std::string* payload) {
    message_.set_from_node(ToInt(batch.from.node));
    message_.set_from_life(ToInt(batch.from.life));
    message_.set_to_life(ToInt(batch.to));
    message_.set_sequence(batch.sequence);
    message_.set_acknowledged(batch.acknowledged);
    auto* out = message_.mutable_events();
    int count = 0;
    for (const NodeEvent& event : batch.events) {
      Fill(event, count < out->size() ? out->Mutable(count) : out->Add());
      ++count;
    }
    while (out->size() > count) out->RemoveLast();
    wire::Append(WireFormat::kProtobuf, message_, payload);
  }

 private:
  v1::NodeBatch message_;
};

NodeEncoder::NodeEncoder() : impl_(std::make_unique<Impl>()) {}
NodeEncoder::~NodeEncoder() = default;
NodeEncoder::NodeEncoder(NodeEncoder&& other) noexcept = default;
NodeEncoder& NodeEncoder::operator=(NodeEncoder&& other) noexcept = default;

void NodeEncoder::Encode(const NodeBatch& batch, std::string* payload) {
  impl_->Encode(batch, payload);
}

}  // namespace nearby
