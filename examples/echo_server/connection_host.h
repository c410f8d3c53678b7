#ifndef EXAMPLES_ECHO_SERVER_CONNECTION_HOST_H_
#define EXAMPLES_ECHO_SERVER_CONNECTION_HOST_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace echo_server {

class ConnectionSlots;
class EventLoop;
class Router;
struct ClientSessionHost;
struct ServerStats;

/// How connections are treated, whatever is said over them.
struct ConnectionOptions {
  // Behaviour.

  /// A request must have arrived in full, its answer have been found, and the answer have left, in
  /// this time each; so must the handshake of a WebSocket. An answer that is not found by then is
  /// 504, and the connection ends; what was asked for may happen all the same.
  absl::Duration request_timeout = absl::Seconds(10);
  /// A WebSocket that has been silent for half of this is sent a ping; one that has been silent for
  /// all of it is closed.
  absl::Duration idle_timeout = absl::Seconds(60);

  // Limits.

  std::uint32_t max_header_bytes = 8192;
  std::uint64_t max_body_bytes = 1024;  ///< No request here needs any.
  std::size_t max_message_bytes = 4096;

  // Performance.

  /// The kernel's buffer for what a client has not read yet, SO_SNDBUF, which Linux doubles. What
  /// lies there grows old: better in the runtime, where a newer location takes its place. 0: the
  /// system's default.
  int send_buffer_bytes = 32 * 1024;
};

/// What the connections of one event loop share. All of it outlives them.
struct ConnectionHost {
  EventLoop* loop = nullptr;
  Router* router = nullptr;
  const ClientSessionHost* sessions = nullptr;
  ServerStats* stats = nullptr;
  /// Taken by the connections whose HTTP request is being answered.
  ConnectionSlots* requests_under_way = nullptr;
  ConnectionOptions options;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CONNECTION_HOST_H_
