#ifndef NEARBY_SRC_PARTS_SLOT_CHUNKS_H_
#define NEARBY_SRC_PARTS_SLOT_CHUNKS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "src/base/large_vector.h"
#include "src/base/prefetch.h"

namespace nearby {

/// A pool of chunks of slots, each a line of the processor's cache, chained by their numbers. Who
/// follows a chain waits for one line in fifteen slots, and knows fifteen slots ahead what to ask
/// the memory for.
///
/// Thread-compatible. Owns its memory: 64 bytes a chunk, for as many as were in use at once.
/// References are valid until the next Take.
class SlotChunks {
 public:
  static constexpr std::uint32_t kSlots = 15;
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

  struct alignas(64) Chunk {
    std::uint32_t slots[kSlots];
    std::uint32_t next;  ///< kNone in the last of a chain
  };
  static_assert(sizeof(Chunk) == 64);

  Chunk& operator[](std::uint32_t chunk) { return chunks_[chunk]; }
  const Chunk& operator[](std::uint32_t chunk) const { return chunks_[chunk]; }

  void Reserve(std::size_t chunks) { chunks_.reserve(chunks); }

  /// A chunk in front of a chain. Its slots are anything.
  std::uint32_t Take(std::uint32_t next) {
    std::uint32_t chunk = first_free_;
    if (chunk == kNone) {
      chunk = static_cast<std::uint32_t>(chunks_.size());
      chunks_.emplace_back();
    } else {
      first_free_ = chunks_[chunk].next;
    }
    chunks_[chunk].next = next;
    ++in_use_;
    return chunk;
  }

  /// Takes the chunk back. The latest is given out first, as it is at hand.
  void Return(std::uint32_t chunk) {
    assert(in_use_ > 0);
    chunks_[chunk].next = first_free_;
    first_free_ = chunk;
    --in_use_;
  }

  void Prefetch(std::uint32_t chunk) const {
    if (chunk < chunks_.size()) internal::Prefetch(&chunks_[chunk]);
  }

  std::size_t in_use() const { return in_use_; }
  std::size_t allocated_bytes() const { return chunks_.capacity() * sizeof(Chunk); }

 private:
  internal::LargeVector<Chunk> chunks_;
  std::uint32_t first_free_ = kNone;
  std::size_t in_use_ = 0;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SLOT_CHUNKS_H_
