#ifndef EXAMPLES_ECHO_SERVER_SECRET_H_
#define EXAMPLES_ECHO_SERVER_SECRET_H_

#include <string>

#include "absl/status/statusor.h"
#include "examples/echo_server/token.h"

namespace echo_server {

/// The environment variable that holds the secret where no file is named.
inline constexpr char kSecretVariable[] = "NEARBY_TOKEN_SECRET";

/// The key from a file, or, if `file` is empty, from the environment. One line break at the end of
/// a file does not count.
/// `NotFound`: neither is there. `InvalidArgument`: the file cannot be read, or the secret is too
/// short or too long.
absl::StatusOr<TokenKey> LoadTokenKey(const std::string& file);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SECRET_H_
