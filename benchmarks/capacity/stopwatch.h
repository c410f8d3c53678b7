#ifndef BENCHMARKS_CAPACITY_STOPWATCH_H_
#define BENCHMARKS_CAPACITY_STOPWATCH_H_

#include <chrono>

namespace capacity {

/// Wall time since it was made.
class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_STOPWATCH_H_
