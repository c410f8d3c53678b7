#ifndef EXAMPLES_REPLAY_CHURN_H_
#define EXAMPLES_REPLAY_CHURN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "examples/replay/trace_sink.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {

/// What people do to each other now and then: hide and share again, unsubscribe and subscribe
/// again, fall out and make up, make a friend of a friend's friend and lose them again, change
/// their radius. Everything but a radius is undone some minutes later, so that an endless trace
/// stays as it began.
///
/// Thread-compatible. Borrows the friendships, which must outlive it.
class Churn {
 public:
  /// A population without friendships has no churn.
  Churn(const Population& population, nearby::Time start, std::uint64_t seed);

  /// When the next thing happens; kNever if nothing does.
  nearby::Time next() const { return next_; }
  /// Writes what happens at next() and moves on.
  void Write(TraceSink* sink);

 private:
  struct Undo {
    std::int64_t time_ms = 0;
    std::uint64_t number = 0;  // Orders those of one time.
    absl::string_view action;
    nearby::UserId first{};
    nearby::UserId second{};

    friend bool operator>(const Undo& a, const Undo& b) {
      return std::pair(a.time_ms, a.number) > std::pair(b.time_ms, b.number);
    }
  };

  void Begin(TraceSink* sink);
  void BeginPair(absl::string_view action, absl::string_view undo, nearby::UserId first,
                 nearby::UserId second, TraceSink* sink);
  // Two users with a friend in common who are not friends, if a few draws find any.
  bool DrawStrangers(nearby::UserId* first, nearby::UserId* second);
  void FindNext();

  const std::vector<std::pair<nearby::UserId, nearby::UserId>>* friendships_;
  absl::flat_hash_set<std::pair<std::uint64_t, std::uint64_t>> known_;
  Random random_;
  double mean_pause_ms_;
  std::int64_t next_begin_ms_;
  std::uint64_t begun_ = 0;
  std::priority_queue<Undo, std::vector<Undo>, std::greater<>> undos_;
  nearby::Time next_ = nearby::kNever;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_CHURN_H_
