// A call there and an answer back: the component wire.

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nearby/client_codec.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace {

bool ThereAndBack(nearby::WireFormat format) {
  std::string frame;
  nearby::ClientEncoder().Encode(format, {7, nearby::SubscribeCall{nearby::UserId{42}}}, &frame);
  nearby::ClientDecoder calls;
  const absl::StatusOr<nearby::ClientCall> call = calls.Decode(format, frame);
  if (!call.ok() || call->request_id != 7) return false;
  const auto* subscribe = std::get_if<nearby::SubscribeCall>(&call->call);
  if (subscribe == nullptr || subscribe->friend_id != nearby::UserId{42}) return false;

  frame.clear();
  nearby::ServerEncoder().EncodeError(format, 7, absl::NotFoundError("who?"), absl::Seconds(1),
                                      &frame);
  nearby::ServerDecoder messages;
  const absl::StatusOr<nearby::ServerMessage> message = messages.Decode(format, frame);
  if (!message.ok()) return false;
  const auto* error = std::get_if<nearby::ServerError>(&message->message);
  return error != nullptr && absl::IsNotFound(error->status);
}

}  // namespace

int main() {
  return ThereAndBack(nearby::WireFormat::kProtobuf) && ThereAndBack(nearby::WireFormat::kJson) ? 0
                                                                                                : 1;
}
