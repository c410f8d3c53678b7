#ifndef EXAMPLES_ECHO_SERVER_RATE_LIMIT_H_
#define EXAMPLES_ECHO_SERVER_RATE_LIMIT_H_

#include "absl/time/time.h"
#include "nearby/time.h"

namespace echo_server {

struct RateLimit {
  double per_second = 20;
  double burst = 100;  ///< At once, after a pause; at least 1.
};

/// How much of its rate limit one client has used up: a token bucket.
///
/// Thread-compatible. 16 bytes.
class RateBucket {
 public:
  /// Full.
  RateBucket(const RateLimit& limit, nearby::Time now) : tokens_(limit.burst), filled_at_(now) {}

  /// Whether one more fits; it then counts. Time that goes backward fills nothing.
  bool Take(const RateLimit& limit, nearby::Time now);
  /// After this long one fits again, at the latest.
  absl::Duration Wait(const RateLimit& limit) const;
  /// Whether the client has as much as one who has never come.
  bool IsFull(const RateLimit& limit, nearby::Time now) const {
    return Tokens(limit, now) >= limit.burst;
  }

 private:
  double Tokens(const RateLimit& limit, nearby::Time now) const;

  double tokens_;
  nearby::Time filled_at_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_RATE_LIMIT_H_
