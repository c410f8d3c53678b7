#ifndef BENCHMARKS_CAPACITY_MEDIAN_H_
#define BENCHMARKS_CAPACITY_MEDIAN_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace capacity {

/// Of repetitions, so that those in which the machine was busy elsewhere do not count. Requires one
/// value at least.
inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_MEDIAN_H_
