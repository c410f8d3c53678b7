#ifndef EXAMPLES_REPLAY_RANDOM_H_
#define EXAMPLES_REPLAY_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <random>

namespace replay {

/// Seeded random numbers that come out the same with every standard library: the generator is
/// specified by the standard, its distributions are not, so these are written out here.
///
/// Draw one number a statement: the order in which arguments of one call are evaluated is not
/// specified either.
///
/// Thread-compatible.
class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}

  /// Uniform in [0, 1): 53 random bits.
  double Uniform() { return static_cast<double>(generator_() >> 11) * 0x1p-53; }

  /// Uniform among 0 .. n - 1. Requires 0 < n < 2^32.
  std::uint64_t Below(std::uint64_t n) { return ((generator_() >> 32) * n) >> 32; }

  /// Uniform among low .. high, both included. Requires low <= high, less than 2^32 apart.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(high - low) + 1));
  }

  bool Chance(double probability) { return Uniform() < probability; }

  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

  /// Mean 0, standard deviation 1 (Box and Muller, "A Note on the Generation of Random Normal
  /// Deviates", 1958).
  double Normal() {
    constexpr double kTwoPi = 6.283185307179586;
    const double length = std::sqrt(-2 * std::log1p(-Uniform()));
    return length * std::cos(kTwoPi * Uniform());
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_RANDOM_H_
