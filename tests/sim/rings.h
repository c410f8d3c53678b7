#ifndef NEARBY_TESTS_SIM_RINGS_H_
#define NEARBY_TESTS_SIM_RINGS_H_

#include <vector>

#include "nearby/ring_source.h"

namespace nearby::sim {

/// Rings with two to four servers, each a change from the one before: seats that come, go, and are
/// given another server. They take a while to make: once for all seeds.
std::vector<RingSource::Ring> MakeRings();

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_RINGS_H_
