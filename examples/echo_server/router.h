#ifndef EXAMPLES_ECHO_SERVER_ROUTER_H_
#define EXAMPLES_ECHO_SERVER_ROUTER_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/http_message.h"
#include "examples/echo_server/http_target.h"
#include "examples/echo_server/metrics_page.h"
#include "examples/echo_server/user_api.h"
#include "examples/echo_server/user_rate_limit.h"
#include "nearby/clock.h"
#include "nearby/cluster.h"

namespace echo_server {

/// Which request does what, and who may make it:
///
///   GET         /ws                               becomes a WebSocket
///   PUT DELETE  /v1/users/{user}/friends/{other}
///   PUT DELETE  /v1/users/{user}/hidden/{viewer}
///   GET         /v1/users/{user}/nearby
///   GET         /healthz                          without a token
///   GET         /metrics                          without a token
///
/// GET includes HEAD. Errors are JSON, all in one form (`ErrorResponse`).
///
/// Thread-compatible: for one event loop. Borrows its parts, as UserApi does.
class Router {
 public:
  using Done = UserApi::Done;

  struct Parts {
    UserApi::Parts api;
    const Authenticator* authenticator = nullptr;
    const MetricsPage* metrics = nullptr;
    /// Of the requests that act for a user, unless an admin makes them.
    UserRateLimit* requests = nullptr;
    const nearby::Clock* clock = nearby::SystemClock::Get();
    const std::atomic<bool>* is_draining = nullptr;
    /// Of a node among others.
    const nearby::Cluster* cluster = nullptr;
  };

  explicit Router(const Parts& parts) : parts_(parts), api_(parts.api) {}

  /// Calls `done` once, on the loop, perhaps before it returns.
  void Handle(const HttpRequest& request, Done done);

  /// Whether the target is that of the WebSocket.
  static bool IsWebSocketPath(absl::string_view target);
  /// Who opens a WebSocket. `Unauthenticated`; `PermissionDenied`: by its origin;
  /// `InvalidArgument`; `Unavailable`: the server is draining.
  absl::StatusOr<Identity> AdmitWebSocket(const HttpRequest& request);

  HttpResponse Error(const absl::Status& status);
  HttpResponse Error(int http_status, const absl::Status& status);

 private:
  void HandleUser(const HttpRequest& request, const HttpTarget& target, Done done);
  void HandleFriend(const HttpRequest& request, const Identity& caller, nearby::UserId user,
                    nearby::UserId other, Done done);
  HttpResponse Health();
  HttpResponse NotFound();
  HttpResponse NotAllowed(const char* allowed);
  HttpResponse TooManyRequests(absl::Duration wait);

  const Parts parts_;
  UserApi api_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_ROUTER_H_
