#ifndef BENCHMARKS_CAPACITY_PERMUTATION_H_
#define BENCHMARKS_CAPACITY_PERMUTATION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/random.h"

namespace capacity {

/// A random order of 0 .. size - 1 that needs no memory: a Feistel network over the next even
/// number of bits, walked until it comes back into the range (Black and Rogaway, "Ciphers with
/// Arbitrary Finite Domains", 2002).
///
/// Immutable value type. Cost: some 20 ns a number.
class Permutation {
 public:
  /// Requires 0 < size < 2^31.
  Permutation(std::uint32_t size, std::uint64_t seed) : size_(size) {
    while ((std::uint64_t{1} << (2 * half_bits_)) < size) ++half_bits_;
    mask_ = (1u << half_bits_) - 1;
    Random random(seed);
    for (std::uint64_t& key : keys_) key = random.Next();
  }

  /// Requires i < size.
  std::uint32_t operator()(std::uint32_t i) const {
    do {
      i = Shuffle(i);
    } while (i >= size_);
    return i;
  }

 private:
  std::uint32_t Shuffle(std::uint32_t i) const {
    std::uint32_t left = i >> half_bits_;
    std::uint32_t right = i & mask_;
    for (const std::uint64_t key : keys_) {
      const std::uint32_t next = left ^ (static_cast<std::uint32_t>(Mix(right ^ key)) & mask_);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  std::uint32_t size_;
  int half_bits_ = 1;
  std::uint32_t mask_ = 0;
  std::array<std::uint64_t, 4> keys_{};
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_PERMUTATION_H_
