#ifndef NEARBY_TESTS_WIRE_ENCODE_MESSAGE_H_
#define NEARBY_TESTS_WIRE_ENCODE_MESSAGE_H_

#include <string>

#include "nearby/client_codec.h"
#include "nearby/node_batch.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace nearby::test {

/// A frame with one message, by encoders that have been used for other messages before, as those of
/// a server have.
std::string EncodeMessage(WireFormat format, const ClientCall& call);
std::string EncodeMessage(WireFormat format, const ServerMessage& message);
std::string EncodeMessage(const NodeBatch& batch);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_WIRE_ENCODE_MESSAGE_H_
