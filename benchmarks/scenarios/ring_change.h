#ifndef BENCHMARKS_SCENARIOS_RING_CHANGE_H_
#define BENCHMARKS_SCENARIOS_RING_CHANGE_H_

#include <cstdint>

#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"

namespace scenarios {

/// What nodes are held to.
struct RingPromises {
  std::uint64_t resubscriptions_a_second = 0;
  /// How long a client may hear nothing of a friend in sight, while the friend's pub/sub server is
  /// dead and until all nodes know of another.
  std::int64_t silence_ms = 0;

  /// What they are given.
  static RingPromises Of(const Flags& flags);
};

/// MeasureRingChange, held to other promises than the nodes are given: to see that it fails where
/// they are broken.
Findings MeasureRingChange(const Flags& flags, const RingPromises& promises);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_RING_CHANGE_H_
