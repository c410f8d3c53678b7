#ifndef NEARBY_SRC_PARTS_BLOCK_POOL_H_
#define NEARBY_SRC_PARTS_BLOCK_POOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/parts/row_layout.h"

namespace nearby {

/// Where the rows of a registry lie: blocks of the sizes of RowLayout, cut from chunks of equal
/// size. Growing never copies more than the one row that grows.
///
/// There is no free list. Each class fills its blocks from the first to the last without a gap: to
/// give a block back, its holder moves the class's last block into it and drops the last. Rows that
/// grow together, as those of a city that wakes up do, leave as many holes behind as they have
/// blocks; a free list would keep these for a size that nobody needs any more, at several times the
/// memory of the rows themselves.
///
/// Invariant: each class has less than one chunk of room to spare.
///
/// Thread-compatible. Owns its memory; while there are few chunks, one takes real memory only as
/// far as it has been filled.
class BlockPool {
 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// The block that begins at this granule.
  std::byte* At(std::uint32_t granule) const {
    return chunks_[granule / kChunkGranules].get() +
           std::size_t{granule % kChunkGranules} * RowLayout::kGranuleBytes;
  }

  /// Appends a block to the class, uninitialised, and returns its first granule.
  std::uint32_t Append(std::size_t size_class);
  /// The first granule of the class's last block. Requires that it has one.
  std::uint32_t Last(std::size_t size_class) const;
  /// Drops the class's last block.
  void DropLast(std::size_t size_class);

  std::size_t allocated_bytes() const;

 private:
  static constexpr std::size_t kClasses = RowLayout::kClassGranules.size();
  // One large page.
  static constexpr std::size_t kChunkBytes = std::size_t{2} << 20;
  static constexpr std::uint32_t kChunkGranules = kChunkBytes / RowLayout::kGranuleBytes;
  // From this many chunks on they are made of large pages. Below, they are not, even where the
  // system gives these unasked: a pool of a few rows is to take a few kilobytes, not a page of 2 MB
  // for each class.
  static constexpr std::size_t kManyChunks = 64;
  // Empty chunks kept, so that a class whose last chunk empties and fills again costs nothing. Two,
  // for a row on its way from one such class to the next has a block in both for a moment.
  static constexpr std::size_t kMaxSpareChunks = 2;

  struct ChunkDeleter {
    void operator()(std::byte* chunk) const;
  };
  using Chunk = std::unique_ptr<std::byte[], ChunkDeleter>;

  // The blocks of one class, in order: `blocks` of them, spread over these chunks.
  struct SizeClass {
    std::vector<std::uint32_t> chunks;
    std::uint32_t blocks = 0;
  };

  static constexpr std::uint32_t BlocksPerChunk(std::size_t size_class) {
    return kChunkGranules / RowLayout::kClassGranules[size_class];
  }

  std::uint32_t TakeChunk();
  void GiveBackChunk(std::uint32_t chunk);
  void ChoosePages(std::uint32_t new_chunk);

  std::vector<Chunk> chunks_;          // null where a chunk has been freed
  std::vector<std::uint32_t> spare_;   // allocated, of no class
  std::vector<std::uint32_t> vacant_;  // not allocated
  std::array<SizeClass, kClasses> classes_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_BLOCK_POOL_H_
