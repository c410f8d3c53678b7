#include "benchmarks/capacity/reporter.h"

namespace capacity {

Reporter::Reporter(const World& world, nearby::Time start, std::uint64_t seed)
    : world_(&world),
      start_(start),
      movement_(world, seed),
      order_(world.users(), Mix(seed + 3)),
      times_(world.users()) {}

void Reporter::Make(std::size_t count, const EngineSide& engine) {
  const std::uint64_t users = world_->users();
  users_.clear();
  reports_.clear();
  for (std::size_t i = 0; i < count; ++i, ++made_) {
    // The same order each round, so that everybody reports every 30 s.
    const auto user = static_cast<std::uint32_t>(order_[made_ % users]);
    const auto elapsed = static_cast<std::int64_t>(made_ * kRoundMs / users);
    times_[user] = nearby::Time{start_.ms + elapsed};
    users_.push_back(user);
    reports_.push_back({engine.client(user), movement_.Next(user).ToLatLng(), times_[user]});
  }
}

}  // namespace capacity
