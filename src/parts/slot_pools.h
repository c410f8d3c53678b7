#ifndef NEARBY_SRC_PARTS_SLOT_POOLS_H_
#define NEARBY_SRC_PARTS_SLOT_POOLS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/numeric/bits.h"
#include "nearby/ids.h"

namespace nearby::internal {

/// Which slots are free, in two pools. Each takes stretches of numbers for its own, so that the
/// lines of its slots lie together; a stretch is an eighth of all before it, up to 2 MB of lines,
/// which is what a large page holds. Where only one pool is asked for slots, they ascend without
/// gaps.
///
/// Thread-compatible. O(1); four bytes for each slot that has been given back.
class SlotPools {
 public:
  explicit SlotPools(std::size_t max_slots) : max_slots_(max_slots) {}

  /// Of those given back the latest one, or else the lowest that has never been taken; where the
  /// pool has none and can have no more, one of the other's. kNoSlot if all are taken.
  Slot Take(std::size_t pool) {
    Pool& own = pools_[pool];
    Slot slot = own.Take();
    if (slot == kNoSlot && reserved_ < max_slots_) {
      Reserve(&own);
      slot = own.Take();
    }
    if (slot == kNoSlot) slot = pools_[1 - pool].Take();
    if (slot != kNoSlot) ++taken_;
    return slot;
  }

  /// Requires that it is taken.
  void GiveBack(Slot slot, std::size_t pool) {
    pools_[pool].given_back.push_back(slot);
    --taken_;
  }

  std::size_t taken() const { return taken_; }

 private:
  static constexpr std::size_t kLeastStretch = 64;
  static constexpr std::size_t kLongestStretch = 32'768;

  struct Pool {
    std::vector<Slot> given_back;
    // A stretch, as far as it has never been taken.
    std::size_t next = 0;
    std::size_t end = 0;

    Slot Take() {
      if (!given_back.empty()) {
        const Slot slot = given_back.back();
        given_back.pop_back();
        return slot;
      }
      return next < end ? Slot{static_cast<std::uint32_t>(next++)} : kNoSlot;
    }
  };

  void Reserve(Pool* pool) {
    const std::size_t length =
        absl::bit_floor(std::clamp(reserved_ / 8, kLeastStretch, kLongestStretch));
    pool->next = reserved_;
    // A multiple of the length, so that the longest ones are a page each.
    reserved_ = std::min((reserved_ / length + 1) * length, max_slots_);
    pool->end = reserved_;
  }

  const std::size_t max_slots_;
  std::size_t reserved_ = 0;  // all below belong to a pool
  std::size_t taken_ = 0;
  std::array<Pool, 2> pools_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_PARTS_SLOT_POOLS_H_
