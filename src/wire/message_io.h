#ifndef NEARBY_SRC_WIRE_MESSAGE_IO_H_
#define NEARBY_SRC_WIRE_MESSAGE_IO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nearby/wire_format.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace nearby::wire {

/// Replaces `message` by what `frame` holds. Fields that the message does not know are passed over.
/// `InvalidArgument` for what is malformed; protobuf then leaves what it had read by then, JSON
/// leaves nothing. Requires fewer than 2^31 bytes.
absl::Status Parse(WireFormat format, absl::string_view frame, google::protobuf::Message* message);

/// What Parse answers for a malformed frame in protobuf.
absl::Status MalformedProtobuf();

/// Appends the message. Requires its strings to be UTF-8.
void Append(WireFormat format, const google::protobuf::Message& message, std::string* frame);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_MESSAGE_IO_H_
