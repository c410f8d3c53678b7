#include "benchmarks/capacity/ceiling.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/stopwatch.h"

namespace capacity {
namespace {

// More places than any cache holds.
constexpr std::size_t kPlaces = std::size_t{1} << 24;

// Enough to keep the line-fill buffers busy; more evicts what was just fetched.
constexpr std::size_t kAhead = 32;

}  // namespace

Ceiling::Ceiling(std::uint32_t users, std::uint64_t seed)
    : records_(users), places_(kPlaces + kAhead) {
  Random random(seed);
  for (std::uint64_t& record : records_) record = random.Next();
  for (std::uint32_t& place : places_) place = random.Below(users);
}

double Ceiling::Measure(std::size_t reads) {
  const Stopwatch watch;
  const std::uint64_t* records = records_.data();
  std::uint64_t sum = 0;
  for (std::size_t left = reads; left > 0;) {
    const std::size_t count = std::min(left, kPlaces - next_);
    const std::uint32_t* places = places_.data() + next_;
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(records + places[i + kAhead], 0, 2);
      sum += records[places[i]];
    }
    next_ = (next_ + count) % kPlaces;
    left -= count;
  }
  // Kept, so that the reads are not optimised away.
  sum_ += sum;
  return static_cast<double>(reads) / watch.Seconds();
}

}  // namespace capacity
