#ifndef EXAMPLES_ECHO_SERVER_SERVER_OPTIONS_H_
#define EXAMPLES_ECHO_SERVER_SERVER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "examples/echo_server/client_session.h"
#include "examples/echo_server/connection_host.h"
#include "examples/echo_server/friend_requests.h"
#include "nearby/runtime_options.h"

namespace echo_server {

/// What a server is told once, when it is made.
struct ServerOptions {
  // Behaviour.

  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: any that is free.
  /// After this long a draining server closes who is still there.
  absl::Duration drain_timeout = absl::Seconds(30);
  ConnectionOptions connection;
  ClientSessionOptions session;
  FriendRequests::Options friend_requests;
  /// `shards` is filled in: one for each loop.
  nearby::RuntimeOptions runtime;

  // Limits.

  /// Further ones are answered with 503 and closed.
  std::size_t max_connections = 10'000;
  /// Of friends on one page.
  std::uint32_t max_page_size = 200;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SERVER_OPTIONS_H_
