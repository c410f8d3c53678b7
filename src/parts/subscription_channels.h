#ifndef NEARBY_SRC_PARTS_SUBSCRIPTION_CHANNELS_H_
#define NEARBY_SRC_PARTS_SUBSCRIPTION_CHANNELS_H_

#include <cstdint>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "nearby/ids.h"
#include "nearby/subscription_registry.h"
#include "nearby/time.h"

namespace nearby {

/// The channels that a registry is subscribed to, and which of them have had no listener since
/// when.
///
/// Idle channels are kept exactly: one that finds a listener is taken out of the order at once, not
/// left to be skipped later, so a channel that flaps takes no more memory than one that does not.
///
/// Thread-compatible. Cost: O(1) while a channel has listeners, O(log idle channels) when it loses
/// the last or finds the first.
class SubscriptionRegistry::Channels {
 public:
  explicit Channels(absl::Duration delay);

  /// False if the channel is subscribed already.
  bool Subscribe(Slot channel);
  bool is_subscribed(Slot channel) const { return idle_until_.contains(channel); }

  /// The channel, if subscribed, has no listener from `now` on; no effect if that was so before.
  void SetIdle(Slot channel, Time now);
  /// The channel, subscribed or not, has a listener.
  void SetBusy(Slot channel);
  bool is_idle(Slot channel) const;

  /// Unsubscribes the channel whose delay ended first, if it did so by `now`.
  bool PopIdle(Time now, Slot* channel);
  Time next_idle_check() const;
  /// Unsubscribes.
  void Forget(Slot channel);

 private:
  std::int64_t delay_ms_;
  absl::flat_hash_map<Slot, Time> idle_until_;  // each subscribed channel; kNever while it is busy
  std::set<std::pair<std::int64_t, Slot>> idle_;  // those not busy, by milliseconds
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SUBSCRIPTION_CHANNELS_H_
