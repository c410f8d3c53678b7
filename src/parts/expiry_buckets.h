#ifndef NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_
#define NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "nearby/time.h"
#include "src/base/slot_lines.h"
#include "src/parts/slot_chunks.h"

namespace nearby {

/// The cache's active slots in order of (deadline, user), made for deadlines that are put off far
/// more often than they are met: putting one off costs nothing.
///
/// Time is cut into ticks of 256 ms (longer if the time to live is above 17 minutes). A ring of
/// buckets holds the slots of the ticks ahead; a heap holds, exactly ordered, the slots of the
/// ticks that have begun. A slot stays where it was filed while its user goes on reporting. Before
/// its tick begins it is looked at once, and filed anew if its deadline has moved: about one such
/// look for each time to live that passes.
///
/// The looks are spread evenly, whatever the deadlines are: each Pop that finds nothing due looks
/// at the slots that are next in line, as many as go with the time since the Pop before at a pace
/// that takes 7/8 of the time to live for all. Users who came at once, as after a restart, are
/// thereby spread over the ring within one time to live; and there is little left to do when a tick
/// begins, but for those who have not reported for 1/8 of the time to live at the look.
///
/// A bucket is two lists, of the slots that have and have not been looked at, in chunks of a line
/// each: so the misses of a drain overlap, where links from slot to slot would have one wait for
/// the other.
///
/// Invariants:
///   1. A slot that is filed is in one list of one bucket or in the heap, and active. One that is
///      active is filed, unless it is held.
///   2. It is never filed later than its true deadline.
///   3. The heap holds slots filed at or before the tick of the cursor, the buckets those of the
///      `bucket_count` ticks after it. So whatever the heap holds comes before all buckets.
///   4. All chunks of a list but its first are full; the first is not empty.
///
/// Thread-compatible. Borrows the cache, which must outlive it. Takes 8 bytes of a slot's line, 4.3
/// in the chunks, 24 in the heap; and for each bucket up to two chunks that are not full.
class LocationCache::ExpiryBuckets {
 public:
  /// Reads `cache.ttl_ms_`, which must be set, and keeps where the slots are in the lines.
  ExpiryBuckets(const LocationCache* cache, internal::SlotLines* lines);

  /// Sets memory aside for this many slots.
  void Reserve(std::size_t slots);

  /// Call for each new slot.
  void AddSlot(Slot slot) { (*lines_)[slot].filing = kNotFiled; }

  /// Asks the processor for what Remove touches, for a slot whose line is at hand.
  void PrefetchRemove(Slot slot) const;

  /// Files an unfiled slot under its deadline.
  void File(Slot slot);
  bool IsFiled(Slot slot) const { return (*lines_)[slot].filing.place != kUnfiled; }
  /// Unfiles a filed slot.
  void Remove(Slot slot);
  /// Unfiles and returns the first slot in order of (deadline, user) if its deadline is at or
  /// before `until`; kNoSlot otherwise. O(log) of the slots due within a tick, amortised, and the
  /// looks that go with the time; a jump of any length costs one pass over the slots and buckets at
  /// most.
  Slot Pop(Time until);

  /// A lower bound of the first deadline; kNever if nothing is filed.
  Time NextCheck() const;

 private:
  static constexpr std::uint32_t kNone = SlotChunks::kNone;
  static constexpr std::uint32_t kMaxBuckets = 4096;
  // A slot's list and its place in the chunk are kept in one number; these name neither.
  static constexpr std::uint32_t kPlaces = 16;
  static constexpr std::uint32_t kUnfiled = 0xFFFFFFFEu;
  static constexpr std::uint32_t kInHeap = 0xFFFFFFFDu;
  static_assert(SlotChunks::kSlots <= kPlaces && 2 * kMaxBuckets * kPlaces <= kInHeap);
  // The fewest slots that are looked at ahead at once, for the first of them are waited for; and
  // the most, so that a call stays short.
  static constexpr std::uint64_t kMinLooks = 240;
  static constexpr std::uint64_t kMaxLooks = 16'384;

  using Filing = internal::SlotLine::Filing;
  static constexpr Filing kNotFiled{kNone, kUnfiled};

  // The lists of slots that have not been looked at come first, by bucket; then those that have.
  struct List {
    std::uint32_t chunk = kNone;  // the first
    std::uint32_t count = 0;      // of the slots in it
  };

  struct HeapEntry {
    Time filed_under;
    UserId user;
    std::uint32_t slot;

    friend bool operator<(const HeapEntry& a, const HeapEntry& b) {
      return a.filed_under != b.filed_under ? a.filed_under < b.filed_under : a.user < b.user;
    }
  };

  std::int64_t Tick(Time time) const { return time.ms >> tick_shift_; }
  std::uint32_t bucket_count() const { return static_cast<std::uint32_t>(lists_.size() / 2); }
  std::uint32_t Bucket(std::int64_t tick) const {
    return static_cast<std::uint32_t>(tick) & (bucket_count() - 1);
  }

  void Push(std::uint32_t list, std::uint32_t slot);
  void RemoveFromList(std::uint32_t slot);
  /// Takes the list's slots off it. They still count as being in the buckets.
  List Detach(std::uint32_t list);
  void Attach(std::uint32_t list, const List& slots);
  /// Unfiles the slots of the detached list's first chunk, hands them to `file`, and gives the
  /// chunk back. Returns how many they were.
  template <typename FileSlot>
  std::uint32_t ConsumeChunk(List* slots, FileSlot file);
  void PrefetchSlots(const List& slots) const;

  /// Files the bucket's slots anew, by their true deadlines and the present cursor.
  void Drain(std::uint32_t bucket);
  void DrainList(std::uint32_t list);
  /// Looks at as many slots as go with the time that has passed.
  void LookAhead(Time until);
  /// How many that are: none, or at least kMinLooks.
  std::uint64_t TakeLooks(Time until);
  /// Looks at some `looks` slots of the bucket that have not been looked at; returns at how many.
  std::uint64_t LookAt(std::uint32_t bucket, std::uint64_t looks);

  /// The tick of the first bucket whose bit is set; kNoTick if there is none. `word(i)` has the
  /// bits of the buckets from 64 * i on.
  template <typename Word>
  std::int64_t FirstTick(Word word) const;
  static constexpr std::int64_t kNoTick = kNever.ms;
  std::int64_t FirstOccupiedTick() const;
  std::int64_t FirstUnseenTick() const;
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
  int tick_shift_ = 8;
  std::int64_t cursor_;
  SlotChunks chunks_;
  std::vector<List> lists_;
  std::vector<std::uint64_t> occupied_;  // a bit for each list that is not empty
  std::size_t in_buckets_ = 0;
  // The looks ahead: how far they reach, which is also the time they take for all slots; the time
  // up to which they have been counted; and what has not come to a look yet, in slots times ms.
  std::int64_t ahead_ms_;
  std::int64_t counted_until_ms_ = -kMaxTimeMs;
  std::uint64_t credit_ = 0;
  std::vector<HeapEntry> heap_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_EXPIRY_BUCKETS_H_
