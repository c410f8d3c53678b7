#ifndef NEARBY_TESTING_SIMULATED_RING_SOURCE_H_
#define NEARBY_TESTING_SIMULATED_RING_SOURCE_H_

#include <memory>

#include "absl/status/status.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"
#include "nearby/testing/simulated_faults.h"

namespace nearby {

class SimulatedRings;
class SimulatedRingView;

/// Where the ring of a simulated world is decided. Each node hears of it through its own
/// SimulatedRingSource, sooner or later (`SimulatedFaultOptions::Ring`).
///
/// A ring takes 50 to 100 ms to make, and is immutable: a test makes those it needs once, and uses
/// them for all its seeds.
///
/// Thread-compatible. Borrows the faults, which must outlive it; must outlive its sources, and
/// every Step of the simulation. Shares the rings.
class NEARBY_API SimulatedRingAuthority {
 public:
  explicit SimulatedRingAuthority(SimulatedFaults* faults);
  ~SimulatedRingAuthority();
  SimulatedRingAuthority(const SimulatedRingAuthority&) = delete;
  SimulatedRingAuthority& operator=(const SimulatedRingAuthority&) = delete;

  /// `InvalidArgument` for null; `FailedPrecondition` if its version is not above that of the ring
  /// held.
  absl::Status Set(RingSource::Ring ring);
  const RingSource::Ring& ring() const;

  /// What the options do at random, done at will: the node hears of nothing; and then, as soon as
  /// news travel, of the newest.
  void LoseTouch(NodeId node);
  void RegainTouch(NodeId node);

  /// Whether every source knows the newest ring.
  bool all_know() const;

 private:
  friend class SimulatedRingSource;
  std::unique_ptr<SimulatedRings> rings_;
};

/// What a node of a simulated world knows of the ring.
///
///   SimulatedRingAuthority authority(&faults);
///   SimulatedRingSource source(&authority, NodeId{1});
///   absl::Status status = authority.Set(ring);
///
/// Keeps the contract of `RingSource` whatever goes wrong, but for thread safety (5). Watchers are
/// called in actions of the simulation, never before Watch returns. A source knows nothing at
/// first: a node that restarts learns the ring anew.
///
/// Thread-compatible: one thread for the whole world. Borrows the authority, which must outlive it.
class NEARBY_API SimulatedRingSource : public RingSource {
 public:
  SimulatedRingSource(SimulatedRingAuthority* authority, NodeId node);
  ~SimulatedRingSource() override;

  std::unique_ptr<Watcher> Watch(Changed changed) override;

  /// The node is gone: no watcher is called any more.
  void Crash();

  /// What it knows; null at first.
  const Ring& ring() const;

 private:
  class NEARBY_LOCAL Watching;
  SimulatedRings* rings_;
  std::shared_ptr<SimulatedRingView> view_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_RING_SOURCE_H_
