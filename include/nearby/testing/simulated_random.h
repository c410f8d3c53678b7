#ifndef NEARBY_TESTING_SIMULATED_RANDOM_H_
#define NEARBY_TESTING_SIMULATED_RANDOM_H_

#include <array>
#include <cassert>
#include <cstdint>

#include "nearby/export.h"

namespace nearby {

/// Whole milliseconds from `min_ms` to `max_ms`, both included, each as likely: how long something
/// takes in a simulated world.
struct SimulatedDelay {
  std::int64_t min_ms = 0;
  std::int64_t max_ms = 0;
};

/// Chance by seed. What it draws is specified, not merely stable: the same seed draws the same with
/// every compiler and standard library, so that a run that failed fails again elsewhere.
///
///   SimulatedRandom random(42);
///   if (random.Chance(0.01)) user = UserId{random.Below(30)};
///
/// The generator is xoshiro256** 1.0 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
/// Generators", 2021), its state filled by SplitMix64 from the seed. Not for secrets.
///
/// Thread-compatible. A value: a copy draws what the original draws.
/// Cost: 1 ns a draw.
class NEARBY_API SimulatedRandom {
 public:
  explicit SimulatedRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = SplitMix(&seed);
  }

  /// Any 64 bits.
  std::uint64_t Next() {
    const std::uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = RotateLeft(state_[3], 45);
    return result;
  }

  /// 0 .. bound - 1. Requires bound > 0. Up to 2^32 it is the high half of a product, which favours
  /// none by more than 2^-32; beyond that it draws until the lower bits are in range.
  std::uint64_t Below(std::uint64_t bound) {
    assert(bound > 0);
    constexpr std::uint64_t kNarrow = std::uint64_t{1} << 32;
    if (bound < kNarrow) return ((Next() >> 32) * bound) >> 32;
    return BelowWide(bound);
  }

  /// From `low` to `high`, both included. Requires low <= high.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    assert(low <= high);
    // In unsigned numbers, which may wrap.
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t offset = range == ~std::uint64_t{0} ? Next() : Below(range + 1);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }

  std::int64_t Draw(SimulatedDelay delay) { return Between(delay.min_ms, delay.max_ms); }

  /// 0 <= x < 1, a multiple of 2^-53.
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  /// True with this probability. Draws nothing where it is 0 or less, or 1 or more.
  bool Chance(double probability) {
    if (probability <= 0) return false;
    return probability >= 1 || Fraction() < probability;
  }

  /// Another generator, whose draws have nothing to do with the later ones of this: for a part of a
  /// world, so that what one part draws does not shift what the others do.
  SimulatedRandom Fork() { return SimulatedRandom(Next()); }

 private:
  static constexpr std::uint64_t RotateLeft(std::uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
  }

  static constexpr std::uint64_t SplitMix(std::uint64_t* state) {
    std::uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  std::uint64_t BelowWide(std::uint64_t bound);

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_RANDOM_H_
