#ifndef BENCHMARKS_SCENARIOS_NODE_SESSIONS_H_
#define BENCHMARKS_SCENARIOS_NODE_SESSIONS_H_

#include <cstdint>

#include "benchmarks/capacity/load.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/node_side.h"

namespace scenarios {

/// What some sessions that end, and begin anew, make nodes send and ask, while the others go on.
struct NodeSessions {
  std::uint64_t count = 0;
  Traffic ending;
  /// From the connect, which bears a location, until all has been said: nobody else sends anything.
  Traffic beginning;
  std::uint64_t lookups = 0;  ///< Users looked up in the directory, in both.
  std::uint64_t reads = 0;    ///< Users read from the location store.
};

/// Ends the sessions of `churn_percent` of all users, lets the others report for two rounds, so
/// that what was subscribed to for these is given up, and begins them anew.
NodeSessions MeasureNodeSessions(const Flags& flags, capacity::Load* load, NodeSide* side);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_NODE_SESSIONS_H_
