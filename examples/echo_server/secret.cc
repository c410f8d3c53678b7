#include "examples/echo_server/secret.h"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace echo_server {
namespace {

// No secret is longer; a device or a wrong file may be.
constexpr std::size_t kMaxFileBytes = 4096;

absl::StatusOr<std::string> ReadSecretFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content(kMaxFileBytes + 1, '\0');
  in.read(&content[0], static_cast<std::streamsize>(content.size()));
  if (in.bad() || (in.fail() && !in.eof())) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": cannot be read"));
  }
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": a secret has at most ", kMaxFileBytes, " bytes"));
  }
  absl::string_view secret = content;
  if (absl::ConsumeSuffix(&secret, "\n")) absl::ConsumeSuffix(&secret, "\r");
  return std::string(secret);
}

}  // namespace

absl::StatusOr<TokenKey> LoadTokenKey(const std::string& file) {
  if (file.empty()) {
    const char* const secret = std::getenv(kSecretVariable);
    if (secret == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("no secret: give --secret-file, or set ", kSecretVariable));
    }
    return TokenKey::Create(secret);
  }
  const absl::StatusOr<std::string> secret = ReadSecretFile(file);
  if (!secret.ok()) return secret.status();
  absl::StatusOr<TokenKey> key = TokenKey::Create(*secret);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", key.status().message()));
}

}  // namespace echo_server
