#ifndef BENCHMARKS_CAPACITY_MEMORY_H_
#define BENCHMARKS_CAPACITY_MEMORY_H_

#include <cstdint>

namespace capacity {

/// What this process holds in memory now, in bytes, after what was freed has been given back.
std::uint64_t ResidentBytes();

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_MEMORY_H_
