#ifndef BENCHMARKS_CAPACITY_RANDOM_H_
#define BENCHMARKS_CAPACITY_RANDOM_H_

#include <cmath>
#include <cstdint>

namespace capacity {

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014): a bijection that makes any counter look random.
constexpr std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;

/// SplitMix64, and distributions written out: those of the standard library differ from one
/// implementation to the next. A generator costs nothing to make, so there can be one for each user
/// and report, and what one user does depends on no other.
///
/// Draw one number a statement: the order in which arguments of one call are evaluated is not
/// specified.
///
/// Thread-compatible.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// The generator of a seed for one thing among many, such as a user at a time.
  Random(std::uint64_t seed, std::uint64_t thing, std::uint64_t moment)
      : state_(Mix(Mix(seed + kGoldenRatio * (thing + 1)) + kGoldenRatio * (moment + 1))) {}

  std::uint64_t Next() {
    state_ += kGoldenRatio;
    return Mix(state_);
  }

  /// Uniform in [0, 1): 53 random bits.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }

  /// Uniform among 0 .. n - 1. Requires 0 < n <= 2^32.
  std::uint32_t Below(std::uint64_t n) {
    return static_cast<std::uint32_t>(((Next() >> 32) * n) >> 32);
  }

  bool Chance(double probability) { return Uniform() < probability; }

  /// Mean 0, standard deviation 1 (Box and Muller, "A Note on the Generation of Random Normal
  /// Deviates", 1958).
  double Normal() {
    constexpr double kTwoPi = 6.283185307179586;
    const double length = std::sqrt(-2 * std::log1p(-Uniform()));
    return length * std::cos(kTwoPi * Uniform());
  }

  /// The same mean and deviation from one draw and no function of libm: four dice of 16 bits. Its
  /// tails end at 3.5.
  double RoughNormal() {
    const std::uint64_t bits = Next();
    const std::uint64_t sum =
        (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
    return (static_cast<double>(sum) - 2 * 65535.0) * (1.7320508075688772 / 65536.0);
  }

 private:
  std::uint64_t state_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_RANDOM_H_
