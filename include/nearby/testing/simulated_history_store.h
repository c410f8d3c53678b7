#ifndef NEARBY_TESTING_SIMULATED_HISTORY_STORE_H_
#define NEARBY_TESTING_SIMULATED_HISTORY_STORE_H_

#include <memory>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/history_store.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_backend.h"

namespace nearby {

class SimulatedCalls;

/// One node's way to a history store that the nodes of a simulated world share: it takes time, and
/// fails as `SimulatedFaultOptions::history` says.
///
/// A batch is appended, and a history read, at one instant between the call and its answer; or, if
/// the options say so, each location of the batch at an instant of its own.
///
/// With all faults off it keeps the contract of `HistoryStore`, but for thread safety (3). Lost
/// answers break clause 1; nothing else breaks any.
///
/// Thread-compatible: one thread for the whole world. Borrows the backend and the store behind it,
/// which must complete its calls before they return; both must outlive every Step of the
/// simulation.
class NEARBY_API SimulatedHistoryStore : public HistoryStore {
 public:
  SimulatedHistoryStore(SimulatedBackend* backend, HistoryStore* behind, NodeId node);
  /// As Crash. Answers that have not come are destroyed uncalled.
  ~SimulatedHistoryStore() override;

  void Append(absl::Span<const AcceptedLocation> locations, Done done) override;
  void Read(const Query& query, ReadDone done) override;

  /// The node is gone: no answer reaches it any more. Calls under way may or may not be carried
  /// out, each by chance; later ones are not, and are not answered either. What was to be called is
  /// kept until the store is destroyed: destroying it may set off a completion of the node's own.
  void Crash();

 private:
  HistoryStore* behind_;
  std::unique_ptr<SimulatedCalls> calls_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_HISTORY_STORE_H_
