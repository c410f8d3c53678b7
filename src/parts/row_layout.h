#ifndef NEARBY_SRC_PARTS_ROW_LAYOUT_H_
#define NEARBY_SRC_PARTS_ROW_LAYOUT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "nearby/ids.h"
#include "nearby/subscription_registry.h"

namespace nearby {

/// How a row lies in its block: the ticks, one byte an edge, then the edges, then a word that names
/// the row's slot, so that the row can be told when its block is moved.
///
/// The ticks come first because they alone are read of most edges: those of 40 share a line or two
/// with nothing else.
///
/// Blocks have sizes of whole granules of 32 bytes, in steps of one granule up to some 60 edges, as
/// most rows have, and of an eighth to a third above: a block is on average over 90 % full.
struct RowLayout {
  static constexpr std::size_t kGranuleBytes = 32;
  static constexpr std::array<std::uint16_t, 42> kClassGranules = {
      1,   2,   3,   4,   5,    6,    7,    8,    9,    10,   11,   12,   14,   16,
      20,  24,  28,  32,  40,   48,   64,   80,   96,   128,  160,  192,  256,  320,
      384, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096, 5120, 6144, 8192, 10240};

  static constexpr std::size_t BlockBytes(std::size_t size_class) {
    return kClassGranules[size_class] * kGranuleBytes;
  }
  /// Edges that a block has room for.
  static constexpr std::uint32_t Capacity(std::size_t size_class) {
    const std::size_t words = BlockBytes(size_class) / sizeof(Edge) - 1;
    // Of each five words four are edges and one is their ticks.
    const std::size_t whole = words / 5 * 4;
    const std::size_t rest = words % 5;
    return static_cast<std::uint32_t>(whole + (rest > 0 ? rest - 1 : 0));
  }
  /// Where the edges begin, in bytes.
  static constexpr std::size_t EdgesAt(std::size_t size_class) {
    return (Capacity(size_class) + std::size_t{3}) / 4 * 4;
  }
  static constexpr std::size_t OwnerAt(std::size_t size_class) {
    return BlockBytes(size_class) - sizeof(Slot);
  }
};

static_assert(RowLayout::Capacity(0) == 5 && RowLayout::EdgesAt(0) == 8);
static_assert(RowLayout::Capacity(RowLayout::kClassGranules.size() - 1) == 65'535);

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_ROW_LAYOUT_H_
