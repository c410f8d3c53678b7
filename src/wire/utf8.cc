#include "src/wire/utf8.h"

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace nearby::wire {
namespace {

bool IsBetween(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

// What a first byte asks of the others: how long the character is, and the range of the second
// byte, which is narrower where a wider one would admit overlong forms, surrogates, or characters
// beyond the last.
struct Lead {
  std::size_t length;
  unsigned char second_low = 0x80;
  unsigned char second_high = 0xBF;
};

Lead LeadOf(unsigned char first) {
  if (first < 0x80) return {1};
  if (IsBetween(first, 0xC2, 0xDF)) return {2};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (IsBetween(first, 0xE1, 0xEF)) return {3};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (IsBetween(first, 0xF1, 0xF3)) return {4};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

std::size_t Utf8Length(absl::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const Lead lead = LeadOf(byte(0));
  if (lead.length > text.size()) return 0;
  if (lead.length >= 2 && !IsBetween(byte(1), lead.second_low, lead.second_high)) return 0;
  for (std::size_t i = 2; i < lead.length; ++i) {
    if (!IsBetween(byte(i), 0x80, 0xBF)) return 0;
  }
  return lead.length;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string CleanUtf8(absl::string_view text, std::size_t max_bytes) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const absl::string_view next = length == 0 ? "?" : text.substr(0, length);
    if (clean.size() + next.size() > max_bytes) break;
    clean.append(next.data(), next.size());
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

}  // namespace nearby::wire
