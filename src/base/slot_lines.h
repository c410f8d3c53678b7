#ifndef NEARBY_SRC_BASE_SLOT_LINES_H_
#define NEARBY_SRC_BASE_SLOT_LINES_H_

#include <cstddef>

#include "nearby/ids.h"
#include "nearby/internal/slot_line.h"
#include "src/base/large_vector.h"
#include "src/base/prefetch.h"

namespace nearby::internal {

/// The lines of a shard's slots. Whoever makes slots adds the lines; a part that is used by itself
/// has lines of its own.
///
/// Thread-compatible. Owns its memory: 64 bytes a slot. References are valid until a line is added.
class SlotLines {
 public:
  SlotLine& operator[](Slot slot) { return lines_[ToInt(slot)]; }
  const SlotLine& operator[](Slot slot) const { return lines_[ToInt(slot)]; }

  std::size_t size() const { return lines_.size(); }
  bool Has(Slot slot) const { return ToInt(slot) < lines_.size(); }
  SlotLine* data() { return lines_.data(); }

  void Reserve(std::size_t slots) { lines_.reserve(slots); }
  void Add() { lines_.emplace_back(); }
  /// Adds lines until there is one for this slot.
  void AddUpTo(Slot slot) {
    if (!Has(slot)) lines_.resize(ToInt(slot) + std::size_t{1});
  }

  /// Requires that there is one.
  void Prefetch(Slot slot) const { internal::Prefetch(&lines_[ToInt(slot)]); }
  void PrefetchIfAny(Slot slot) const {
    if (Has(slot)) Prefetch(slot);
  }

  std::size_t allocated_bytes() const { return lines_.capacity() * sizeof(SlotLine); }

 private:
  LargeVector<SlotLine> lines_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_BASE_SLOT_LINES_H_
