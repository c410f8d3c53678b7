#ifndef NEARBY_SRC_PARTS_DUE_TICKS_H_
#define NEARBY_SRC_PARTS_DUE_TICKS_H_

#include <cstddef>
#include <cstdint>

#include "src/parts/byte_ticks.h"

namespace nearby {

/// For the edges of rows: a tick is 8.192 s of engine time, 128 of them some 17 minutes.
struct DueTicks : ByteTicks<13> {
  /// Writes to `out` the numbers, ascending, of the ticks that are due at `now`; returns how many.
  /// Requires room for `size` numbers, and that the memory can be read up to the next multiple of
  /// kBlock ticks.
  static constexpr std::size_t kBlock = 16;
  static std::size_t Select(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                            std::uint32_t* out);
  /// The same, plainly: the oracle of Select.
  static std::size_t SelectPlain(const std::uint8_t* ticks, std::size_t size, std::uint8_t now,
                                 std::uint32_t* out);
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_DUE_TICKS_H_
