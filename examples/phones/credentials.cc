#include "examples/phones/credentials.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/echo_server/secret.h"
#include "examples/echo_server/token.h"
#include "examples/phones/websocket.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace phones {
namespace {

constexpr char kPath[] = "/ws";
// Each connection has a token of its own, so it need not be good for long.
constexpr std::int64_t kTokenSeconds = std::int64_t{24} * 3600;

}  // namespace

absl::StatusOr<Credentials> Credentials::Load(const std::string& secret_file) {
  absl::StatusOr<echo_server::TokenKey> key = echo_server::LoadTokenKey(secret_file);
  if (!key.ok()) return key.status();
  return Credentials(*std::move(key));
}

DialRequest Credentials::For(nearby::UserId user, nearby::Time now) const {
  DialRequest request;
  if (!key_.has_value()) {
    request.target = absl::StrCat(kPath, "?user=", nearby::ToInt(user));
    return request;
  }
  request.target = kPath;
  request.authorization =
      absl::StrCat("Bearer ", key_->Sign({user, now.ms / 1000 + kTokenSeconds}));
  return request;
}

}  // namespace phones
