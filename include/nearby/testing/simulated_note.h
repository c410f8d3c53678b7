#ifndef NEARBY_TESTING_SIMULATED_NOTE_H_
#define NEARBY_TESTING_SIMULATED_NOTE_H_

#include <cstdint>

#include "nearby/export.h"

namespace nearby {

/// What the parts of a simulated world note in its trace (`Simulation::Note`), and what `a` and `b`
/// are then. All are below Simulation::kFirstHostKind.
enum class SimulatedNote : std::uint64_t {
  kFault = 1,    ///< SimulatedFault + 256 * what, who
  kStoreFault,   ///< SimulatedStore * 256 + SimulatedStoreFault, node
  kPublish,      ///< At the server: node, channel's id
  kSubscribe,    ///< At the server: node, channel's id
  kUnsubscribe,  ///< At the server: node, channel's id
  kMessage,      ///< At the receiver: node, channel's id
  kLinkLost,     ///< At the receiver: node, server by number
  kCompletion,   ///< Of a call of a transport: node, status code
  kStoreCall,    ///< At the store: SimulatedStore, node
  kStoreAnswer,  ///< At the node: SimulatedStore * 256 + status code, node
  kRing,         ///< At the watcher: node, version
};

/// Its name; "?" for a kind of the host's.
NEARBY_API const char* ToString(SimulatedNote note);

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_NOTE_H_
