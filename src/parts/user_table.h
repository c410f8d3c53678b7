#ifndef NEARBY_SRC_PARTS_USER_TABLE_H_
#define NEARBY_SRC_PARTS_USER_TABLE_H_

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "src/base/large_vector.h"
#include "src/base/prefetch.h"
#include "src/parts/slot_bucket.h"

namespace nearby {

/// Users to slots: a hash table of slots alone, made for look-ups that fail, as nine in ten of a
/// friend list do. `Users` knows the user of a slot, and fetches it:
///
///   UserId operator()(Slot slot) const;
///   void Prefetch(Slot slot) const;
///
/// and `Hash` hashes a user to 64 bits, all of which are used.
///
/// A user's *path* begins at the bucket that the hash's high half names and goes on by the step of
/// the hash's group, 1 to 128 buckets, round the table. The number of buckets is odd, so each path
/// comes by all of them.
///
/// Invariants:
///   1. An entry lies in a bucket of its user's path. Each bucket of the path before that one has
///      counted it among those of its group that went on, unless it has ceased to count.
///   2. No entry is farther down its path than `longest_path_` buckets.
///   3. At most 4 of 5 places are taken.
///
/// So a look-up ends at the first bucket that nobody of the group went on from, and an erased entry
/// leaves nothing behind. At the highest load, after any number of insertions and erasures, one
/// that fails reads 1.3 buckets on average, one that succeeds 1.25 and the user of the slot; at the
/// load that Reserve leaves, 1.1 and 1.1. A bucket is a line of memory. In one of 25 look-ups that
/// fail a tag agrees by chance, and a slot's user is read as well.
///
/// Thread-compatible. 7 bytes a user with the room that was reserved, 6.7 to 10 as it grows by
/// half; while it does, the old table and the new one.
template <typename Users, typename Hash>
class UserTable {
 public:
  explicit UserTable(Users users, Hash hash = {})
      : users_(std::move(users)), hash_(std::move(hash)), buckets_(1) {}

  /// Sets memory aside for this many users.
  void Reserve(std::size_t count) {
    const std::size_t buckets = count / kReservedPerBucket + 1;
    if (buckets > buckets_.size()) Rehash(buckets);
  }

  Slot Find(UserId user) const { return FindOn(PathOf(user), user); }

  /// Asks the processor for what Find and Erase read first.
  void Prefetch(UserId user) const { internal::Prefetch(&buckets_[PathOf(user).bucket]); }

  /// Calls found(i, slot) for those of `users` who are in the table, ascending by i.
  template <typename Found>
  void FindAll(absl::Span<const UserId> users, Found found) const {
    for (std::size_t begin = 0; begin < users.size(); begin += kBatch) {
      const absl::Span<const UserId> batch = users.subspan(begin, kBatch);
      FindBatch(batch, [&](std::size_t i, Slot slot) { found(begin + i, slot); });
    }
  }

  /// Requires that the slot's user is not in the table. Amortised O(1).
  void Insert(Slot slot) {
    assert(Find(users_(slot)) == kNoSlot);
    if ((size_ + 1) * 5 > buckets_.size() * SlotBucket::kPlaces * 4) {
      Rehash(buckets_.size() + buckets_.size() / 2 + 1);
    }
    Place(slot);
    ++size_;
  }

  /// Requires that the slot is in the table, and that its user is the one it was inserted with.
  void Erase(Slot slot) {
    const Path path = PathOf(users_(slot));
    std::size_t at = path.bucket;
    for (std::uint32_t step = 0; !EraseFrom(&buckets_[at], path.tag, slot); ++step) {
      assert(step < longest_path_);
      buckets_[at].DiscountPassed(path.group);
      at = Next(at, path.group);
    }
    --size_;
  }

  std::size_t size() const { return size_; }
  std::size_t bucket_count() const { return buckets_.size(); }
  std::size_t allocated_bytes() const { return buckets_.capacity() * sizeof(SlotBucket); }

  /// Checks this class's invariants, by a pass over the table: `Internal` naming the first
  /// violation.
  absl::Status CheckInvariants() const;

 private:
  // Enough look-ups to keep the memory busy, few enough that what was fetched first is still
  // cached.
  static constexpr std::size_t kBatch = 256;
  // Leaves room to grow by a seventh without moving.
  static constexpr std::size_t kReservedPerBucket = 8;

  struct Path {
    std::uint32_t bucket;  // the first
    std::uint8_t tag;
    std::uint8_t group;
  };
  // One of a batch whose first bucket does not rule it out.
  struct Candidate {
    std::uint32_t place;  // in the batch
    Slot slot;            // the first that has the tag; kNoSlot if the path goes on from there
  };

  Path PathOf(UserId user) const {
    const std::uint64_t hash = hash_(user);
    const auto low = static_cast<std::uint32_t>(hash);
    Path path;
    path.bucket = static_cast<std::uint32_t>((hash >> 32) * buckets_.size() >> 32);
    path.tag = static_cast<std::uint8_t>(std::max(low & 0xFF, SlotBucket::kFree + 1u));
    path.group = static_cast<std::uint8_t>(low >> 8 & (SlotBucket::kGroups - 1));
    return path;
  }
  std::size_t Next(std::size_t bucket, std::uint32_t group) const {
    return (bucket + (std::size_t{1} << group)) % buckets_.size();
  }

  Slot FindOn(const Path& path, UserId user) const {
    std::size_t at = path.bucket;
    for (std::uint32_t step = 0;; ++step) {
      const SlotBucket& bucket = buckets_[at];
      for (std::uint32_t left = bucket.Matches(path.tag); left != 0; left &= left - 1) {
        const Slot slot{bucket.slots[absl::countr_zero(left)]};
        if (users_(slot) == user) return slot;
      }
      if (bucket.passed(path.group) == 0 || step == longest_path_) return kNoSlot;
      at = Next(at, path.group);
    }
  }

