#ifndef NEARBY_TESTS_WIRE_RAW_MESSAGE_H_
#define NEARBY_TESTS_WIRE_RAW_MESSAGE_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace nearby::test {

/// Protobuf's encoding by hand: for messages that the codec itself would never write. Each call
/// appends a field.
class RawMessage {
 public:
  RawMessage& Varint(std::uint32_t field, std::uint64_t value) {
    AppendVarint(field << 3);
    AppendVarint(value);
    return *this;
  }
  RawMessage& Double(std::uint32_t field, double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return Fixed(field, 1, bits, 8);
  }
  RawMessage& Fixed32(std::uint32_t field, std::int32_t value) {
    return Fixed(field, 5, static_cast<std::uint32_t>(value), 4);
  }
  RawMessage& Bytes(std::uint32_t field, absl::string_view value) {
    AppendVarint(field << 3 | 2);
    AppendVarint(value.size());
    return Raw(value);
  }
  RawMessage& Message(std::uint32_t field, const RawMessage& value) {
    return Bytes(field, value.bytes());
  }
  RawMessage& GroupBegin(std::uint32_t field) {
    AppendVarint(field << 3 | 3);
    return *this;
  }
  RawMessage& GroupEnd(std::uint32_t field) {
    AppendVarint(field << 3 | 4);
    return *this;
  }
  RawMessage& Raw(absl::string_view bytes) {
    bytes_.append(bytes.data(), bytes.size());
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  RawMessage& Fixed(std::uint32_t field, std::uint32_t wire_type, std::uint64_t bits, int bytes) {
    AppendVarint(field << 3 | wire_type);
    for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<char>(bits >> 8 * i));
    return *this;
  }

  void AppendVarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_WIRE_RAW_MESSAGE_H_
