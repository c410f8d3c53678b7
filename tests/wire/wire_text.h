#ifndef NEARBY_TESTS_WIRE_WIRE_TEXT_H_
#define NEARBY_TESTS_WIRE_WIRE_TEXT_H_

#include <string>

#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/node_batch.h"
#include "nearby/server_codec.h"

namespace nearby::test {

/// Every field of a message, as text: two messages are equal if and only if their texts are.
std::string ToText(const ClientCall& call);
std::string ToText(const ServerMessage& message);
std::string ToText(const NodeBatch& batch);

/// The message that a client should receive for a batch.
ServerMessage AsReceived(const ClientBatch& batch);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_WIRE_WIRE_TEXT_H_
