#include "src/parts/block_pool.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>

#include "src/base/large_vector.h"

namespace nearby {

void BlockPool::ChunkDeleter::operator()(std::byte* chunk) const {
  ::operator delete[](chunk, std::align_val_t{internal::kLargePageBytes});
}

std::uint32_t BlockPool::Append(std::size_t size_class) {
  SizeClass& blocks = classes_[size_class];
  const std::uint32_t position = blocks.blocks % BlocksPerChunk(size_class);
  if (position == 0) blocks.chunks.push_back(TakeChunk());
  ++blocks.blocks;
  return blocks.chunks.back() * kChunkGranules + position * RowLayout::kClassGranules[size_class];
}

std::uint32_t BlockPool::Last(std::size_t size_class) const {
  const SizeClass& blocks = classes_[size_class];
  assert(blocks.blocks > 0);
  const std::uint32_t position = (blocks.blocks - 1) % BlocksPerChunk(size_class);
  return blocks.chunks.back() * kChunkGranules + position * RowLayout::kClassGranules[size_class];
}

void BlockPool::DropLast(std::size_t size_class) {
  SizeClass& blocks = classes_[size_class];
  assert(blocks.blocks > 0);
  --blocks.blocks;
  if (blocks.blocks % BlocksPerChunk(size_class) != 0) return;
  GiveBackChunk(blocks.chunks.back());
  blocks.chunks.pop_back();
}

std::size_t BlockPool::allocated_bytes() const {
  return (chunks_.size() - vacant_.size()) * kChunkBytes + chunks_.capacity() * sizeof(Chunk);
}

std::uint32_t BlockPool::TakeChunk() {
  if (!spare_.empty()) {
    const std::uint32_t chunk = spare_.back();
    spare_.pop_back();
    return chunk;
  }
  if (vacant_.empty()) {
    vacant_.push_back(static_cast<std::uint32_t>(chunks_.size()));
    chunks_.emplace_back();
  }
  const std::uint32_t chunk = vacant_.back();
  static_assert(kChunkBytes % internal::kLargePageBytes == 0);
  chunks_[chunk].reset(static_cast<std::byte*>(
      ::operator new[](kChunkBytes, std::align_val_t{internal::kLargePageBytes})));
  vacant_.pop_back();
  ChoosePages(chunk);
  return chunk;
}

void BlockPool::ChoosePages(std::uint32_t new_chunk) {
  const std::size_t allocated = chunks_.size() - vacant_.size();
  if (allocated < kManyChunks) {
    internal::UseSmallPages(chunks_[new_chunk].get(), kChunkBytes);
    return;
  }
  internal::UseLargePages(chunks_[new_chunk].get(), kChunkBytes);
  if (allocated > kManyChunks) return;
  // The system may now make large pages of the first ones, too.
  for (const Chunk& chunk : chunks_) {
    if (chunk != nullptr) internal::UseLargePages(chunk.get(), kChunkBytes);
  }
}

void BlockPool::GiveBackChunk(std::uint32_t chunk) {
  if (spare_.size() < kMaxSpareChunks) {
    spare_.push_back(chunk);
    return;
  }
  chunks_[chunk].reset();
  vacant_.push_back(chunk);
}

}  // namespace nearby
