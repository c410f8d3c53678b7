#include "examples/echo_server/http_target.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace echo_server {
namespace {

int HexDigit(char digit) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(digit))) return digit - '0';
  return absl::ascii_tolower(static_cast<unsigned char>(digit)) - 'a' + 10;
}

bool DecodePercent(absl::string_view encoded, bool plus_is_space, std::string* decoded) {
  decoded->clear();
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      if (i + 2 >= encoded.size() ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 1])) ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(encoded[i + 2]))) {
        return false;
      }
      c = static_cast<char>(16 * HexDigit(encoded[i + 1]) + HexDigit(encoded[i + 2]));
      i += 2;
    }
    decoded->push_back(c);
  }
  return true;
}

absl::Status BadEscape() {
  return absl::InvalidArgumentError("the target has a percent sign that begins no escape");
}

absl::Status ParseQuery(absl::string_view query, HttpTarget* target) {
  for (const absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    std::string name;
    std::string value;
    if (!DecodePercent(parts.first, true, &name) || !DecodePercent(parts.second, true, &value)) {
      return BadEscape();
    }
    if (target->Find(name) != nullptr) {
      return absl::InvalidArgumentError("a parameter of the target is given twice");
    }
    target->parameters.emplace_back(std::move(name), std::move(value));
  }
  return absl::OkStatus();
}

}  // namespace

const std::string* HttpTarget::Find(absl::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

absl::StatusOr<HttpTarget> ParseTarget(absl::string_view target) {
  if (target.size() > HttpTarget::kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the target has more than ", HttpTarget::kMaxBytes, " bytes"));
  }
  if (target.empty() || target.front() != '/') {
    return absl::InvalidArgumentError("the target is not an absolute path");
  }
  HttpTarget parsed;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(target, absl::MaxSplits('?', 1));
  for (const absl::string_view segment : absl::StrSplit(parts.first.substr(1), '/')) {
    if (!DecodePercent(segment, false, &parsed.segments.emplace_back())) return BadEscape();
  }
  if (absl::Status status = ParseQuery(parts.second, &parsed); !status.ok()) return status;
  return parsed;
}

}  // namespace echo_server
