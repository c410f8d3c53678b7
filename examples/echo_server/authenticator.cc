#include "examples/echo_server/authenticator.h"

#include <arpa/inet.h>

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

// Of "http://[::1]:8080" the "[::1]"; empty for what is no scheme and host, such as "null".
absl::string_view HostOf(absl::string_view origin) {
  const std::size_t scheme_end = origin.find("://");
  if (scheme_end == absl::string_view::npos) return absl::string_view();
  const absl::string_view host = origin.substr(scheme_end + 3);
  const std::size_t address_end = absl::StartsWith(host, "[") ? host.find(']') : 0;
  return host.substr(0, host.find(':', address_end));
}

bool IsLoopback(absl::string_view host) {
  if (absl::EqualsIgnoreCase(host, "localhost") || host == "[::1]") return true;
  // The address itself, and not a name that begins like one.
  in_addr address = {};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         ntohl(address.s_addr) >> 24 == 127;
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

absl::Status Authenticator::CheckOrigin(absl::string_view origin) const {
  if (key_.has_value() || origin.empty() || IsLoopback(HostOf(origin))) return absl::OkStatus();
  return absl::PermissionDeniedError("an insecure server is not for pages of other hosts");
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
