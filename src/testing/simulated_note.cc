#include "nearby/testing/simulated_note.h"

namespace nearby {

const char* ToString(SimulatedNote note) {
  switch (note) {
    case SimulatedNote::kFault:
      return "fault";
    case SimulatedNote::kStoreFault:
      return "store fault";
    case SimulatedNote::kPublish:
      return "publish";
    case SimulatedNote::kSubscribe:
      return "subscribe";
    case SimulatedNote::kUnsubscribe:
      return "unsubscribe";
    case SimulatedNote::kMessage:
      return "message";
    case SimulatedNote::kLinkLost:
      return "link lost";
    case SimulatedNote::kCompletion:
      return "completion";
    case SimulatedNote::kStoreCall:
      return "store call";
    case SimulatedNote::kStoreAnswer:
      return "store answer";
    case SimulatedNote::kRing:
      return "ring";
  }
  return "?";
}

}  // namespace nearby
