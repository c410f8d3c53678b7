#include "examples/echo_server/rate_limit.h"

#include <algorithm>

namespace echo_server {

bool RateBucket::Take(const RateLimit& limit, nearby::Time now) {
  tokens_ = Tokens(limit, now);
  filled_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

double RateBucket::Tokens(const RateLimit& limit, nearby::Time now) const {
  const double passed_s = std::max(0.0, static_cast<double>(now.ms - filled_at_.ms) / 1000);
  return std::min(limit.burst, tokens_ + passed_s * limit.per_second);
}

absl::Duration RateBucket::Wait(const RateLimit& limit) const {
  return absl::Seconds(std::max(0.0, 1 - tokens_) / limit.per_second);
}

}  // namespace echo_server
