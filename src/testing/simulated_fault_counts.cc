#include "nearby/testing/simulated_fault_counts.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace nearby {
namespace {

constexpr const char* kFaultNames[] = {
    "inline_completion",  "message_delayed",
    "message_dropped",    "message_duplicated",
    "message_reordered",  "message_lost",
    "completion_delayed", "publish_refused",
    "publish_unknown",    "subscribe_refused",
    "subscribe_unknown",  "link_broken",
    "link_partitioned",   "link_partitioned_one_way",
    "link_healed",        "link_timed_out",
    "link_overflowed",    "link_loss_told",
    "server_crashed",     "server_restarted",
    "node_crashed",       "ring_delayed",
    "ring_skipped",       "ring_out_of_touch",
    "clock_shifted",      "clock_drifted",
};
static_assert(std::size(kFaultNames) == kSimulatedFaults);
static_assert(static_cast<std::size_t>(SimulatedFault::kClockDrifted) + 1 == kSimulatedFaults);

constexpr const char* kStoreNames[] = {"locations", "friends", "history", "sessions"};
static_assert(std::size(kStoreNames) == kSimulatedStores);

constexpr const char* kStoreFaultNames[] = {
    "inline_completion", "answer_delayed",    "call_failed",  "call_unknown", "call_unreachable",
    "answer_cut_off",    "answer_lost",       "batch_split",  "read_stale",   "outage",
    "partition",         "partition_one_way", "node_crashed",
};
static_assert(std::size(kStoreFaultNames) == kSimulatedStoreFaults);
static_assert(static_cast<std::size_t>(SimulatedStoreFault::kNodeCrashed) + 1 ==
              kSimulatedStoreFaults);

bool CanBe(SimulatedStore store, SimulatedStoreFault fault) {
  if (fault == SimulatedStoreFault::kReadStale) return store == SimulatedStore::kLocations;
  return fault != SimulatedStoreFault::kBatchSplit || store != SimulatedStore::kFriends;
}

}  // namespace

const char* ToString(SimulatedFault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }
const char* ToString(SimulatedStore store) { return kStoreNames[static_cast<std::size_t>(store)]; }
const char* ToString(SimulatedStoreFault fault) {
  return kStoreFaultNames[static_cast<std::size_t>(fault)];
}

void SimulatedFaultCounts::ForEach(
    absl::FunctionRef<void(absl::string_view name, std::uint64_t count)> each) const {
  for (std::size_t i = 0; i < kSimulatedFaults; ++i) each(kFaultNames[i], faults_[i]);
  for (std::size_t store = 0; store < kSimulatedStores; ++store) {
    for (std::size_t i = 0; i < kSimulatedStoreFaults; ++i) {
      if (!CanBe(static_cast<SimulatedStore>(store), static_cast<SimulatedStoreFault>(i))) continue;
      each(absl::StrCat(kStoreNames[store], ".", kStoreFaultNames[i]), of_stores_[store][i]);
    }
  }
}

void SimulatedFaultCounts::Add(const SimulatedFaultCounts& other) {
  for (std::size_t i = 0; i < kSimulatedFaults; ++i) faults_[i] += other.faults_[i];
  for (std::size_t store = 0; store < kSimulatedStores; ++store) {
    for (std::size_t i = 0; i < kSimulatedStoreFaults; ++i) {
      of_stores_[store][i] += other.of_stores_[store][i];
    }
  }
}

std::string SimulatedFaultCounts::Missing() const {
  std::string missing;
  ForEach([&missing](absl::string_view name, std::uint64_t count) {
    if (count == 0) absl::StrAppend(&missing, missing.empty() ? "" : ", ", name);
  });
  return missing;
}

}  // namespace nearby
