#ifndef NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_
#define NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "nearby/time.h"
#include "src/base/slot_lines.h"

namespace nearby {

/// The cache's active slots in order of (deadline, user), made for deadlines that are put off far
/// more often than they are met: putting one off costs nothing.
///
/// Time is cut into ticks of 1,024 ms (longer if the time to live is above an hour). A ring of
/// buckets holds the slots of the ticks ahead, one list a tick; a heap holds, exactly ordered, the
/// slots of the ticks that have begun. A slot stays where it was filed while its user goes on
/// reporting. When its tick begins it is looked at once, and filed anew if its deadline has moved:
/// about one such look for each time to live that passes.
///
/// Invariants:
///   1. A slot is filed, in one bucket or in the heap, exactly while it is active.
///   2. It is never filed later than its true deadline.
///   3. The heap holds slots filed at or before the tick of the cursor, the buckets those of the
///      `bucket_count` ticks after it. So whatever the heap holds comes before all buckets.
///
/// Thread-compatible. Borrows the cache, which must outlive it. Its links take 8 bytes of a slot's
/// line; 24 more in the heap.
class LocationCache::ExpiryBuckets {
 public:
  /// Slots must be below this: the links need the values above it for other things.
  static constexpr std::uint32_t kMaxSlots = 0xFFFF0000u;

  /// Reads `cache.ttl_ms_`, which must be set, and keeps its links in the lines.
  ExpiryBuckets(const LocationCache* cache, internal::SlotLines* lines);

  /// Call for each new slot.
  void AddSlot(Slot slot) { (*lines_)[slot].filing = Filing{kNone, kUnfiled}; }

  /// Asks the processor for what Remove touches, for a slot whose line is at hand.
  void PrefetchRemove(Slot slot) const;

  /// Files an unfiled slot under its deadline.
  void File(Slot slot);
  /// Unfiles a filed slot.
  void Remove(Slot slot);
  /// Unfiles and returns the first slot in order of (deadline, user) if its deadline is at or
  /// before `until`; kNoSlot otherwise. O(log) of the slots due within a tick, amortised; a jump of
  /// any length costs one pass over the slots and buckets at most.
  Slot Pop(Time until);

  /// A lower bound of the first deadline; kNever if nothing is filed.
  Time NextCheck() const;

 private:
  // Values of the links that name no slot. A list's first slot has the bucket in place of a
  // predecessor, counted down from kFirstOfBucketZero.
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  static constexpr std::uint32_t kUnfiled = 0xFFFFFFFEu;
  static constexpr std::uint32_t kInHeap = 0xFFFFFFFDu;
  static constexpr std::uint32_t kFirstOfBucketZero = 0xFFFFFFFCu;
  static constexpr std::uint32_t kMaxBuckets = 4096;
  static_assert(kMaxSlots <= kFirstOfBucketZero - kMaxBuckets);

  using Filing = internal::SlotLine::Filing;

  struct HeapEntry {
    Time filed_under;
    UserId user;
    std::uint32_t slot;

    friend bool operator<(const HeapEntry& a, const HeapEntry& b) {
      return a.filed_under != b.filed_under ? a.filed_under < b.filed_under : a.user < b.user;
    }
  };

  std::int64_t Tick(Time time) const { return time.ms >> tick_shift_; }
  std::uint32_t Bucket(std::int64_t tick) const {
    return static_cast<std::uint32_t>(tick) & static_cast<std::uint32_t>(heads_.size() - 1);
  }

  void PushBucket(std::uint32_t bucket, std::uint32_t slot);
  void RemoveFromBucket(std::uint32_t slot);
  /// Files the bucket's slots anew, by their true deadlines and the present cursor.
  void Drain(std::uint32_t bucket);
  /// The tick of the first bucket that is not empty. Requires that there is one.
  std::int64_t FirstOccupiedTick() const;
  /// Moves the cursor to the next tick with slots in it, or to `limit` if there is none until then;
  /// false if there is none.
  bool AdvanceCursor(std::int64_t limit);

  void PushHeap(const HeapEntry& entry);
  void RemoveFromHeap(std::size_t place);
  void SiftUp(std::size_t place, const HeapEntry& entry);
  void SiftDown(std::size_t place, const HeapEntry& entry);
  void Place(std::size_t place, const HeapEntry& entry);

  Filing& FilingOf(std::uint32_t slot) { return (*lines_)[Slot{slot}].filing; }

  const LocationCache* cache_;
  internal::SlotLines* lines_;
  int tick_shift_ = 10;
  std::int64_t cursor_;
  std::vector<std::uint32_t> heads_;     // by bucket: the first slot, or kNone
  std::vector<std::uint64_t> occupied_;  // a bit for each bucket that is not empty
  std::size_t in_buckets_ = 0;
  std::vector<HeapEntry> heap_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_
