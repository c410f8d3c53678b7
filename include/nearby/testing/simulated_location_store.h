#ifndef NEARBY_TESTING_SIMULATED_LOCATION_STORE_H_
#define NEARBY_TESTING_SIMULATED_LOCATION_STORE_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/clock.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/location_store.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/time.h"

namespace nearby {

class SimulatedCalls;

/// The location store that the nodes of a simulated world share: an InMemoryLocationStore which
/// remembers for a while what it held before, so that stale reads can be made.
///
/// Thread-compatible. Borrows the clock, which must outlive it. Every call completes before it
/// returns.
/// Cost: that of an InMemoryLocationStore twice over, and the last kRemembered values of each user.
class NEARBY_API SimulatedLocations : public LocationStore {
 public:
  static constexpr std::size_t kRemembered = 16;

  /// The clock is the store's own, and the one by which it remembers.
  explicit SimulatedLocations(const Clock* clock);
  ~SimulatedLocations() override;

  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) override;
  void Read(absl::Span<const UserId> users, ReadDone done) override;
  void Erase(absl::Span<const Erasure> erasures, Done done) override;

  /// What `user` had at that time; or, if more than kRemembered changes were made since, the oldest
  /// that is remembered.
  std::optional<AcceptedLocation> AsOf(UserId user, Time time) const;
  /// By its clock.
  Time now() const;

 private:
  struct NEARBY_LOCAL State;
  std::unique_ptr<State> state_;
};

/// One node's way to a location store that the nodes of a simulated world share: it takes time, and
/// fails as `SimulatedFaultOptions::locations` says.
///
/// A batch takes effect at one instant between its call and its answer, or, if the options say so,
/// each user at an instant of its own. A Read may be stale, if they say that: then each of its
/// users has the location of some instant up to `staleness` before that, as from a replica that
/// lags, or what has expired since.
///
/// With all faults off it keeps the contract of `LocationStore`, but for thread safety (3). Lost
/// answers break clause 1; nothing else breaks any: stale reads are what a cache may do (7), but a
/// caller that counts on reading what it wrote will notice.
///
/// Thread-compatible: one thread for the whole world. Borrows the backend and the store behind it;
/// both must outlive every Step of the simulation.
class NEARBY_API SimulatedLocationStore : public LocationStore {
 public:
  SimulatedLocationStore(SimulatedBackend* backend, SimulatedLocations* behind, NodeId node);
  /// As Crash. Answers that have not come are destroyed uncalled.
  ~SimulatedLocationStore() override;

  void Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl, Done done) override;
  void Read(absl::Span<const UserId> users, ReadDone done) override;
  void Erase(absl::Span<const Erasure> erasures, Done done) override;

  /// The node is gone: no answer reaches it any more. Calls under way may or may not be carried
  /// out, each by chance; later ones are not, and are not answered either. What was to be called is
  /// kept until the store is destroyed: destroying it may set off a completion of the node's own.
  void Crash();

 private:
  SimulatedLocations* behind_;
  std::unique_ptr<SimulatedCalls> calls_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_LOCATION_STORE_H_
