#ifndef EXAMPLES_ECHO_SERVER_AUTHENTICATOR_H_
#define EXAMPLES_ECHO_SERVER_AUTHENTICATOR_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
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
  /// Takes everybody for whom they say they are, but for the web pages of others: for playing on
  /// one machine.
  static Authenticator Insecure() { return Authenticator(); }

  /// Whether a request of this origin may be made at all. A browser says by it whose page asks
  /// (RFC 6454, section 7); other programs leave it empty. Insecurely `PermissionDenied` to pages
  /// of other hosts: any that is open in a browser here could act for everybody. Tokens keep them
  /// out by themselves.
  absl::Status CheckOrigin(absl::string_view origin) const;

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
