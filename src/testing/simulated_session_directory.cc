#include "nearby/testing/simulated_session_directory.h"

#include <utility>
#include <vector>

#include "src/testing/simulated_calls.h"

namespace nearby {
namespace {

// What can be refused before it is divided.
bool IsTooMuch(std::size_t users) { return users > SessionDirectory::kMaxBatch; }

absl::Status TooMuch() { return absl::InvalidArgumentError("a call about too many users"); }

}  // namespace

SimulatedSessionDirectory::SimulatedSessionDirectory(SimulatedBackend* backend,
                                                     SessionDirectory* behind, NodeId node)
    : behind_(behind), calls_(std::make_unique<SimulatedCalls>(backend, node)) {}
SimulatedSessionDirectory::~SimulatedSessionDirectory() = default;

void SimulatedSessionDirectory::BeginLease(NodeId node, absl::Duration duration, LeaseDone done) {
  calls_->Make<absl::StatusOr<Epoch>>(std::move(done),
                                      [behind = behind_, node, duration](LeaseDone result) {
                                        behind->BeginLease(node, duration, std::move(result));
                                      });
}

void SimulatedSessionDirectory::RenewLease(const NodeLease& lease, absl::Duration duration,
                                           Done done) {
  calls_->Make<absl::Status>(std::move(done), [behind = behind_, lease, duration](Done result) {
    behind->RenewLease(lease, duration, std::move(result));
  });
}

void SimulatedSessionDirectory::EndLease(const NodeLease& lease, Done done) {
  calls_->Make<absl::Status>(std::move(done), [behind = behind_, lease](Done result) {
    behind->EndLease(lease, std::move(result));
  });
}

void SimulatedSessionDirectory::Claim(const NodeLease& lease, absl::Span<const UserId> users,
                                      ClaimDone done) {
  calls_->Make<absl::StatusOr<std::vector<Claimed>>>(
      std::move(done),
      [behind = behind_, lease, batch = std::vector<UserId>(users.begin(), users.end())](
          ClaimDone result) { behind->Claim(lease, batch, std::move(result)); });
}

void SimulatedSessionDirectory::Release(const NodeLease& lease, absl::Span<const Session> sessions,
                                        Done done) {
  if (IsTooMuch(sessions.size())) return done(TooMuch());
  calls_->MakeBatch(
      std::move(done), sessions.size(), absl::OkStatus(),
      [behind = behind_, lease, batch = std::vector<Session>(sessions.begin(), sessions.end())](
          std::size_t first, std::size_t last, absl::Status* total) {
        behind->Release(lease, absl::MakeConstSpan(batch).subspan(first, last - first),
                        [total](const absl::Status& status) { total->Update(status); });
      });
}

void SimulatedSessionDirectory::Lookup(absl::Span<const UserId> users, LookupDone done) {
  if (IsTooMuch(users.size())) return done(TooMuch());
  using Found = std::vector<std::vector<SessionHolder>>;
  calls_->MakeBatch(std::move(done), users.size(), absl::StatusOr<Found>(Found()),
                    [behind = behind_, batch = std::vector<UserId>(users.begin(), users.end())](
                        std::size_t first, std::size_t last, absl::StatusOr<Found>* total) {
                      behind->Lookup(absl::MakeConstSpan(batch).subspan(first, last - first),
                                     [total](const absl::StatusOr<Found>& found) {
                                       (*total)->insert((*total)->end(), found->begin(),
                                                        found->end());
                                     });
                    });
}

void SimulatedSessionDirectory::FindEnded(absl::Span<const NodeLease> leases, EndedDone done) {
  calls_->Make<absl::StatusOr<std::vector<NodeLease>>>(
      std::move(done),
      [behind = behind_, batch = std::vector<NodeLease>(leases.begin(), leases.end())](
          EndedDone result) { behind->FindEnded(batch, std::move(result)); });
}

void SimulatedSessionDirectory::Crash() { calls_->Crash(); }

}  // namespace nearby
