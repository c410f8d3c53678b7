#ifndef NEARBY_BENCHMARKS_CAPACITY_DELIVERIES_H_
#define NEARBY_BENCHMARKS_CAPACITY_DELIVERIES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "benchmarks/capacity/random.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace capacity {

/// Where deliveries go: encoded one after the other, as a client sink would write them to its
/// connections. Both sides write through this, so both pay the same for it.
class Deliveries {
 public:
  enum class Kind : std::uint8_t { kEnter, kMove, kLeave };

  struct Delivery {
    nearby::UserId subscriber{};
    nearby::UserId friend_id{};
    Kind kind = Kind::kEnter;
    nearby::Position position;     ///< Not of leaves.
    std::int64_t distance_mm = 0;  ///< The same.
    nearby::Time reported_at;      ///< The same.
  };

  static constexpr std::size_t kBytes = 8 + 8 + 1 + 8 + 4 + 8;

  Deliveries() : buffer_(std::size_t{1} << 18) {}

  void Write(const Delivery& delivery) {
    // Round and round: what has been written has been sent.
    if (at_ + kBytes > buffer_.size()) at_ = 0;
    Put(delivery.subscriber);
    Put(delivery.friend_id);
    Put(delivery.kind);
    Put(delivery.position);
    Put(static_cast<std::uint32_t>(delivery.distance_mm));
    Put(delivery.reported_at);
    ++count_;
    if (is_checking_) Check(delivery);
  }

  std::uint64_t count() const { return count_; }

  /// From here on, sums up what is written, so that two sides can be compared.
  void StartChecking() {
    is_checking_ = true;
    checksum_ = 0;
    checked_ = 0;
    distances_mm_ = 0;
  }
  void StopChecking() { is_checking_ = false; }
  std::uint64_t checked() const { return checked_; }
  /// The same whatever the order: of who, of whom, kind and time.
  std::uint64_t checksum() const { return checksum_; }
  /// The sum. Where a distance is computed otherwise, it may be rounded otherwise.
  std::int64_t distances_mm() const { return distances_mm_; }

 private:
  template <typename T>
  void Put(const T& value) {
    std::memcpy(&buffer_[at_], &value, sizeof(value));
    at_ += sizeof(value);
  }

  void Check(const Delivery& delivery) {
    const std::uint64_t pair = Mix(ToInt(delivery.subscriber) + 3 * Mix(ToInt(delivery.friend_id)));
    const auto what = static_cast<std::uint64_t>(delivery.kind);
    checksum_ +=
        Mix(pair + 5 * Mix(static_cast<std::uint64_t>(delivery.reported_at.ms) * 4 + what));
    distances_mm_ += delivery.distance_mm;
    ++checked_;
  }

  std::vector<unsigned char> buffer_;
  std::size_t at_ = 0;
  std::uint64_t count_ = 0;
  bool is_checking_ = false;
  std::uint64_t checked_ = 0;
  std::uint64_t checksum_ = 0;
  std::int64_t distances_mm_ = 0;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_DELIVERIES_H_
