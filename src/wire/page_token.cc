#include "src/wire/page_token.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "src/wire/values.h"

namespace nearby::wire {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kBytes = 1 + 8 + 8;

void AppendFixed64(std::uint64_t value, std::string* bytes) {
  for (int shift = 0; shift < 64; shift += 8) {
    bytes->push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
  }
}

std::uint64_t ReadFixed64(absl::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::string EncodePageToken(const PageToken& token) {
  std::string bytes;
  if (token.distance_mm < 0) return bytes;
  bytes.reserve(kBytes);
  bytes.push_back(kVersion);
  AppendFixed64(static_cast<std::uint64_t>(token.distance_mm), &bytes);
  AppendFixed64(ToInt(token.friend_id), &bytes);
  return bytes;
}

bool HasKnownTokenVersion(absl::string_view bytes) { return bytes.front() == kVersion; }

absl::StatusOr<PageToken> DecodePageToken(absl::string_view bytes) {
  PageToken token;
  if (bytes.empty()) return token;
  if (bytes.size() != kBytes || !HasKnownTokenVersion(bytes)) {
    return absl::InvalidArgumentError("not a page token of this server");
  }
  const std::uint64_t distance_mm = ReadFixed64(bytes.substr(1));
  if (distance_mm > static_cast<std::uint64_t>(kMaxDistanceMm)) {
    return absl::InvalidArgumentError("not a page token of this server");
  }
  token.distance_mm = static_cast<std::int64_t>(distance_mm);
  token.friend_id = UserId{ReadFixed64(bytes.substr(9))};
  return token;
}

}  // namespace nearby::wire
