#ifndef BENCHMARKS_SCENARIOS_RUNTIME_SIDE_H_
#define BENCHMARKS_SCENARIOS_RUNTIME_SIDE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/huge_array.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/trace_clock.h"
#include "nearby/client_sink.h"
#include "nearby/friend_store.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/runtime_options.h"

namespace scenarios {

/// Appends the ids of so many friends of a user who are never online, each once, ascending: drawn
/// from nine times as many as the world has users. A pure function.
void AppendOfflineFriends(const capacity::World& world, std::uint32_t user, std::uint32_t count,
                          std::vector<nearby::UserId>* friends);

/// The world's friendships, as a friend store that answers at once. Everybody lists so many friends
/// who are never online besides.
///
/// Thread-safe. Borrows the world.
class WorldFriendStore : public nearby::FriendStore {
 public:
  explicit WorldFriendStore(const capacity::World& world, std::uint32_t offline_friends = 0)
      : world_(world), offline_friends_(offline_friends) {}

  void List(nearby::UserId user, ListDone done) override;
  /// `Unimplemented`.
  void Edit(const nearby::FriendEdit& edit, EditDone done) override;

 private:
  const capacity::World& world_;
  const std::uint32_t offline_friends_;
};

/// A runtime over a world, driven by its public interface as EngineSide drives an engine: the
/// counterpart with mailboxes, sessions and a client sink in between.
///
/// Thread-compatible. Borrows all that it is given.
class RuntimeSide {
 public:
  /// `sink` is handed every batch. Options are taken as they are.
  RuntimeSide(const capacity::World& world, const nearby::RuntimeOptions& options,
              nearby::ClientSink* sink);

  /// Connects everybody, in the order of their numbers, and polls until all have been answered.
  void ConnectAll();

  /// Hands over these batches, each at its time, and polls after each until nothing is left to do.
  /// Calls and time of it all; what was delivered the sink knows.
  capacity::Served ReportAll(absl::Span<const capacity::Batch> batches);

  /// The reports of a batch, by session. Valid until the next call.
  absl::Span<const nearby::SessionReport> BySession(
      absl::Span<const capacity::TracedReport> reports);

  nearby::Runtime& runtime() { return *runtime_; }
  TraceClock& clock() { return clock_; }
  /// Calls that did not end as they should have.
  std::uint64_t failures() const { return failures_; }

 private:
  const capacity::World& world_;
  WorldFriendStore friends_;
  TraceClock clock_;
  capacity::HugeArray<nearby::SessionId> sessions_;
  std::vector<nearby::SessionReport> reports_;
  std::uint64_t failures_ = 0;
  std::unique_ptr<nearby::Runtime> runtime_;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_RUNTIME_SIDE_H_
