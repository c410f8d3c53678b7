#ifndef NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_
#define NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "nearby/subscription_registry.h"
#include "src/base/prefetch.h"
#include "src/base/slot_lines.h"
#include "src/parts/block_pool.h"
#include "src/parts/row_layout.h"

namespace nearby {

/// The rows of a registry: for each slot a growable array of edges in one block of a BlockPool.
/// Knows nothing of pairs.
///
/// Invariants:
///   1. A row that is not empty has a block of its own, with room for its edges, that names its
///      slot; an empty row has none.
///   2. A row with a block of class c > 0 is too long to fit class c - 1 with a quarter to spare,
///      unless it has been given room for edges to come, and until Trim.
///
/// Thread-compatible. Owns the blocks; the heads of the rows lie in the lines of the slots, which
/// are its own if it was given none.
class SubscriptionRegistry::Rows {
 public:
  /// A row's length has 16 bits.
  static constexpr std::uint32_t kMaxRow = 65'535;

  /// The lines, if any, must outlive it, and have one for each slot that is appended to. Its own
  /// are set aside for `expected` slots.
  Rows(internal::SlotLines* lines, std::size_t expected) : lines_(lines) {
    if (lines_ != nullptr) return;
    own_lines_ = std::make_unique<internal::SlotLines>();
    own_lines_->Reserve(expected);
    lines_ = own_lines_.get();
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// In which the heads lie.
  internal::SlotLines& lines() { return *lines_; }

  /// One past the largest slot that has had an edge.
  std::size_t slot_limit() const { return lines_->size(); }

  std::uint32_t size(Slot slot) const { return lines_->Has(slot) ? HeadOf(slot).size : 0u; }
  RowView Row(Slot slot) {
    if (size(slot) == 0) return {};
    const Head& head = HeadOf(slot);
    return {{EdgesOf(head), head.size}, TicksOf(head)};
  }
  absl::Span<const Edge> Row(Slot slot) const { return const_cast<Rows*>(this)->Row(slot).edges; }

  /// Requires fewer than kMaxRow edges in the row. Amortised O(1); moves this row and one other. A
  /// row that has to grow gets room for `row_to_be` edges at once, or as many as a row may have.
  void Append(Slot slot, Edge edge, std::uint8_t tick, std::uint32_t row_to_be = 0);
  /// Removes the edge at this index and its tick; the last edge takes its place, with its own tick.
  /// Amortised O(1); may move this row and one other.
  void Remove(Slot slot, std::size_t index);
  /// Removes all edges. O(1); may move one other row.
  void Clear(Slot slot);
  /// Takes back room given for edges to come. O(row) if there is any; may move one other row.
  void Trim(Slot slot);

  void PrefetchHead(Slot slot) const { lines_->PrefetchIfAny(slot); }
  /// The lines of a row, its first `lines` at most, for a row whose head is at hand.
  void PrefetchBlock(Slot slot, std::size_t lines) const {
    if (size(slot) == 0) return;
    const Head& head = HeadOf(slot);
    PrefetchBytes(pool_.At(head.granule),
                  RowLayout::EdgesAt(head.size_class) + std::size_t{head.size} * sizeof(Edge),
                  lines);
  }
  /// The same of its edges, without their ticks.
  void PrefetchEdges(Slot slot, std::size_t lines) const {
    if (size(slot) == 0) return;
    const Head& head = HeadOf(slot);
    PrefetchBytes(pool_.At(head.granule) + RowLayout::EdgesAt(head.size_class),
                  std::size_t{head.size} * sizeof(Edge), lines);
  }

  /// The lines that Append writes to, for a row whose head is at hand.
  void PrefetchEnd(Slot slot) const {
    if (size(slot) == 0) return;
    const Head& head = HeadOf(slot);
    internal::Prefetch(TicksOf(head) + head.size);
    internal::Prefetch(EdgesOf(head) + head.size);
  }

  std::size_t allocated_bytes() const {
    return pool_.allocated_bytes() + (own_lines_ == nullptr ? 0 : own_lines_->allocated_bytes());
  }

  /// Checks this class's invariants: `Internal` naming the first violation.
  absl::Status CheckInvariants() const;

 private:
  using Head = internal::SlotLine::RowHead;

  // A row shrinks when it is this short. The quarter left free keeps a row whose length swings
  // about a class's capacity from being copied at every swing.
  static constexpr std::uint32_t ShrinkSize(std::size_t size_class) {
    if (size_class == 0) return 0;
    const std::uint32_t smaller = RowLayout::Capacity(size_class - 1);
    return smaller - smaller / 4;
  }

  // The least class with room for so many edges.
  static std::size_t ClassFor(std::uint32_t edges);

  Head& HeadOf(Slot slot) { return (*lines_)[slot].row; }
  const Head& HeadOf(Slot slot) const { return (*lines_)[slot].row; }

  // A pool's memory is raw; the edges and the owner's word in it begin to live when they are
  // written.
  Edge* EdgesOf(const Head& head) const {
    return reinterpret_cast<Edge*>(pool_.At(head.granule) + RowLayout::EdgesAt(head.size_class));
  }
  std::uint8_t* TicksOf(const Head& head) const {
    return reinterpret_cast<std::uint8_t*>(pool_.At(head.granule));
  }
  Slot* OwnerOf(const Head& head) const {
    return reinterpret_cast<Slot*>(pool_.At(head.granule) + RowLayout::OwnerAt(head.size_class));
  }

  // Requires a byte at least.
  static void PrefetchBytes(const std::byte* first, std::size_t bytes, std::size_t lines) {
    constexpr std::size_t kLineBytes = 64;
    bytes = std::min(bytes, lines * kLineBytes);
    for (std::size_t at = 0; at < bytes; at += kLineBytes) internal::Prefetch(first + at);
    // They begin in the middle of a line as often as not.
    internal::Prefetch(first + bytes - 1);
  }

  // Gives the row a block of the class; it had none, or moves from the one it had.
  void NewBlock(Slot slot, std::size_t size_class);
  void FreeBlock(const Head& old);
  void MoveTo(Slot slot, std::size_t size_class);
  // Copies edges and ticks between two blocks of one row.
  void CopyRow(const Head& from, const Head& to) const;

  std::unique_ptr<internal::SlotLines> own_lines_;
  internal::SlotLines* lines_;
  BlockPool pool_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SUBSCRIPTION_ROWS_H_
