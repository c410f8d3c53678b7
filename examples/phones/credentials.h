#ifndef EXAMPLES_PHONES_CREDENTIALS_H_
#define EXAMPLES_PHONES_CREDENTIALS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "examples/echo_server/token.h"
#include "examples/phones/websocket.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {

/// How phones tell the server who they are.
///
/// Immutable. Thread-safe.
class Credentials {
 public:
  /// With tokens. The secret is that of the server, from a file or, if `secret_file` is empty, from
  /// the environment. `NotFound`: neither is there; `InvalidArgument`: see
  /// echo_server::LoadTokenKey.
  static absl::StatusOr<Credentials> Load(const std::string& secret_file);
  /// Without: for a server that takes everybody for whom they say they are.
  static Credentials Insecure() { return Credentials(std::nullopt); }

  /// For a connection that begins now.
  DialRequest For(nearby::UserId user, nearby::Time now) const;

 private:
  explicit Credentials(std::optional<echo_server::TokenKey> key) : key_(std::move(key)) {}

  std::optional<echo_server::TokenKey> key_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_CREDENTIALS_H_
