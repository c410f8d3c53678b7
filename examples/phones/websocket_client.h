#ifndef EXAMPLES_PHONES_WEBSOCKET_CLIENT_H_
#define EXAMPLES_PHONES_WEBSOCKET_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "examples/phones/loop.h"
#include "examples/phones/websocket.h"

namespace phones {

/// Where a server listens.
struct ServerName {
  std::string host;
  std::string port;
};

/// Opens real WebSockets, on the loop. Looks the names up at once, and keeps to the first address
/// of each. The loop must outlive the dialer and its sockets. `Unavailable`: there is no such host.
absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(absl::Span<const ServerName> servers,
                                                   Loop* loop);

}  // namespace phones

#endif  // EXAMPLES_PHONES_WEBSOCKET_CLIENT_H_
