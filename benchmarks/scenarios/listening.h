#ifndef BENCHMARKS_SCENARIOS_LISTENING_H_
#define BENCHMARKS_SCENARIOS_LISTENING_H_

#include <cstdint>
#include <functional>

#include "benchmarks/capacity/world.h"

namespace scenarios {

/// What nodes subscribe to if every client's node listens to the channels of these friends, one
/// subscription for each channel and node, those of friends on the same node left out. Nothing is
/// run: it is counted.
struct Listening {
  std::uint64_t subscriptions = 0;  ///< Of all nodes.
  /// Mean of those that come with one client, and go with them: nobody else on the node has them.
  double per_client = 0;
};

/// Of the world's friends alone, who are all online, and with so many besides who never are.
Listening CountListening(const capacity::World& world, std::uint32_t nodes,
                         const std::function<std::uint32_t(std::uint32_t user)>& node_of,
                         std::uint32_t offline_friends);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_LISTENING_H_
