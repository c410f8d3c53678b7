#ifndef NEARBY_SRC_PARTS_RING_ASSIGNMENT_H_
#define NEARBY_SRC_PARTS_RING_ASSIGNMENT_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Which seat of a ring owns which partition. This is a specification, fit for implementing in any
// language: all builds, on all platforms, now and later, must agree on it, or two nodes would look
// for one channel on two servers. tests/parts/hash_ring_reference.py is such an implementation.
// Arithmetic is on unsigned 64-bit integers, modulo 2^64; a / b rounds down.
//
//   1. There are P = 2^(2h) partitions; h = 9 in a HashRing. HashRing::PartitionOf says which one a
//      channel lies in.
//   2. Seed. A seat's seed is XXH3_64bits (xxHash 0.8, seed 0, default secret) of the bytes of its
//      name.
//   3. Course. Each seat visits all partitions, in an order of its own: a permutation of 2h bits,
//      by a Feistel network of four rounds. Round i (0 to 3) maps h bits to h bits:
//        F(i, x) = Finalise(seed + (i * 2^h + x + 1) * 0x9E3779B97F4A7C15) >> (64 - h)
//      where Finalise is that of SplitMix64:
//        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9
//        x = (x ^ (x >> 27)) * 0x94D049BB133111EB
//        x ^ (x >> 31)
//      (F is thus a table filled from the generator SplitMix64 that starts at the seed.) The rank
//      of a partition on the course, 0 for the first:
//        low = partition mod 2^h; high = partition / 2^h
//        high ^= F(0, low);  low ^= F(1, high);  high ^= F(2, low);  low ^= F(3, high)
//        rank = high * 2^h + low
//   4. Pace. A seat of weight w > 0 visits the partition of rank r at the time
//        2^10 * T(r) / w,   T(r) = 2^48/P + 2^48/(P-1) + ... + 2^48/(P-r+1) + 2^47/(P-r)
//      each term rounded down; T(0) = 2^47/P. Seats of weight 0 visit nothing.
//   5. Quota. A seat of weight w among seats of total weight W takes at most q + k partitions: q is
//      P * w / W, rounded up, and k the smallest integer with 4 * k * k >= 9 * q.
//   6. A partition goes to the first seat that visits it while it still has room; all visits take
//      effect in order of time. Of seats that visit a partition at one time, the one whose name is
//      smaller, byte by byte, comes first.
//   7. Those who come next for a partition are the other seats, in the order in which they visit
//   it.

namespace nearby {

/// A seat as the assignment sees it.
struct RingRunner {
  std::uint64_t seed = 0;
  std::uint32_t weight = 0;  ///< 0 to 1000.
};

/// The owner of a partition that has none: no seat has any weight.
inline constexpr std::uint16_t kNoRunner = 0xFFFF;

/// Step 2.
std::uint64_t RingSeed(absl::string_view name);

/// The order in which a seat visits 2^partition_bits partitions: step 3.
///
/// Immutable value type. Cost: four finalisers of SplitMix64 a call; no memory.
class RingCourse {
 public:
  /// Requires an even number of bits, 2 to 18.
  RingCourse(std::uint64_t seed, int partition_bits)
      : seed_(seed), half_bits_(partition_bits / 2) {}

  std::uint32_t RankOf(std::uint32_t partition) const;
  /// The inverse.
  std::uint32_t PartitionAt(std::uint32_t rank) const;

 private:
  std::uint32_t Round(std::uint32_t round, std::uint32_t half) const;

  std::uint64_t seed_;
  int half_bits_;
};

/// When visits take place: step 4.
///
/// Immutable. Owns a table of 8 bytes a partition.
class RingClock {
 public:
  explicit RingClock(int partition_bits);

  /// Requires 1 <= weight. The time grows strictly with the rank, and is less than 2^62.
  std::uint64_t TimeOf(std::uint32_t rank, std::uint32_t weight) const {
    return (base_times_[rank] << 10) / weight;
  }
  int partition_bits() const { return partition_bits_; }
  std::uint32_t partitions() const { return std::uint32_t{1} << partition_bits_; }

 private:
  int partition_bits_;
  std::vector<std::uint64_t> base_times_;  // T, by rank
};

/// The clock of all HashRings; made at the first call, and kept.
const RingClock& SharedRingClock();

/// How many partitions a seat takes at most: step 5.
std::uint32_t RingQuota(std::uint32_t partitions, std::uint32_t weight, std::uint64_t total_weight);

/// The index in `runners` of each partition's owner: step 6. The runners stand in the order of
/// their names; fewer than kNoRunner. Each partition has an owner unless all weights are 0.
/// O(P log P), practically whatever the number of runners.
std::vector<std::uint16_t> AssignPartitions(absl::Span<const RingRunner> runners,
                                            const RingClock& clock);

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_RING_ASSIGNMENT_H_
