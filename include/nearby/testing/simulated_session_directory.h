#ifndef NEARBY_TESTING_SIMULATED_SESSION_DIRECTORY_H_
#define NEARBY_TESTING_SIMULATED_SESSION_DIRECTORY_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"
#include "nearby/testing/simulated_backend.h"

namespace nearby {

class SimulatedCalls;

/// One node's way to a session directory that the nodes of a simulated world share: it takes time,
/// and fails as `SimulatedFaultOptions::sessions` says.
///
/// A call takes effect at one instant between its beginning and its answer, drawn at random; a
/// batch as well, or, if the options say so, each user at an instant of its own (a Claim is never
/// split). So it stays linearizable, whatever goes wrong.
///
/// With all faults off it keeps the contract of `SessionDirectory`, but for thread safety (3). Lost
/// answers break clause 1; nothing else here breaks any, but a drift of the nodes' clocks breaks 6.
///
/// Thread-compatible: one thread for the whole world. Borrows the backend and the store behind it,
/// which must complete its calls before they return; both must outlive every Step of the
/// simulation.
class NEARBY_API SimulatedSessionDirectory : public SessionDirectory {
 public:
  SimulatedSessionDirectory(SimulatedBackend* backend, SessionDirectory* behind, NodeId node);
  /// As Crash. Answers that have not come are destroyed uncalled.
  ~SimulatedSessionDirectory() override;

  void BeginLease(NodeId node, absl::Duration duration, LeaseDone done) override;
  void RenewLease(const NodeLease& lease, absl::Duration duration, Done done) override;
  void EndLease(const NodeLease& lease, Done done) override;
  void Claim(const NodeLease& lease, absl::Span<const UserId> users, ClaimDone done) override;
  void Release(const NodeLease& lease, absl::Span<const Session> sessions, Done done) override;
  void Lookup(absl::Span<const UserId> users, LookupDone done) override;
  void FindEnded(absl::Span<const NodeLease> leases, EndedDone done) override;
  std::size_t max_holders() const override { return behind_->max_holders(); }

  /// The node is gone: no answer reaches it any more. Calls under way may or may not be carried
  /// out, each by chance; later ones are not, and are not answered either. What was to be called is
  /// kept until the store is destroyed: destroying it may set off a completion of the node's own.
  void Crash();

 private:
  SessionDirectory* behind_;
  std::unique_ptr<SimulatedCalls> calls_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_SESSION_DIRECTORY_H_