  // A pass for each dependent read, so that the reads of one pass overlap.
  template <typename Found>
  void FindBatch(absl::Span<const UserId> users, Found found) const {
    std::array<Path, kBatch> paths;
    for (std::size_t i = 0; i < users.size(); ++i) {
      paths[i] = PathOf(users[i]);
      internal::Prefetch(&buckets_[paths[i].bucket]);
    }
    std::array<Candidate, kBatch> candidates;
    const std::size_t count = SelectCandidates({paths.data(), users.size()}, candidates.data());
    for (std::size_t i = 0; i < count; ++i) {
      if (candidates[i].slot != kNoSlot) users_.Prefetch(candidates[i].slot);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t place = candidates[i].place;
      Slot slot = candidates[i].slot;
      if (slot == kNoSlot || users_(slot) != users[place]) {
        slot = FindOn(paths[place], users[place]);
      }
      if (slot != kNoSlot) found(place, slot);
    }
  }

  // Without branches, for who is in the table cannot be foreseen.
  std::size_t SelectCandidates(absl::Span<const Path> paths, Candidate* out) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      const SlotBucket& bucket = buckets_[paths[i].bucket];
      const std::uint32_t matches = bucket.Matches(paths[i].tag);
      // Some place, where there is no match.
      const int first = absl::countr_zero(matches | 1u << (SlotBucket::kPlaces - 1));
      const bool is_match = matches != 0;
      out[count].place = static_cast<std::uint32_t>(i);
      out[count].slot = is_match ? Slot{bucket.slots[first]} : kNoSlot;
      const bool goes_on = bucket.passed(paths[i].group) != 0;
      count += static_cast<std::size_t>(is_match | goes_on);
    }
    return count;
  }

  // Requires a free place in the table.
  void Place(Slot slot) {
    const Path path = PathOf(users_(slot));
    std::size_t at = path.bucket;
    std::uint32_t steps = 0;
    std::uint32_t free = 0;
    while ((free = buckets_[at].Matches(SlotBucket::kFree)) == 0) {
      buckets_[at].CountPassed(path.group);
      at = Next(at, path.group);
      ++steps;
    }
    longest_path_ = std::max(longest_path_, steps);
    const int place = absl::countr_zero(free);
    buckets_[at].tags[place] = path.tag;
    buckets_[at].slots[place] = ToInt(slot);
  }

  static bool EraseFrom(SlotBucket* bucket, std::uint8_t tag, Slot slot) {
    for (std::uint32_t left = bucket->Matches(tag); left != 0; left &= left - 1) {
      const int place = absl::countr_zero(left);
      if (bucket->slots[place] != ToInt(slot)) continue;
      bucket->tags[place] = SlotBucket::kFree;
      return true;
    }
    return false;
  }

  // Moves to a table of this many buckets, or one more.
  void Rehash(std::size_t count) {
    constexpr std::size_t kAhead = 8;
    internal::LargeVector<SlotBucket> old(count | 1);
    old.swap(buckets_);
    longest_path_ = 0;
    for (std::size_t i = 0; i < old.size() + kAhead; ++i) {
      if (i < old.size()) {
        ForEach(old[i], [this](Slot slot) { users_.Prefetch(slot); });
      }
      if (i >= kAhead) {
        ForEach(old[i - kAhead], [this](Slot slot) { Place(slot); });
      }
    }
  }

  template <typename Visit>
  static void ForEach(const SlotBucket& bucket, Visit visit) {
    for (std::size_t i = 0; i < SlotBucket::kPlaces; ++i) {
      if (bucket.tags[i] != SlotBucket::kFree) visit(Slot{bucket.slots[i]});
    }
  }

  Users users_;
  Hash hash_;
  internal::LargeVector<SlotBucket> buckets_;
  std::size_t size_ = 0;
  std::uint32_t longest_path_ = 0;  // steps, of those placed since the table was made
};

template <typename Users, typename Hash>
absl::Status UserTable<Users, Hash>::CheckInvariants() const {
  std::vector<std::array<std::uint32_t, SlotBucket::kGroups>> passed(buckets_.size());
  std::size_t entries = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    for (std::size_t place = 0; place < SlotBucket::kPlaces; ++place) {
      if (buckets_[i].tags[place] == SlotBucket::kFree) continue;
      ++entries;
      const Slot slot{buckets_[i].slots[place]};
      const Path path = PathOf(users_(slot));
      std::size_t at = path.bucket;
      for (std::uint32_t step = 0; at != i; ++step, at = Next(at, path.group)) {
        if (step == longest_path_) {
          return absl::InternalError(absl::StrCat("slot ", ToInt(slot), " is off its path"));
        }
        ++passed[at][path.group];
      }
      if (buckets_[i].tags[place] != path.tag) {
        return absl::InternalError(absl::StrCat("slot ", ToInt(slot), " has another's tag"));
      }
    }
  }
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    for (std::uint32_t group = 0; group < SlotBucket::kGroups; ++group) {
      const std::uint32_t counted = buckets_[i].passed(group);
      if (counted == passed[i][group] || counted == SlotBucket::kUncounted) continue;
      return absl::InternalError(
          absl::StrCat("bucket ", i, " counts ", counted, " that went on, not ", passed[i][group]));
    }
  }
  if (entries != size_ || entries * 5 > buckets_.size() * SlotBucket::kPlaces * 4) {
    return absl::InternalError(
        absl::StrCat(entries, " entries, not ", size_, ", in ", buckets_.size(), " buckets"));
  }
  return absl::OkStatus();
}

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_USER_TABLE_H_
