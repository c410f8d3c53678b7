#ifndef NEARBY_SRC_CLUSTER_LEASE_STATE_H_
#define NEARBY_SRC_CLUSTER_LEASE_STATE_H_

#include <atomic>
#include <cstdint>
#include <limits>

#include "nearby/session_directory.h"

namespace nearby::internal {

// Until when this node may tell its clients something, and by which of its lives: written by the
// office, read by all shards. Times are those of the steady clock.
//
// Thread-safe, without a lock.
class LeaseState {
 public:
  static constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min();

  void Begin(Epoch life, std::int64_t until_ms) {
    End();
    // The life goes first: whoever sees the new time sees the new life as well, and so nobody takes
    // the new time for one of the old life's.
    life_.store(ToInt(life), std::memory_order_release);
    until_ms_.store(until_ms, std::memory_order_release);
  }
  void Renew(std::int64_t until_ms) { until_ms_.store(until_ms, std::memory_order_release); }
  void End() { until_ms_.store(kLongAgo, std::memory_order_release); }

  // Until when the present life may; long ago if there is none.
  std::int64_t UntilMs() const { return until_ms_.load(std::memory_order_acquire); }
  // Until when that life may; long ago if it is not the present one.
  std::int64_t UntilMs(Epoch life) const {
    const std::int64_t until_ms = UntilMs();
    const bool is_present = life_.load(std::memory_order_acquire) == ToInt(life);
    return is_present ? until_ms : kLongAgo;
  }

 private:
  std::atomic<std::uint64_t> life_{0};
  std::atomic<std::int64_t> until_ms_{kLongAgo};
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_LEASE_STATE_H_
