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
#include "src/base/slot_lines.h"

namespace nearby {

/// The channels that a registry is subscribed to, and which of them have had no listener since
/// when.
///
/// Idle channels are kept exactly: one that finds a listener is taken out of the order at once, not
/// left to be skipped later, so a channel that flaps takes no more memory than one that does not.
///
/// Thread-compatible. What a channel is to the registry lies in the line of its slot; memory of its
/// own is taken for idle ones alone. Cost: O(1) while a channel has listeners, O(log idle channels)
/// when it loses the last or finds the first.
class SubscriptionRegistry::Channels {
 public:
  /// The lines must outlive it.
  Channels(absl::Duration delay, internal::SlotLines* lines);

  /// False if the channel is subscribed already. Requires that the slot has a line.
  bool Subscribe(Slot channel);
  bool is_subscribed(Slot channel) const { return StateOf(channel) != State::kNone; }

  /// The channel, if subscribed, has no listener from `now` on; no effect if that was so before.
  void SetIdle(Slot channel, Time now);
  /// The channel, subscribed or not, has a listener.
  void SetBusy(Slot channel);
  bool is_idle(Slot channel) const { return StateOf(channel) == State::kIdle; }

  /// Unsubscribes the channel whose delay ended first, if it did so by `now`.
  bool PopIdle(Time now, Slot* channel);
  Time next_idle_check() const;
  /// Unsubscribes.
  void Forget(Slot channel);

 private:
  using State = internal::SlotLine::Channel;

  State StateOf(Slot channel) const {
    return lines_.Has(channel) ? lines_[channel].row.channel : State::kNone;
  }

  const std::int64_t delay_ms_;
  internal::SlotLines& lines_;
  absl::flat_hash_map<Slot, Time> idle_until_;    // those idle
  std::set<std::pair<std::int64_t, Slot>> idle_;  // the same, by milliseconds
};

}  // namespace nearby

#endif  // NEARBY_SRC_PARTS_SUBSCRIPTION_CHANNELS_H_
