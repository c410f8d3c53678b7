#ifndef NEARBY_SRC_CLUSTER_LEASE_STATE_H_
#define NEARBY_SRC_CLUSTER_LEASE_STATE_H_

#include <atomic>
#include <cstdint>

#include "nearby/time.h"

namespace nearby::internal {

// Until when this node may tell its clients something: written by the office, read by all shards.
// Before the present lease's gateways are told of it, it may be of the next lease already; a
// gateway that has lost its lease tells nobody anything until it has been given another.
//
// Thread-safe.
class LeaseState {
 public:
  Time deliver_until() const { return Time{deliver_until_ms_.load(std::memory_order_acquire)}; }
  void SetDeliverUntil(Time until) { deliver_until_ms_.store(until.ms, std::memory_order_release); }

 private:
  std::atomic<std::int64_t> deliver_until_ms_{-kMaxTimeMs};
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_LEASE_STATE_H_
