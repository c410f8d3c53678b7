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
/// nobody has heard of yet. The users are numbered from 1.
///
/// Thread-safe.
class LoadBoard {
 public:
  struct Seat {
    std::size_t driver = 0;
    std::size_t phone = 0;  ///< Its number with that driver.
  };

  LoadBoard(std::size_t phones, std::size_t drivers) : drivers_(drivers), awaited_(phones) {}

  std::size_t phones() const { return awaited_.size(); }
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

  /// The phone has sent a report and waits until a friend has heard of it.
  void Await(Seat seat, std::int64_t sent_us) {
    awaited_[IndexAt(seat)].store(sent_us, std::memory_order_relaxed);
  }
  /// When the report was sent that the phone waits for; 0 if it waits for none.
  std::int64_t AwaitedBy(Seat seat) const {
    return awaited_[IndexAt(seat)].load(std::memory_order_relaxed);
  }
  /// Somebody has heard of a report. Whether the phone waited for this one, and nobody has said so
  /// before.
  bool Hear(Seat seat, std::int64_t sent_us) {
    std::atomic<std::int64_t>& awaited = awaited_[IndexAt(seat)];
    return awaited.load(std::memory_order_relaxed) == sent_us &&
           awaited.compare_exchange_strong(sent_us, 0, std::memory_order_relaxed);
  }

 private:
  std::size_t IndexAt(Seat seat) const { return seat.phone * drivers_ + seat.driver; }

  const std::size_t drivers_;
  std::atomic<std::int64_t> send_from_us_{LoadTimes::kNotYet};
  std::atomic<std::int64_t> count_from_us_{LoadTimes::kNotYet};
  std::atomic<std::int64_t> end_us_{LoadTimes::kNotYet};
  std::vector<std::atomic<std::int64_t>> awaited_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOAD_BOARD_H_
