#include "examples/echo_server/user_rate_limit.h"

#include <cstdlib>

namespace echo_server {
namespace {

constexpr absl::Duration kSweepInterval = absl::Seconds(1);

}  // namespace

absl::Duration UserRateLimit::Take(nearby::UserId user, nearby::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = buckets_.find(user);
  if (found == buckets_.end()) {
    if (buckets_.size() >= options_.max_users && !MakeRoom(now)) return kSweepInterval;
    found = buckets_.emplace(user, RateBucket(options_.limit, now)).first;
  }
  RateBucket& bucket = found->second;
  if (bucket.Take(options_.limit, now)) return absl::ZeroDuration();
  return bucket.Wait(options_.limit);
}

bool UserRateLimit::MakeRoom(nearby::Time now) {
  // Now and then, because a flood of newcomers would make each of them pay for all. The distance,
  // because the clock may be set back.
  if (absl::Milliseconds(std::abs(now.ms - swept_at_.ms)) < kSweepInterval) return false;
  swept_at_ = now;
  absl::erase_if(buckets_,
                 [&](const auto& entry) { return entry.second.IsFull(options_.limit, now); });
  return buckets_.size() < options_.max_users;
}

}  // namespace echo_server
