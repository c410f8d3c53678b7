#ifndef EXAMPLES_ECHO_SERVER_AUTHENTICATOR_H_
#define EXAMPLES_ECHO_SERVER_AUTHENTICATOR_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "examples/echo_server/http_target.h"
#include "examples/echo_server/token.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace echo_server {

/// Who makes a request, or stands behind a connection.
struct Identity {
  nearby::UserId user{};
  bool is_admin = false;
  nearby::Time expires_at = nearby::kNever;  ///< From then on the connection must not go on.
};

/// Finds out who is calling, and whether they may act for a user.
///
/// Immutable. Thread-safe.
class Authenticator {
 public:
  /// Asks for tokens made with this key.
  explicit Authenticator(TokenKey key) : key_(std::move(key)) {}
  /// Takes everybody for whom they say they are: for playing on one machine.
  static Authenticator Insecure() { return Authenticator(); }

  /// Whoever opens a WebSocket: by the header, or by the parameter `token`, because browsers cannot
  /// set headers there; insecurely by the parameter `user`. `Unauthenticated`, and, insecurely,
  /// `InvalidArgument`.
  absl::StatusOr<Identity> Identify(absl::string_view authorization, const HttpTarget& target,
                                    nearby::Time now) const;

  /// Whoever wants to act for `user` over HTTP: that user or an admin. `Unauthenticated`;
  /// `PermissionDenied`.
  absl::StatusOr<Identity> Authorize(absl::string_view authorization, nearby::UserId user,
                                     nearby::Time now) const;

 private:
  Authenticator() = default;
  absl::StatusOr<Identity> Verify(absl::string_view token, nearby::Time now) const;

  std::optional<TokenKey> key_;  // none: insecure
};

/// A user in a path or parameter: a decimal number of 64 bits. `InvalidArgument`.
absl::StatusOr<nearby::UserId> ParseUser(absl::string_view text);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_AUTHENTICATOR_H_
