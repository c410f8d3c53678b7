#ifndef NEARBY_TESTING_SIMULATED_FAULT_COUNTS_H_
#define NEARBY_TESTING_SIMULATED_FAULT_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "nearby/export.h"

namespace nearby {

/// What can go wrong in a simulated world, besides what happens to its stores.
enum class SimulatedFault : std::uint8_t {
  kInlineCompletion,
  kMessageDelayed,
  kMessageDropped,
  kMessageDuplicated,
  kMessageReordered,
  kMessageLost,  ///< With its link: broken, timed out, or its node or server gone.
  kCompletionDelayed,
  kPublishRefused,
  kPublishUnknown,
  kSubscribeRefused,
  kSubscribeUnknown,
  kLinkBroken,
  kLinkPartitioned,
  kLinkPartitionedOneWay,
  kLinkHealed,
  kLinkTimedOut,
  kLinkOverflowed,  ///< More waited on it than it holds.
  kLinkLossTold,
  kServerCrashed,
  kServerRestarted,
  kNodeCrashed,  ///< Its transport: see SimulatedTransport::Crash.
  kRingDelayed,
  kRingSkipped,
  kRingOutOfTouch,
  kClockShifted,
  kClockDrifted,
};
inline constexpr std::size_t kSimulatedFaults = 26;
NEARBY_API const char* ToString(SimulatedFault fault);

/// The stores of a simulated world.
enum class SimulatedStore : std::uint8_t { kLocations, kFriends, kHistory, kSessions };
inline constexpr std::size_t kSimulatedStores = 4;
NEARBY_API const char* ToString(SimulatedStore store);

/// What can go wrong with any of them.
enum class SimulatedStoreFault : std::uint8_t {
  kInlineCompletion,
  kAnswerDelayed,
  kCallFailed,       ///< Without effect, at random.
  kCallUnknown,      ///< With effect, at random.
  kCallUnreachable,  ///< Without effect, for an outage or a partition.
  kAnswerCutOff,  ///< With effect, for an outage or a partition that began meanwhile, or one way.
  kAnswerLost,
  kBatchSplit,  ///< Not of kFriends.
  kReadStale,   ///< Only of kLocations.
  kOutage,
  kPartition,
  kPartitionOneWay,
  kNodeCrashed,
};
inline constexpr std::size_t kSimulatedStoreFaults = 13;
NEARBY_API const char* ToString(SimulatedStoreFault fault);

/// How often what has gone wrong, in one run or over many: so that runs can show that every kind of
/// fault has happened.
///
///   total.Add(faults.counts());
///   EXPECT_EQ(total.Missing(), "");
///
/// A value; thread-compatible.
class NEARBY_API SimulatedFaultCounts {
 public:
  void Count(SimulatedFault fault) { ++faults_[static_cast<std::size_t>(fault)]; }
  void Count(SimulatedStore store, SimulatedStoreFault fault) {
    ++of_stores_[static_cast<std::size_t>(store)][static_cast<std::size_t>(fault)];
  }

  std::uint64_t of(SimulatedFault fault) const { return faults_[static_cast<std::size_t>(fault)]; }
  std::uint64_t of(SimulatedStore store, SimulatedStoreFault fault) const {
    return of_stores_[static_cast<std::size_t>(store)][static_cast<std::size_t>(fault)];
  }

  /// Adds what another run has counted.
  void Add(const SimulatedFaultCounts& other);

  /// Calls `each` for every kind, in one order: "message_dropped", "locations.call_failed". Without
  /// those that cannot be: stale reads of other stores than kLocations, and batches of kFriends.
  void ForEach(absl::FunctionRef<void(absl::string_view name, std::uint64_t count)> each) const;

  /// The names of the kinds that have not happened, with commas.
  std::string Missing() const;

 private:
  std::array<std::uint64_t, kSimulatedFaults> faults_{};
  std::array<std::array<std::uint64_t, kSimulatedStoreFaults>, kSimulatedStores> of_stores_{};
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_FAULT_COUNTS_H_
