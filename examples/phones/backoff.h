#ifndef EXAMPLES_PHONES_BACKOFF_H_
#define EXAMPLES_PHONES_BACKOFF_H_

#include <algorithm>

#include "absl/time/time.h"
#include "examples/replay/random.h"

namespace phones {

/// How long a phone waits before it connects again: twice as long each time, up to a maximum, each
/// with up to a half less, so that phones that lost their server together do not come back
/// together.
///
/// Thread-compatible.
class Backoff {
 public:
  struct Options {
    absl::Duration first = absl::Milliseconds(500);
    absl::Duration most = absl::Seconds(10);
  };

  explicit Backoff(const Options& options) : options_(options), next_(options.first) {}

  absl::Duration Next(replay::Random* random) {
    const absl::Duration delay = next_ * (1 - 0.5 * random->Uniform());
    next_ = std::min(2 * next_, options_.most);
    return delay;
  }

  /// The connection was good: the next wait is a first one.
  void Reset() { next_ = options_.first; }

 private:
  Options options_;
  absl::Duration next_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_BACKOFF_H_
