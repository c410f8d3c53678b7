#ifndef BENCHMARKS_SCENARIOS_RING_CHANGE_H_
#define BENCHMARKS_SCENARIOS_RING_CHANGE_H_

#include <cstdint>

#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"

namespace scenarios {

/// MeasureRingChange, held to another pace than the one that the nodes are given: to see that it
/// fails where they are too fast.
Findings MeasureRingChange(const Flags& flags, std::uint64_t allowed_a_second);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_RING_CHANGE_H_
