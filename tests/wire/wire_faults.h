#ifndef NEARBY_TESTS_WIRE_WIRE_FAULTS_H_
#define NEARBY_TESTS_WIRE_WIRE_FAULTS_H_

#include <string>

#include "nearby/client_codec.h"
#include "nearby/node_batch.h"
#include "nearby/server_codec.h"

namespace nearby::test {

/// What a decoder, with the default options, must not have let through in this message; empty if
/// there is nothing. By the header's promises, not by the decoder's code.
std::string FindFault(const ClientCall& call);
std::string FindFault(const ServerMessage& message);
std::string FindFault(const NodeBatch& batch);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_WIRE_WIRE_FAULTS_H_
