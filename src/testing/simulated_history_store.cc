#include "nearby/testing/simulated_history_store.h"

#include <utility>
#include <vector>

#include "src/testing/simulated_calls.h"

namespace nearby {

SimulatedHistoryStore::SimulatedHistoryStore(SimulatedBackend* backend, HistoryStore* behind,
                                             NodeId node)
    : behind_(behind), calls_(std::make_unique<SimulatedCalls>(backend, node)) {}
SimulatedHistoryStore::~SimulatedHistoryStore() = default;

void SimulatedHistoryStore::Append(absl::Span<const AcceptedLocation> locations, Done done) {
  calls_->MakeBatch(
      std::move(done), locations.size(), absl::OkStatus(),
      [behind = behind_, batch = std::vector<AcceptedLocation>(locations.begin(), locations.end())](
          std::size_t first, std::size_t last, absl::Status* total) {
        behind->Append(absl::MakeConstSpan(batch).subspan(first, last - first),
                       [total](const absl::Status& status) { total->Update(status); });
      });
}

void SimulatedHistoryStore::Read(const Query& query, ReadDone done) {
  calls_->Make<absl::StatusOr<std::vector<AcceptedLocation>>>(
      std::move(done),
      [behind = behind_, query](ReadDone result) { behind->Read(query, std::move(result)); });
}

void SimulatedHistoryStore::Crash() { calls_->Crash(); }

}  // namespace nearby
