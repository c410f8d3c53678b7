#include "examples/echo_server/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace echo_server {
namespace {

using nearby::UserId;

constexpr absl::string_view kVersion = "v1";
constexpr absl::string_view kUserScope = "user";
constexpr absl::string_view kAdminScope = "admin";
constexpr std::size_t kMacBytes = 32;

absl::Status Malformed() { return absl::UnauthenticatedError("the token is malformed"); }

// Decodes base64url in its one canonical spelling: the decoder below takes padding, white space and
// stray bits at the end as well.
bool DecodeCanonical(absl::string_view encoded, std::string* decoded) {
  return absl::WebSafeBase64Unescape(encoded, decoded) &&
         absl::WebSafeBase64Escape(*decoded) == encoded;
}

// A decimal number as StrCat writes it: no sign, no leading zero, no white space.
template <typename Integer>
bool ParseCanonical(absl::string_view text, Integer* number) {
  return absl::SimpleAtoi(text, number) && absl::StrCat(*number) == text;
}

bool ParsePayload(absl::string_view payload, TokenClaims* claims) {
  const std::vector<absl::string_view> parts = absl::StrSplit(payload, ':');
  std::uint64_t user = 0;
  if (parts.size() != 3 || !ParseCanonical(parts[0], &user) ||
      !ParseCanonical(parts[1], &claims->expires_at_s) || claims->expires_at_s < 0) {
    return false;
  }
  claims->user = UserId{user};
  claims->is_admin = parts[2] == kAdminScope;
  return claims->is_admin || parts[2] == kUserScope;
}

// Whether that second has begun. Compared in seconds: the expiry in milliseconds could overflow.
bool IsOver(std::int64_t expires_at_s, nearby::Time now) {
  const std::int64_t now_s = now.ms / 1000 - (now.ms % 1000 < 0 ? 1 : 0);
  return now_s >= expires_at_s;
}

}  // namespace

void TokenKey::Wiper::operator()(std::string* secret) const {
  OPENSSL_cleanse(&(*secret)[0], secret->size());
  delete secret;
}

absl::StatusOr<TokenKey> TokenKey::Create(absl::string_view secret) {
  if (secret.size() < kMinSecretBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the secret has ", secret.size(), " bytes; at least ", kMinSecretBytes, " are needed"));
  }
  if (secret.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("the secret is too long");
  }
  return TokenKey(secret);
}

TokenKey::TokenKey(absl::string_view secret) : secret_(new std::string(secret)) {}

std::string TokenKey::Mac(absl::string_view signed_part) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_->data(), static_cast<int>(secret_->size()),
       reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), mac.data(),
       &size);
  return std::string(reinterpret_cast<const char*>(mac.data()), size);
}

std::string TokenKey::Sign(const TokenClaims& claims) const {
  const std::string payload = absl::StrCat(nearby::ToInt(claims.user), ":", claims.expires_at_s,
                                           ":", claims.is_admin ? kAdminScope : kUserScope);
  const std::string signed_part = absl::StrCat(kVersion, ".", absl::WebSafeBase64Escape(payload));
  return absl::StrCat(signed_part, ".", absl::WebSafeBase64Escape(Mac(signed_part)));
}

absl::StatusOr<TokenClaims> TokenKey::Verify(absl::string_view token, nearby::Time now) const {
  if (token.size() > kMaxTokenBytes) return Malformed();
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  if (parts.size() != 3 || parts[0] != kVersion) return Malformed();
  std::string mac;
  if (!DecodeCanonical(parts[2], &mac) || mac.size() != kMacBytes) return Malformed();
  const absl::string_view signed_part = token.substr(0, token.size() - parts[2].size() - 1);
  const std::string expected = Mac(signed_part);
  // In constant time, so that the answer's delay tells nothing about the right one.
  if (expected.size() != kMacBytes || CRYPTO_memcmp(mac.data(), expected.data(), kMacBytes) != 0) {
    return absl::UnauthenticatedError("the token was not made with this server's secret");
  }
  // What follows is ours: it is malformed only if another version of this program made it.
  std::string payload;
  TokenClaims claims;
  if (!DecodeCanonical(parts[1], &payload) || !ParsePayload(payload, &claims)) return Malformed();
  if (IsOver(claims.expires_at_s, now)) return absl::UnauthenticatedError("the token has expired");
  return claims;
}

}  // namespace echo_server
