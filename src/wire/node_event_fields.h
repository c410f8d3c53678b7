#ifndef NEARBY_SRC_WIRE_NODE_EVENT_FIELDS_H_
#define NEARBY_SRC_WIRE_NODE_EVENT_FIELDS_H_

#include "nearby/node_batch.h"

namespace nearby::wire {

/// Which fields a kind of event has: what is written, and what is read.
struct NodeEventFields {
  bool user = false;
  bool session = false;
  bool pair = false;  ///< `friend_id`, `friendship`, `version`.
  bool location = false;
  bool request = false;
};

/// None for a kind that does not exist.
constexpr NodeEventFields FieldsOf(NodeEvent::Kind kind) {
  NodeEventFields fields;
  switch (kind) {
    case NodeEvent::Kind::kLocation:
      fields.user = fields.session = fields.location = true;
      break;
    case NodeEvent::Kind::kOffline:
    case NodeEvent::Kind::kTaken:
      fields.user = fields.session = true;
      break;
    case NodeEvent::Kind::kAnnounce:
    case NodeEvent::Kind::kAnnounceBack:
      fields.user = fields.session = fields.pair = true;
      break;
    case NodeEvent::Kind::kChange:
      fields.user = fields.pair = fields.request = true;
      break;
    case NodeEvent::Kind::kChanged:
      fields.request = true;
      break;
    case NodeEvent::Kind::kReload:
      fields.user = true;
      break;
  }
  return fields;
}

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_NODE_EVENT_FIELDS_H_
