#ifndef BENCHMARKS_CAPACITY_STOPWATCH_H_
#define BENCHMARKS_CAPACITY_STOPWATCH_H_

#include <time.h>

namespace capacity {

/// How long this thread has run on a processor since the stopwatch was made. What is measured here
/// never waits for anything but the processor and its memory, so this is what it takes; the clock
/// on the wall would count whatever else a shared machine does in between.
///
/// Cost: some 300 ns a reading; do not time less than many times that.
class Stopwatch {
 public:
  double Seconds() const { return Now() - start_; }

 private:
  static double Now() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  double start_ = Now();
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_STOPWATCH_H_
