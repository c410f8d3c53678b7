#include "src/parts/subscription_channels.h"

#include <algorithm>
#include <cstdint>

namespace nearby {

SubscriptionRegistry::Channels::Channels(absl::Duration delay, internal::SlotLines* lines)
    // The upper bound keeps the sum with any valid time from overflowing.
    : delay_ms_(std::clamp(absl::ToInt64Milliseconds(delay), std::int64_t{0}, kMaxTimeMs)),
      lines_(*lines) {}

bool SubscriptionRegistry::Channels::Subscribe(Slot channel) {
  if (is_subscribed(channel)) return false;
  lines_[channel].row.channel = State::kBusy;
  return true;
}

void SubscriptionRegistry::Channels::SetIdle(Slot channel, Time now) {
  if (StateOf(channel) != State::kBusy) return;
  lines_[channel].row.channel = State::kIdle;
  const Time until{now.ms + delay_ms_};
  idle_until_.emplace(channel, until);
  idle_.emplace(until.ms, channel);
}

void SubscriptionRegistry::Channels::SetBusy(Slot channel) {
  if (!is_idle(channel)) return;
  lines_[channel].row.channel = State::kBusy;
  const auto it = idle_until_.find(channel);
  idle_.erase({it->second.ms, channel});
  idle_until_.erase(it);
}

bool SubscriptionRegistry::Channels::PopIdle(Time now, Slot* channel) {
  if (idle_.empty() || next_idle_check() > now) return false;
  *channel = idle_.begin()->second;
  Forget(*channel);
  return true;
}

Time SubscriptionRegistry::Channels::next_idle_check() const {
  return idle_.empty() ? kNever : Time{idle_.begin()->first};
}

void SubscriptionRegistry::Channels::Forget(Slot channel) {
  if (!is_subscribed(channel)) return;
  SetBusy(channel);
  lines_[channel].row.channel = State::kNone;
}

}  // namespace nearby
