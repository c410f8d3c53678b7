#include "examples/echo_server/authenticator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace echo_server {
namespace {

using nearby::Time;
using nearby::UserId;

// The token of an Authorization header (RFC 6750, section 2.1); empty if it bears none.
absl::string_view BearerToken(absl::string_view authorization) {
  constexpr absl::string_view kScheme = "Bearer ";
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) return absl::string_view();
  return authorization.substr(kScheme.size());
}

Time ToTime(std::int64_t seconds) {
  return Time::Millis(1000 * std::min(seconds, nearby::kMaxTimeMs / 1000));
}

}  // namespace

absl::StatusOr<UserId> ParseUser(absl::string_view text) {
  std::uint64_t user = 0;
  const bool is_digits = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!is_digits || !absl::SimpleAtoi(text, &user)) {
    return absl::InvalidArgumentError("not a user: an unsigned 64-bit number is expected");
  }
  return UserId{user};
}

absl::StatusOr<Identity> Authenticator::Identify(absl::string_view authorization,
                                                 const HttpTarget& target, Time now) const {
  if (!key_.has_value()) {
    const std::string* const parameter = target.Find("user");
    if (parameter == nullptr) return absl::InvalidArgumentError("the parameter user is missing");
    const absl::StatusOr<UserId> user = ParseUser(*parameter);
    if (!user.ok()) return user.status();
    return Identity{*user};
  }
  if (!authorization.empty()) return Verify(BearerToken(authorization), now);
  const std::string* const parameter = target.Find("token");
  return Verify(parameter != nullptr ? absl::string_view(*parameter) : absl::string_view(), now);
}

absl::StatusOr<Identity> Authenticator::Authorize(absl::string_view authorization, UserId user,
                                                  Time now) const {
  if (!key_.has_value()) return Identity{user};
  absl::StatusOr<Identity> identity = Verify(BearerToken(authorization), now);
  if (identity.ok() && identity->user != user && !identity->is_admin) {
    return absl::PermissionDeniedError("the token is another user's");
  }
  return identity;
}

absl::StatusOr<Identity> Authenticator::Verify(absl::string_view token, Time now) const {
  if (token.empty()) return absl::UnauthenticatedError("a token is needed");
  const absl::StatusOr<TokenClaims> claims = key_->Verify(token, now);
  if (!claims.ok()) return claims.status();
  return Identity{claims->user, claims->is_admin, ToTime(claims->expires_at_s)};
}

}  // namespace echo_server
