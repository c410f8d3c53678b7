#include "src/parts/subscription_channels.h"

#include <algorithm>
#include <cstdint>

namespace nearby {

SubscriptionRegistry::Channels::Channels(absl::Duration delay)
    // The upper bound keeps the sum with any valid time from overflowing.
    : delay_ms_(std::clamp(absl::ToInt64Milliseconds(delay), std::int64_t{0}, kMaxTimeMs)) {}

bool SubscriptionRegistry::Channels::Subscribe(Slot channel) {
  return idle_until_.try_emplace(channel, kNever).second;
}

void SubscriptionRegistry::Channels::SetIdle(Slot channel, Time now) {
  const auto it = idle_until_.find(channel);
  if (it == idle_until_.end() || it->second != kNever) return;
  it->second = Time{now.ms + delay_ms_};
  idle_.emplace(it->second.ms, channel);
}

void SubscriptionRegistry::Channels::SetBusy(Slot channel) {
  const auto it = idle_until_.find(channel);
  if (it == idle_until_.end() || it->second == kNever) return;
  idle_.erase({it->second.ms, channel});
  it->second = kNever;
}

bool SubscriptionRegistry::Channels::is_idle(Slot channel) const {
  const auto it = idle_until_.find(channel);
  return it != idle_until_.end() && it->second != kNever;
}

bool SubscriptionRegistry::Channels::PopIdle(Time now, Slot* channel) {
  if (next_idle_check() > now || idle_.empty()) return false;
  *channel = idle_.begin()->second;
  idle_.erase(idle_.begin());
  idle_until_.erase(*channel);
  return true;
}

Time SubscriptionRegistry::Channels::next_idle_check() const {
  return idle_.empty() ? kNever : Time{idle_.begin()->first};
}

void SubscriptionRegistry::Channels::Forget(Slot channel) {
  SetBusy(channel);
  idle_until_.erase(channel);
}

}  // namespace nearby
