#ifndef NEARBY_SRC_PARTS_BLOCK_POOL_H_
#define NEARBY_SRC_PARTS_BLOCK_POOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "nearby/subscription_registry.h"

namespace nearby {

/// Where the rows of a registry lie: blocks of whole 64-byte lines, in size classes, cut from
/// chunks of equal size. Growing never copies more than the one row that grows.
///
/// There is no free list. Each class fills its blocks from the first to the last without a gap: to
/// give a block back, its holder moves the class's last block into it and drops the last. Rows that
/// grow together, as those of a city that wakes up do, leave as many holes behind as they have
/// blocks; a free list would keep these for a size that nobody needs any more, at several times the
/// memory of the rows themselves.
///
/// Invariant: each class has less than one chunk of room to spare.
///
/// Thread-compatible. Owns its memory.
class BlockPool {
 public:
  static constexpr std::uint32_t kEdgesPerLine = 16;
  /// Steps of a third and a half: a block is on average some 80 % full, and a row of any length has
  /// been copied about three times over.
  static constexpr std::array<std::uint16_t, 24> kClassLines = {
      1,  2,   3,   4,   6,   8,   12,  16,   24,   32,   48,   64,
      96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// Edges that a block of the class has room for.
  static constexpr std::uint32_t EdgesOf(std::size_t size_class) {
    return kClassLines[size_class] * kEdgesPerLine;
  }

  /// The first edge of the block that begins at this line.
  Edge* At(std::uint32_t line) const {
    return chunks_[line / kChunkLines].get() + std::size_t{line % kChunkLines} * kEdgesPerLine;
  }

  /// Appends a block to the class, uninitialised, and returns its first line.
  std::uint32_t Append(std::size_t size_class);
  /// The first line of the class's last block. Requires that it has one.
  std::uint32_t Last(std::size_t size_class) const;
  /// Drops the class's last block.
  void DropLast(std::size_t size_class);

  std::size_t allocated_bytes() const;

 private:
  // The largest block fills a chunk. Small enough that an engine with ten users is small, large
  // enough that the table of chunks stays in the second-level cache with ten million.
  static constexpr std::uint32_t kChunkLines = kClassLines.back();
  static constexpr std::size_t kLineBytes = kEdgesPerLine * sizeof(Edge);
  static constexpr std::size_t kChunkBytes = kChunkLines * kLineBytes;
  // Empty chunks kept, so that a class whose last chunk empties and fills again costs nothing.
  static constexpr std::size_t kMaxSpareChunks = 1;

  struct ChunkDeleter {
    void operator()(Edge* chunk) const;
  };
  using Chunk = std::unique_ptr<Edge[], ChunkDeleter>;

  // The blocks of one class, in order: `blocks` of them, spread over these chunks.
  struct SizeClass {
    std::vector<std::uint32_t> chunks;
    std::uint32_t blocks = 0;
  };

  static constexpr std::uint32_t BlocksPerChunk(std::size_t size_class) {
    return kChunkLines / kClassLines[size_class];
  }

  std::uint32_t TakeChunk();
  void GiveBackChunk(std::uint32_t chunk);

  std::vector<Chunk> chunks_;          // null where a chunk has been freed
  std::vector<std::uint32_t> spare_;   // allocated, of no class
  std::vector<std::uint32_t> vacant_;  // not allocated
  std::array<SizeClass, kClassLines.size()> classes_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_BLOCK_POOL_H_
