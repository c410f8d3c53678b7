#ifndef NEARBY_SRC_CLUSTER_USER_QUERIES_H_
#define NEARBY_SRC_CLUSTER_USER_QUERIES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/cluster_options.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// Users about whom something outside is still to be asked, in batches, one of which is under way at
// a time. Who is asked about again before a batch with them has begun is asked about once; after
// that, once more, because the answer under way may be older than the question.
//
// Thread-compatible.
class UserQueries {
 public:
  struct Options {
    std::size_t max_users = 0;
    std::size_t max_batch = 0;
    std::int64_t timeout_ms = 0;

    static Options Of(const ClusterOptions& options) {
      return {options.max_queries, options.max_query_batch,
              absl::ToInt64Milliseconds(options.call_timeout)};
    }
  };

  UserQueries(const Options& options, Backoff backoff) : options_(options), backoff_(backoff) {}

  // False if too many wait.
  bool Ask(UserId user) {
    if (waiting_.size() >= options_.max_users && !is_waiting_.contains(user)) return false;
    AskAnyway(user);
    return true;
  }
  // For those whose number has another limit.
  void AskAnyway(UserId user) {
    if (is_waiting_.insert(user).second) waiting_.push_back(user);
  }

  // Takes the next batch to ask about, if it is time; empty otherwise. Valid until End.
  absl::Span<const UserId> Begin(Time now) {
    if (!under_way_.empty() || waiting_.empty() || now < retry_at_) return {};
    const std::size_t count = std::min(waiting_.size(), options_.max_batch);
    for (std::size_t i = 0; i < count; ++i) {
      under_way_.push_back(waiting_.front());
      is_waiting_.erase(waiting_.front());
      waiting_.pop_front();
    }
    ++number_;
    timeout_ = Time{now.ms + options_.timeout_ms};
    return under_way_;
  }
  // Of the batch that has begun last.
  std::uint64_t number() const { return number_; }
  // Whether an answer is to the batch under way: any other is too late, or a second one.
  bool IsUnderWay(std::uint64_t number) const { return !under_way_.empty() && number == number_; }
  bool IsLate(Time now) const { return !under_way_.empty() && now >= timeout_; }

  // The batch has been answered: takes its users out.
  std::vector<UserId> End() {
    failures_ = 0;
    retry_at_ = Time{-kMaxTimeMs};
    return std::exchange(under_way_, {});
  }
  // It has failed: they wait again.
  void Fail(Time now) {
    retry_at_ = Time{now.ms + backoff_.DelayMs(++failures_)};
    for (const UserId user : std::exchange(under_way_, {})) {
      if (is_waiting_.insert(user).second) waiting_.push_back(user);
    }
  }

  std::size_t waiting() const { return waiting_.size(); }

  void Clear() {
    waiting_.clear();
    is_waiting_.clear();
    under_way_.clear();
  }

  Time next_event() const {
    if (!under_way_.empty()) return timeout_;
    return waiting_.empty() ? kNever : retry_at_;
  }

 private:
  const Options options_;
  Backoff backoff_;
  std::deque<UserId> waiting_;
  absl::flat_hash_set<UserId> is_waiting_;
  std::vector<UserId> under_way_;
  std::uint64_t number_ = 0;
  Time timeout_ = kNever;
  Time retry_at_{-kMaxTimeMs};
  std::uint32_t failures_ = 0;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_USER_QUERIES_H_
