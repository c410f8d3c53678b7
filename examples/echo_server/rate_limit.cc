#include "examples/echo_server/rate_limit.h"

#include <algorithm>

namespace echo_server {

bool RateBucket::Take(const RateLimit& limit, nearby::Time now) {
  const double passed_s = static_cast<double>(now.ms - filled_at_.ms) / 1000;
  if (passed_s > 0) tokens_ = std::min(limit.burst, tokens_ + passed_s * limit.per_second);
  filled_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

absl::Duration RateBucket::Wait(const RateLimit& limit) const {
  return absl::Seconds(std::max(0.0, 1 - tokens_) / limit.per_second);
}

}  // namespace echo_server
