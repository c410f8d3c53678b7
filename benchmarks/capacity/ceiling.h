#ifndef NEARBY_BENCHMARKS_CAPACITY_CEILING_H_
#define NEARBY_BENCHMARKS_CAPACITY_CEILING_H_

#include <cstdint>
#include <vector>

namespace capacity {

/// What this machine's memory yields: random 8-byte reads a second over a table with one entry for
/// each user, in large pages, the indices streamed, each read asked for some way ahead. Whatever
/// reads a position for each pair cannot be faster.
class Ceiling {
 public:
  explicit Ceiling(std::uint32_t users);
  ~Ceiling();
  Ceiling(const Ceiling&) = delete;
  Ceiling& operator=(const Ceiling&) = delete;

  /// Some million reads.
  double ReadsPerSecond();

 private:
  std::uint64_t* table_;
  std::vector<std::uint32_t> indices_;
  std::uint64_t sum_ = 0;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_CEILING_H_
