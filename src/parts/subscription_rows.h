#ifndef NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_
#define NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "nearby/subscription_registry.h"
#include "src/parts/block_pool.h"

namespace nearby {

/// The rows of a registry: for each slot a growable array of edges in one block of a BlockPool.
/// Knows nothing of pairs.
///
/// The last word of a row's block names the row's slot, so that the row can be told when its block
/// is moved. It takes the place of one edge and lies on a line that is copied in any case.
///
/// Invariants:
///   1. A row that is not empty has a block of its own, with room for its edges and the owner's
///   word;
///      an empty row has none.
///   2. A row with a block of class c > 0 is too long to fit class c - 1 with a quarter to spare.
///
/// Thread-compatible. Owns its memory: 8 bytes a slot besides the blocks.
class SubscriptionRegistry::Rows {
 public:
  /// A row's length has 16 bits.
  static constexpr std::uint32_t kMaxRow = 65'535;

  Rows() = default;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// One past the largest slot that has had an edge.
  std::size_t slot_limit() const { return headers_.size(); }

  std::uint32_t size(Slot slot) const {
    return ToInt(slot) < headers_.size() ? headers_[ToInt(slot)].size : 0u;
  }
  absl::Span<Edge> Row(Slot slot) {
    const std::uint32_t length = size(slot);
    return length == 0 ? absl::Span<Edge>()
                       : absl::Span<Edge>(pool_.At(headers_[ToInt(slot)].line), length);
  }
  absl::Span<const Edge> Row(Slot slot) const { return const_cast<Rows*>(this)->Row(slot); }

  /// Requires fewer than kMaxRow edges in the row. Amortised O(1); moves this row and one other.
  void Append(Slot slot, Edge edge);
  /// Removes the edge at this index; the last edge takes its place. Amortised O(1); may move this
  /// row and one other.
  void Remove(Slot slot, std::size_t index);

  std::size_t allocated_bytes() const {
    return pool_.allocated_bytes() + headers_.capacity() * sizeof(Header);
  }

  /// Checks this class's invariants: `Internal` naming the first violation.
  absl::Status CheckInvariants() const;

 private:
  struct Header {
    std::uint32_t line = 0;
    std::uint16_t size = 0;
    std::uint8_t size_class = 0;
  };
  static_assert(sizeof(Header) == 8);

  static constexpr std::uint32_t Capacity(std::size_t size_class) {
    return BlockPool::EdgesOf(size_class) - 1;
  }
  // A row shrinks when it is this short. The quarter left free keeps a row whose length swings
  // about a class's capacity from being copied at every swing.
  static constexpr std::uint32_t ShrinkSize(std::size_t size_class) {
    return size_class == 0 ? 0u : Capacity(size_class - 1) - Capacity(size_class - 1) / 4;
  }

  std::uint32_t NewBlock(std::size_t size_class, Slot owner);
  void FreeBlock(std::uint32_t line, std::size_t size_class);
  void MoveTo(Slot slot, std::size_t size_class);

  std::vector<Header> headers_;
  BlockPool pool_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_
