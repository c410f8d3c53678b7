#ifndef BENCHMARKS_CAPACITY_STAGE_H_
#define BENCHMARKS_CAPACITY_STAGE_H_

#include <cstdio>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace capacity {

/// Says on standard error what goes on, and how long it took.
class Stage {
 public:
  explicit Stage(absl::string_view what) {
    std::fprintf(stderr, "%.*s ... ", static_cast<int>(what.size()), what.data());
    std::fflush(stderr);
  }
  ~Stage() { std::fprintf(stderr, "%.1f s\n", absl::ToDoubleSeconds(absl::Now() - start_)); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 private:
  absl::Time start_ = absl::Now();
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_STAGE_H_
