#ifndef EXAMPLES_REPLAY_PROGRESS_BAR_H_
#define EXAMPLES_REPLAY_PROGRESS_BAR_H_

#include <cstdint>
#include <cstdio>

#include "absl/time/time.h"
#include "examples/replay/line_reader.h"

namespace replay {

/// How far a replay has come, on one line of a terminal; nothing at all if `out` is not one.
///
/// Thread-compatible. Borrows `out`, which must outlive it.
class ProgressBar {
 public:
  explicit ProgressBar(std::FILE* out);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Redraws, at most some ten times a second.
  void Update(const LineReader& input, std::uint64_t rows);

 private:
  std::FILE* out_;  // null if not a terminal
  absl::Time start_;
  absl::Time last_drawn_ = absl::InfinitePast();
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_PROGRESS_BAR_H_
