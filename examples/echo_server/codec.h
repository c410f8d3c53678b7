#ifndef EXAMPLES_ECHO_SERVER_CODEC_H_
#define EXAMPLES_ECHO_SERVER_CODEC_H_

#include "absl/status/status.h"
#include "nearby/client_codec.h"
#include "nearby/server_codec.h"

namespace echo_server {

/// What one event loop reads and writes messages with. Thread-compatible.
struct Codec {
  nearby::ClientDecoder decoder;
  nearby::ServerEncoder encoder;
};

/// How a call on the runtime or a store failed, as others may see it: what went wrong inside is for
/// the operators.
absl::Status StatusForClient(const absl::Status& status);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CODEC_H_
