#include "src/parts/expiry_buckets.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/numeric/bits.h"

namespace nearby {

LocationCache::ExpiryBuckets::ExpiryBuckets(const LocationCache* cache, internal::SlotLines* lines)
    : cache_(cache), lines_(lines), ahead_ms_(cache->ttl_ms_ - cache->ttl_ms_ / 8) {
  // Whatever was accepted within the present tick must fit into the ring, so a ring of one bucket
  // for each tick of the time to live needs two more for the fractions at both ends.
  while ((cache->ttl_ms_ >> tick_shift_) + 2 > kMaxBuckets) ++tick_shift_;
  const auto ticks = static_cast<std::uint64_t>(cache->ttl_ms_ >> tick_shift_) + 2;
  // Whole words of the bitmap.
  const std::size_t bucket_count = absl::bit_ceil(std::max<std::uint64_t>(ticks, 64));
  lists_.resize(2 * bucket_count);
  occupied_.assign(2 * bucket_count / 64, 0);
  cursor_ = Tick(Time{-kMaxTimeMs});
}

void LocationCache::ExpiryBuckets::Reserve(std::size_t slots) {
  // Never more: only the first chunk of a list is not full.
  if (slots > 0) {
    chunks_.Reserve(slots / SlotChunks::kSlots + std::min<std::size_t>(slots, lists_.size()));
  }
}

void LocationCache::ExpiryBuckets::File(Slot slot) {
  const std::uint32_t index = ToInt(slot);
  assert(FilingOf(index).place == kUnfiled);
  const Time deadline = cache_->deadline(slot);
  const std::int64_t tick = Tick(deadline);
  // With the buckets empty the cursor is free to move up, so that the first slots after a long
  // pause find their ticks within the ring.
  if (in_buckets_ == 0) cursor_ = std::max(cursor_, tick - bucket_count());
  if (tick <= cursor_) {
    PushHeap({deadline, cache_->user(slot), index});
  } else {
    // A tick beyond the ring shares the bucket of an earlier one, and is filed again when that
    // begins.
    Push(Bucket(tick), index);
  }
}

void LocationCache::ExpiryBuckets::Remove(Slot slot) {
  const Filing& filing = FilingOf(ToInt(slot));
  assert(filing.place != kUnfiled);
  if (filing.place == kInHeap) {
    RemoveFromHeap(filing.at);
  } else {
    RemoveFromList(ToInt(slot));
  }
}

void LocationCache::ExpiryBuckets::PrefetchRemove(Slot slot) const {
  const Filing& filing = (*lines_)[slot].filing;
  if (filing.place >= kInHeap) return;
  chunks_.Prefetch(filing.at);
  // The slot that will take its place is there.
  chunks_.Prefetch(lists_[filing.place / kPlaces].chunk);
}

Slot LocationCache::ExpiryBuckets::Pop(Time until) {
  while (!heap_.empty() || AdvanceCursor(Tick(until))) {
    if (heap_.empty()) continue;  // All slots of the tick had been put off.
    const HeapEntry first = heap_.front();
    if (first.filed_under > until) break;
    RemoveFromHeap(0);
    const Slot slot{first.slot};
    if (cache_->deadline(slot) == first.filed_under) return slot;
    File(slot);
  }
  LookAhead(until);
  assert(chunks_.in_use() <= in_buckets_ / SlotChunks::kSlots + lists_.size());
  return kNoSlot;
}

Time LocationCache::ExpiryBuckets::NextCheck() const {
  if (!heap_.empty()) return heap_.front().filed_under;
  if (in_buckets_ == 0) return kNever;
  return Time{FirstOccupiedTick() * (std::int64_t{1} << tick_shift_)};
}

void LocationCache::ExpiryBuckets::Push(std::uint32_t list, std::uint32_t slot) {
  List& slots = lists_[list];
  if (slots.count == 0) {
    occupied_[list / 64] |= std::uint64_t{1} << (list % 64);
  }
  if (slots.count % SlotChunks::kSlots == 0) slots = {chunks_.Take(slots.chunk), 0};
  chunks_[slots.chunk].slots[slots.count] = slot;
  FilingOf(slot) = {slots.chunk, list * kPlaces + slots.count};
  ++slots.count;
  ++in_buckets_;
}

void LocationCache::ExpiryBuckets::RemoveFromList(std::uint32_t slot) {
  const Filing filing = std::exchange(FilingOf(slot), kNotFiled);
  const std::uint32_t list = filing.place / kPlaces;
  List& slots = lists_[list];
  --slots.count;
  --in_buckets_;
  // The last slot of the first chunk takes its place.
  const std::uint32_t last = chunks_[slots.chunk].slots[slots.count];
  if (last != slot) {
    chunks_[filing.at].slots[filing.place % kPlaces] = last;
    FilingOf(last) = filing;
  }
  if (slots.count > 0) return;
  const std::uint32_t next = chunks_[slots.chunk].next;
  chunks_.Return(slots.chunk);
  slots = List{};
  if (next != kNone) {
    slots = {next, SlotChunks::kSlots};
  } else {
    occupied_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
  }
}

LocationCache::ExpiryBuckets::List LocationCache::ExpiryBuckets::Detach(std::uint32_t list) {
  occupied_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
  return std::exchange(lists_[list], List{});
}

void LocationCache::ExpiryBuckets::Attach(std::uint32_t list, const List& slots) {
  assert(lists_[list].count == 0);
  if (slots.count == 0) return;
  lists_[list] = slots;
  occupied_[list / 64] |= std::uint64_t{1} << (list % 64);
}

template <typename FileSlot>
std::uint32_t LocationCache::ExpiryBuckets::ConsumeChunk(List* slots, FileSlot file) {
  // A copy: the chunk may be given out again, and all of them move, while its slots are filed.
  const SlotChunks::Chunk chunk = chunks_[slots->chunk];
  const std::uint32_t count = slots->count;
  chunks_.Return(slots->chunk);
  *slots = chunk.next == kNone ? List{} : List{chunk.next, SlotChunks::kSlots};
  PrefetchSlots(*slots);
  for (std::uint32_t i = 0; i < count; ++i) {
    FilingOf(chunk.slots[i]) = kNotFiled;
    --in_buckets_;
    file(Slot{chunk.slots[i]});
  }
  return count;
}

void LocationCache::ExpiryBuckets::PrefetchSlots(const List& slots) const {
  if (slots.count == 0) return;
  const SlotChunks::Chunk& chunk = chunks_[slots.chunk];
  chunks_.Prefetch(chunk.next);
  for (std::uint32_t i = 0; i < slots.count; ++i) lines_->Prefetch(Slot{chunk.slots[i]});
}

void LocationCache::ExpiryBuckets::Drain(std::uint32_t bucket) {
  DrainList(bucket);
  DrainList(bucket_count() + bucket);
}

void LocationCache::ExpiryBuckets::DrainList(std::uint32_t list) {
  // The list is taken off first: its slots may come back into the same bucket, a round later.
  List slots = Detach(list);
  PrefetchSlots(slots);
  while (slots.count > 0) {
    ConsumeChunk(&slots, [this](Slot slot) { File(slot); });
  }
}

void LocationCache::ExpiryBuckets::LookAhead(Time until) {
  std::uint64_t looks = TakeLooks(until);
  const std::int64_t last_tick = cursor_ + (ahead_ms_ >> tick_shift_);
  while (looks > 0) {
    const std::int64_t tick = FirstUnseenTick();
    if (tick > last_tick) return;
    looks -= std::min(looks, LookAt(Bucket(tick), looks));
  }
}

std::uint64_t LocationCache::ExpiryBuckets::TakeLooks(Time until) {
  const std::int64_t now_ms = std::clamp(until.ms, -kMaxTimeMs, kMaxTimeMs);
  if (now_ms <= counted_until_ms_) return 0;
  // Of a longer time not all would be looked at in one call, or the slots are few.
  constexpr std::int64_t kMaxElapsedMs = std::int64_t{1} << 24;
  credit_ +=
      in_buckets_ * static_cast<std::uint64_t>(std::min(now_ms - counted_until_ms_, kMaxElapsedMs));
  counted_until_ms_ = now_ms;
  const auto slot_ms = static_cast<std::uint64_t>(ahead_ms_);
  const std::uint64_t looks = credit_ / slot_ms;
  if (looks < kMinLooks) return 0;
  // What is above the limit is forgotten: after a pause the ticks that begin do the work.
  credit_ %= slot_ms;
  return std::min(looks, kMaxLooks);
}

std::uint64_t LocationCache::ExpiryBuckets::LookAt(std::uint32_t bucket, std::uint64_t looks) {
  List slots = Detach(bucket);
  PrefetchSlots(slots);
  std::uint64_t looked = 0;
  while (slots.count > 0 && looked < looks) {
    looked += ConsumeChunk(&slots, [this, bucket](Slot slot) {
      if (Bucket(Tick(cache_->deadline(slot))) == bucket) {
        // Not put off so far, or by a whole round: seen again when the tick begins.
        Push(bucket_count() + bucket, ToInt(slot));
      } else {
        File(slot);
      }
    });
  }
  Attach(bucket, slots);
  return looked;
}

template <typename Word>
std::int64_t LocationCache::ExpiryBuckets::FirstTick(Word word) const {
  const std::uint32_t start = Bucket(cursor_ + 1);
  const std::size_t words = bucket_count() / 64;
  std::size_t at = start / 64;
  std::uint64_t bits = word(at) & (~std::uint64_t{0} << (start % 64));
  // The word in which the ring starts is looked at again at the end, for the bits before the start.
  for (std::size_t i = 0; bits == 0; ++i) {
    if (i == words) return kNoTick;
    at = (at + 1) & (words - 1);
    bits = word(at);
  }
  const auto bucket =
      static_cast<std::uint32_t>(at * 64) + static_cast<std::uint32_t>(absl::countr_zero(bits));
  return cursor_ + 1 + Bucket(std::int64_t{bucket} - start);
}

std::int64_t LocationCache::ExpiryBuckets::FirstOccupiedTick() const {
  assert(in_buckets_ > 0);
  const std::size_t words = occupied_.size() / 2;
  return FirstTick([&](std::size_t i) { return occupied_[i] | occupied_[words + i]; });
}

std::int64_t LocationCache::ExpiryBuckets::FirstUnseenTick() const {
  return FirstTick([&](std::size_t i) { return occupied_[i]; });
}

bool LocationCache::ExpiryBuckets::AdvanceCursor(std::int64_t limit) {
  if (limit <= cursor_) return false;
  if (in_buckets_ == 0) {
    cursor_ = limit;
    return false;
  }
  if (limit - cursor_ >= bucket_count()) {
    // Every tick of the ring has begun. What lies still farther ahead may be filed into a bucket
    // that comes later in this loop, and is then merely filed there again.
    cursor_ = limit;
    for (std::uint32_t bucket = 0; bucket < bucket_count(); ++bucket) Drain(bucket);
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
  FilingOf(heap_[place].slot) = kNotFiled;
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
