#ifndef BENCHMARKS_CAPACITY_CEILING_H_
#define BENCHMARKS_CAPACITY_CEILING_H_

#include <cstddef>
#include <cstdint>

#include "benchmarks/capacity/huge_array.h"

namespace capacity {

/// What this machine's memory gives at best: reads of 8 bytes at random places of an array of as
/// many records as there are users, the places known well ahead and each fetched before it is read.
/// A pair check that looks at one record of another user cannot be faster, unless it is left out.
///
/// Thread-compatible.
class Ceiling {
 public:
  Ceiling(std::uint32_t users, std::uint64_t seed);

  /// Reads a second, over the next `reads` places.
  double Measure(std::size_t reads);

 private:
  HugeArray<std::uint64_t> records_;
  HugeArray<std::uint32_t> places_;
  std::size_t next_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_CEILING_H_
