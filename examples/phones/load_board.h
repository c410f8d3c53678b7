#ifndef EXAMPLES_PHONES_LOAD_BOARD_H_
#define EXAMPLES_PHONES_LOAD_BOARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "nearby/ids.h"

namespace phones {

/// When a load begins to send and to count, and when it ends; by the phones' clock.
struct LoadTimes {
  static constexpr std::int64_t kNotYet = std::numeric_limits<std::int64_t>::max();

  std::int64_t send_from_us = kNotYet;
  std::int64_t count_from_us = kNotYet;
  std::int64_t end_us = kNotYet;
};

/// What the drivers of a load share: who drives which phone, when, and which phone's last report
/// has not been heard of yet by all friends who see it. The users are numbered from 1.
///
/// Thread-safe. Where several drivers hear of one phone at the same moment, one of them may be
/// missed or counted twice: then the phone reports anew a little late or early.
class LoadBoard {
 public:
  struct Seat {
    std::size_t driver = 0;
    std::size_t phone = 0;  ///< Its number with that driver.
  };

  LoadBoard(std::size_t phones, std::size_t drivers) : drivers_(drivers), entries_(phones) {}

  std::size_t phones() const { return entries_.size(); }
  std::size_t drivers() const { return drivers_; }
  /// How many phones a driver has.
  std::size_t PhonesOf(std::size_t driver) const {
    return phones() / drivers_ + (driver < phones() % drivers_ ? 1 : 0);
  }
  nearby::UserId UserAt(Seat seat) const { return nearby::UserId{IndexAt(seat) + 1}; }
  /// None if the user has no phone.
  std::optional<Seat> Find(nearby::UserId user) const {
    const std::uint64_t index = nearby::ToInt(user) - 1;
    if (index >= phones()) return std::nullopt;
    return Seat{static_cast<std::size_t>(index) % drivers_,
                static_cast<std::size_t>(index) / drivers_};
  }

  /// Once, from any thread.
  void Start(const LoadTimes& times) {
    end_us_.store(times.end_us);
    count_from_us_.store(times.count_from_us);
    send_from_us_.store(times.send_from_us);
  }
  LoadTimes times() const { return {send_from_us_.load(), count_from_us_.load(), end_us_.load()}; }

  /// The phone has sent a report, and waits until all who see it have heard of it.
  void Await(Seat seat, std::int64_t sent_us) {
    Entry& entry = At(seat);
    entry.heard.store(0, std::memory_order_relaxed);
    entry.awaited_us.store(sent_us, std::memory_order_relaxed);
  }
  /// When the report was sent that the phone waits for; 0 if it waits for none.
  std::int64_t AwaitedBy(Seat seat) const {
    return entries_[IndexAt(seat)].awaited_us.load(std::memory_order_relaxed);
  }

  /// A friend sees the phone from now on.
  void Enter(Seat seat) { At(seat).viewers.fetch_add(1, std::memory_order_relaxed); }
  /// A friend sees it no longer. Whether its waiting has an end by that.
  bool Leave(Seat seat) {
    At(seat).viewers.fetch_sub(1, std::memory_order_relaxed);
    return EndIfHeard(&At(seat), AwaitedBy(seat));
  }
  /// A friend has heard of a report. Whether the phone's waiting has an end by that.
  bool Hear(Seat seat, std::int64_t sent_us) {
    Entry& entry = At(seat);
    if (entry.awaited_us.load(std::memory_order_relaxed) != sent_us) return false;
    entry.heard.fetch_add(1, std::memory_order_relaxed);
    return EndIfHeard(&entry, sent_us);
  }

 private:
  struct Entry {
    std::atomic<std::int64_t> awaited_us{0};
    std::atomic<std::int32_t> heard{0};    // friends, of that report
    std::atomic<std::int32_t> viewers{0};  // friends who see the phone
  };

  std::size_t IndexAt(Seat seat) const { return seat.phone * drivers_ + seat.driver; }
  Entry& At(Seat seat) { return entries_[IndexAt(seat)]; }

  static bool EndIfHeard(Entry* entry, std::int64_t sent_us) {
    const std::int32_t heard = entry->heard.load(std::memory_order_relaxed);
    return sent_us != 0 && heard > 0 && heard >= entry->viewers.load(std::memory_order_relaxed) &&
           entry->awaited_us.compare_exchange_strong(sent_us, 0, std::memory_order_relaxed);
  }

  const std::size_t drivers_;
  std::atomic<std::int64_t> send_from_us_{LoadTimes::kNotYet};
  std::atomic<std::int64_t> count_from_us_{LoadTimes::kNotYet};
  std::atomic<std::int64_t> end_us_{LoadTimes::kNotYet};
  std::vector<Entry> entries_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOAD_BOARD_H_
