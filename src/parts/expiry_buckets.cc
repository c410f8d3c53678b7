#include "src/parts/expiry_buckets.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/numeric/bits.h"

namespace nearby {

LocationCache::ExpiryBuckets::ExpiryBuckets(const LocationCache* cache,
                                            internal::SlotLines* lines)
    : cache_(cache), lines_(lines) {
  // Whatever was accepted within the present tick must fit into the ring, so a ring of one bucket
  // for each tick of the time to live needs two more for the fractions at both ends.
  while ((cache->ttl_ms_ >> tick_shift_) + 2 > kMaxBuckets) ++tick_shift_;
  const auto ticks = static_cast<std::uint64_t>(cache->ttl_ms_ >> tick_shift_) + 2;
  // Whole words of the bitmap.
  const std::size_t bucket_count = absl::bit_ceil(std::max<std::uint64_t>(ticks, 64));
  heads_.assign(bucket_count, kNone);
  occupied_.assign(bucket_count / 64, 0);
  cursor_ = Tick(Time{-kMaxTimeMs});
}

void LocationCache::ExpiryBuckets::File(Slot slot) {
  const std::uint32_t index = ToInt(slot);
  assert(FilingOf(index).previous == kUnfiled);
  const auto bucket_count = static_cast<std::int64_t>(heads_.size());
  const Time deadline = cache_->deadline(slot);
  const std::int64_t tick = Tick(deadline);
  // With the buckets empty the cursor is free to move up, so that the first slots after a long
  // pause find their ticks within the ring.
  if (in_buckets_ == 0) cursor_ = std::max(cursor_, tick - bucket_count);
  if (tick <= cursor_) {
    PushHeap({deadline, cache_->user(slot), index});
  } else {
    // A tick beyond the ring shares the bucket of an earlier one, and is filed again when that
    // begins.
    PushBucket(Bucket(tick), index);
  }
}

void LocationCache::ExpiryBuckets::Remove(Slot slot) {
  const Filing& filing = FilingOf(ToInt(slot));
  assert(filing.previous != kUnfiled);
  if (filing.previous == kInHeap) {
    RemoveFromHeap(filing.next);
  } else {
    RemoveFromBucket(ToInt(slot));
  }
}

void LocationCache::ExpiryBuckets::PrefetchRemove(Slot slot) const {
  // Its neighbours in the bucket.
  const Filing& filing = (*lines_)[slot].filing;
  lines_->Prefetch(Slot{filing.next});
  lines_->Prefetch(Slot{filing.previous});
}

Slot LocationCache::ExpiryBuckets::Pop(Time until) {
  while (!heap_.empty() || AdvanceCursor(Tick(until))) {
    if (heap_.empty()) continue;  // All slots of the tick had been put off.
    const HeapEntry first = heap_.front();
    if (first.filed_under > until) return kNoSlot;
    RemoveFromHeap(0);
    const Slot slot{first.slot};
    if (cache_->deadline(slot) == first.filed_under) return slot;
    File(slot);
  }
  return kNoSlot;
}

Time LocationCache::ExpiryBuckets::NextCheck() const {
  if (!heap_.empty()) return heap_.front().filed_under;
  if (in_buckets_ == 0) return kNever;
  return Time{FirstOccupiedTick() * (std::int64_t{1} << tick_shift_)};
}

void LocationCache::ExpiryBuckets::PushBucket(std::uint32_t bucket, std::uint32_t slot) {
  std::uint32_t& head = heads_[bucket];
  FilingOf(slot) = {head, kFirstOfBucketZero - bucket};
  if (head != kNone) {
    FilingOf(head).previous = slot;
  } else {
    occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
  }
  head = slot;
  ++in_buckets_;
}

void LocationCache::ExpiryBuckets::RemoveFromBucket(std::uint32_t slot) {
  const Filing filing = std::exchange(FilingOf(slot), Filing{kNone, kUnfiled});
  if (filing.next != kNone) FilingOf(filing.next).previous = filing.previous;
  if (filing.previous > kFirstOfBucketZero - kMaxBuckets) {
    const std::uint32_t bucket = kFirstOfBucketZero - filing.previous;
    heads_[bucket] = filing.next;
    if (filing.next == kNone) occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  } else {
    FilingOf(filing.previous).next = filing.next;
  }
  --in_buckets_;
}

void LocationCache::ExpiryBuckets::Drain(std::uint32_t bucket) {
  occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  // The list is taken off first: its slots may come back into the same bucket, a round later.
  std::uint32_t slot = std::exchange(heads_[bucket], kNone);
  while (slot != kNone) {
    const std::uint32_t next = std::exchange(FilingOf(slot), Filing{kNone, kUnfiled}).next;
    --in_buckets_;
    File(Slot{slot});
    slot = next;
  }
}

std::int64_t LocationCache::ExpiryBuckets::FirstOccupiedTick() const {
  assert(in_buckets_ > 0);
  const std::uint32_t start = Bucket(cursor_ + 1);
  const std::size_t words = occupied_.size();
  std::size_t word = start / 64;
  std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
  // The word in which the ring starts is looked at again at the end, for the bits before the start.
  while (bits == 0) {
    word = (word + 1) & (words - 1);
    bits = occupied_[word];
  }
  const auto bucket =
      static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(absl::countr_zero(bits));
  return cursor_ + 1 + Bucket(std::int64_t{bucket} - start);
}

bool LocationCache::ExpiryBuckets::AdvanceCursor(std::int64_t limit) {
  if (limit <= cursor_) return false;
  if (in_buckets_ == 0) {
    cursor_ = limit;
    return false;
  }
  const auto bucket_count = static_cast<std::int64_t>(heads_.size());
  if (limit - cursor_ >= bucket_count) {
    // Every tick of the ring has begun. What lies still farther ahead may be filed into a bucket
    // that comes later in this loop, and is then merely filed there again.
    cursor_ = limit;
    for (std::uint32_t bucket = 0; bucket < heads_.size(); ++bucket) Drain(bucket);
    return !heap_.empty();
  }
  const std::int64_t tick = FirstOccupiedTick();
  cursor_ = std::min(tick, limit);
  if (tick > limit) return false;
  Drain(Bucket(tick));
  return true;
}

void LocationCache::ExpiryBuckets::PushHeap(const HeapEntry& entry) {
  heap_.emplace_back();
  SiftUp(heap_.size() - 1, entry);
}

void LocationCache::ExpiryBuckets::RemoveFromHeap(std::size_t place) {
  FilingOf(heap_[place].slot) = {kNone, kUnfiled};
  const HeapEntry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && last < heap_[(place - 1) / 2]) {
    SiftUp(place, last);
  } else {
    SiftDown(place, last);
  }
}

void LocationCache::ExpiryBuckets::SiftUp(std::size_t place, const HeapEntry& entry) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!(entry < heap_[parent])) break;
    Place(place, heap_[parent]);
    place = parent;
  }
  Place(place, entry);
}

void LocationCache::ExpiryBuckets::SiftDown(std::size_t place, const HeapEntry& entry) {
  for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    Place(place, heap_[child]);
    place = child;
  }
  Place(place, entry);
}

void LocationCache::ExpiryBuckets::Place(std::size_t place, const HeapEntry& entry) {
  heap_[place] = entry;
  FilingOf(entry.slot) = {static_cast<std::uint32_t>(place), kInHeap};
}

}  // namespace nearby
