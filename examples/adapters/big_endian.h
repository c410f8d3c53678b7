#ifndef EXAMPLES_ADAPTERS_BIG_ENDIAN_H_
#define EXAMPLES_ADAPTERS_BIG_ENDIAN_H_

#include <cstddef>
#include <string>

namespace adapters {

/// The bytes of an unsigned integer, highest first: what adapters keep in places that other
/// machines read.
template <typename Unsigned>
void AppendBigEndian(Unsigned value, std::string* out) {
  for (std::size_t i = sizeof(Unsigned); i-- > 0;) {
    out->push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  }
}

/// Requires as many bytes as the type has.
template <typename Unsigned>
Unsigned ReadBigEndian(const char* bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_BIG_ENDIAN_H_
