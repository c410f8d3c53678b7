#ifndef EXAMPLES_PHONES_LATENCY_HISTOGRAM_H_
#define EXAMPLES_PHONES_LATENCY_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace phones {

/// How long things took: counts by time, in steps of a 64th of it or finer.
///
/// Thread-compatible. 20 kB.
/// Cost: a few instructions to add one; a pass over all steps for a quantile.
class LatencyHistogram {
 public:
  /// Less than nothing counts as nothing, and more than two weeks as two weeks.
  void Add(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(std::clamp<std::int64_t>(us, 0, kMost));
    ++counts_[IndexOf(value)];
    ++count_;
    max_us_ = std::max(max_us_, static_cast<std::int64_t>(value));
  }

  void Add(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_us_ = std::max(max_us_, other.max_us_);
  }

  std::uint64_t count() const { return count_; }
  std::int64_t max_us() const { return max_us_; }

  /// The least time that the share `quantile` of all did not exceed, rounded up to the step; 0 if
  /// there are none. Requires 0 <= quantile <= 1.
  std::int64_t Quantile(double quantile) const {
    const double wanted = quantile * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(LastOf(i), max_us_);
    }
    return max_us_;
  }

 private:
  static constexpr unsigned kSubBits = 6;  // 64 steps to each doubling
  static constexpr std::uint64_t kSteps = 1u << kSubBits;
  static constexpr unsigned kTopBit = 40;
  static constexpr std::int64_t kMost = (std::int64_t{1} << kTopBit) - 1;

  // Below 2 * kSteps each number has a step of its own; from there on each doubling has kSteps.
  static std::size_t IndexOf(std::uint64_t value) {
    unsigned shift = 0;
    while ((value >> shift) >= 2 * kSteps) ++shift;
    return static_cast<std::size_t>(shift * kSteps + (value >> shift));
  }
  // The largest number of a step.
  static std::int64_t LastOf(std::size_t index) {
    const unsigned shift = index < 2 * kSteps ? 0 : static_cast<unsigned>(index / kSteps) - 1;
    const std::uint64_t first = (index - shift * kSteps) << shift;
    return static_cast<std::int64_t>(first + (std::uint64_t{1} << shift) - 1);
  }

  std::array<std::uint64_t, (kTopBit - kSubBits + 1) * kSteps> counts_{};
  std::uint64_t count_ = 0;
  std::int64_t max_us_ = 0;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LATENCY_HISTOGRAM_H_
