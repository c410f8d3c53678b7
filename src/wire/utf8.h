#ifndef NEARBY_SRC_WIRE_UTF8_H_
#define NEARBY_SRC_WIRE_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace nearby::wire {

/// The length in bytes of the UTF-8 character that `text` begins with, by table 3-7 of the Unicode
/// Standard (no overlong forms, no surrogates); 0 if it begins with none.
std::size_t Utf8Length(absl::string_view text);

bool IsUtf8(absl::string_view text);

/// As much of `text` as fits into `max_bytes`, with each byte that belongs to no character replaced
/// by a question mark. Protobuf's strings must be UTF-8.
std::string CleanUtf8(absl::string_view text, std::size_t max_bytes);

}  // namespace nearby::wire

#endif  // NEARBY_SRC_WIRE_UTF8_H_
