#ifndef NEARBY_WIRE_FORMAT_H_
#define NEARBY_WIRE_FORMAT_H_

#include <cstdint>

namespace nearby {

/// How a message between a client and a server is written: the messages of `nearby.v1` as protobuf,
/// or as the JSON that protobuf defines for the same messages. A host chooses for each connection,
/// or for each frame (on a WebSocket: binary frames and text frames).
enum class WireFormat : std::uint8_t {
  kProtobuf,
  kJson,
};

}  // namespace nearby

#endif  // NEARBY_WIRE_FORMAT_H_
