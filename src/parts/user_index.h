#ifndef NEARBY_SRC_PARTS_USER_INDEX_H_
#define NEARBY_SRC_PARTS_USER_INDEX_H_

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "nearby/ids.h"
#include "nearby/location_cache.h"
#include "src/base/large_vector.h"
#include "src/base/prefetch.h"
#include "src/base/slot_lines.h"

namespace nearby {

/// Users to slots: a hash set of slots that hashes and compares by the users in the cache's own
/// lines. A user costs 5 bytes divided by the load factor instead of a second copy of the id; seven
/// bits of the hash, kept beside each slot, spare nearly every look into a line that would fail.
///
/// Thread-compatible. Borrows the lines, which must outlive it; an indexed slot's
/// user must not change.
class LocationCache::Index {
 public:
  explicit Index(const internal::SlotLines* lines) : slots_(0, Hash{lines}, Equal{lines}) {}

  void Reserve(std::size_t count) { slots_.reserve(count); }

  Slot Find(UserId user) const {
    auto it = slots_.find(user);
    return it == slots_.end() ? kNoSlot : Slot{*it};
  }
  /// Starts to fetch the memory that Find(user) reads first.
  void Prefetch(UserId user) const {
    slots_.prefetch(user);
    internal::KeepPrefetches();
  }

  /// Requires that the slot's user is set and not indexed.
  void Insert(Slot slot) {
    [[maybe_unused]] bool inserted = slots_.insert(ToInt(slot)).second;
    assert(inserted);
  }
  /// Requires that the slot's user is the one it was inserted with.
  void Erase(Slot slot) {
    [[maybe_unused]] std::size_t erased = slots_.erase(ToInt(slot));
    assert(erased == 1);
  }

 private:
  struct Hash {
    using is_transparent = void;

    std::size_t operator()(UserId user) const { return absl::Hash<std::uint64_t>()(ToInt(user)); }
    std::size_t operator()(std::uint32_t slot) const { return (*this)((*lines)[Slot{slot}].user); }

    const internal::SlotLines* lines;
  };
  struct Equal {
    using is_transparent = void;

    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t slot, UserId user) const {
      return (*lines)[Slot{slot}].user == user;
    }
    bool operator()(UserId user, std::uint32_t slot) const {
      return (*lines)[Slot{slot}].user == user;
    }

    const internal::SlotLines* lines;
  };

  absl::flat_hash_set<std::uint32_t, Hash, Equal, internal::LargeAllocator<std::uint32_t>> slots_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_INDEX_H_
