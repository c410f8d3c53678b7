#ifndef EXAMPLES_ECHO_SERVER_USER_RATE_LIMIT_H_
#define EXAMPLES_ECHO_SERVER_USER_RATE_LIMIT_H_

#include <cstddef>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "examples/echo_server/rate_limit.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace echo_server {

/// Holds each user to a rate limit, whatever connections their requests come by.
///
///   UserRateLimit limit(options);
///   const absl::Duration wait = limit.Take(user, now);
///   if (wait > absl::ZeroDuration()) return Refuse(wait);
///
/// Of whom it knows nothing it takes the bucket to be full, and so it forgets a user only once
/// their bucket is: who acts for many users cannot have a bucket forgotten that they have emptied.
///
/// Thread-safe.
/// Cost: O(1), under one lock; when there are `max_users`, once a second O(max_users). Some 50
/// bytes a user.
class UserRateLimit {
 public:
  struct Options {
    RateLimit limit;
    /// Users whose buckets are not full, at once; further users are refused.
    std::size_t max_users = 100'000;
  };

  explicit UserRateLimit(const Options& options) : options_(options) {}

  /// Zero if one more request of the user fits; it then counts. Otherwise how long to wait.
  absl::Duration Take(nearby::UserId user, nearby::Time now);

 private:
  // Forgets whose buckets are full; whether there is room for one more.
  bool MakeRoom(nearby::Time now);

  const Options options_;
  std::mutex mutex_;
  absl::flat_hash_map<nearby::UserId, RateBucket> buckets_;
  nearby::Time swept_at_;  // when MakeRoom looked at all buckets
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_USER_RATE_LIMIT_H_
