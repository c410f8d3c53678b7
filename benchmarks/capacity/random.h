#ifndef NEARBY_BENCHMARKS_CAPACITY_RANDOM_H_
#define NEARBY_BENCHMARKS_CAPACITY_RANDOM_H_

#include <cstdint>

namespace capacity {

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection of 64-bit numbers.
inline std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// SplitMix64: the same numbers on every platform, which the standard library's distributions do
/// not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() { return Mix(state_ += 0x9E3779B97F4A7C15u); }
  /// Below `limit`, which is 1 .. 2^32.
  std::uint64_t Below(std::uint64_t limit) { return ((Next() >> 32) * limit) >> 32; }
  /// In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  /// Mean 0, deviation 1, by the sum of twelve: good enough for where people live.
  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Unit();
    return sum;
  }

 private:
  std::uint64_t state_;
};

/// A pseudo-random order of 0 .. size - 1 without a table: a Feistel network over the smallest
/// square that holds them (Luby and Rackoff, 1988), walked until it lands inside.
class Order {
 public:
  Order(std::uint64_t size, std::uint64_t seed) : size_(size), seed_(seed) {
    while ((std::uint64_t{1} << (2 * half_bits_)) < size) ++half_bits_;
  }

  std::uint64_t operator[](std::uint64_t i) const {
    do {
      i = Shuffle(i);
    } while (i >= size_);
    return i;
  }

 private:
  std::uint64_t Shuffle(std::uint64_t i) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = i >> half_bits_;
    std::uint64_t right = i & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t next = left ^ (Mix(right + (round << 40) + seed_) & mask);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  std::uint64_t size_;
  std::uint64_t seed_;
  int half_bits_ = 1;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_RANDOM_H_
