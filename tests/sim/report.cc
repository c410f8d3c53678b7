#include "tests/sim/report.h"

#include <cinttypes>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace nearby::sim {

void Report::Add(std::uint64_t seed, bool was_right, const World& world) {
  if (!was_right) {
    ++violations_;
    std::printf("seed %" PRIu64 ": %s\n", seed, world.violation().c_str());
  }
  ++seeds_;
  events_ += world.simulation().event_count();
  nodes_ += world.nodes();
  phones_ += world.phones();
  delivered_ += world.delivered();
  crashes_ += world.crashes();
  ring_changes_ += world.ring_changes();
  hash_ = (hash_ ^ world.simulation().hash()) * 0x9FB21C651E98DF25u;
  faults_.Add(world.faults().counts());
  drains_.Add(world.drains());
}

void Report::AddDeath(std::uint64_t seed, const std::string& how) {
  std::printf("seed %" PRIu64 ": %s\n", seed, how.c_str());
  ++violations_;
  ++seeds_;
}

void Report::PrintFaults() const {
  std::printf("faults:\n");
  std::string missing = faults_.Missing();
  const auto print = [](absl::string_view name, std::uint64_t count) {
    if (count != 0) std::printf("  %-36s %10" PRIu64 "\n", std::string(name).c_str(), count);
  };
  faults_.ForEach(print);
  drains_.ForEach([&](absl::string_view name, std::uint64_t count) {
    print(name, count);
    if (count == 0) absl::StrAppend(&missing, missing.empty() ? "" : ", ", name);
  });
  std::printf("never happened: %s\n", missing.empty() ? "none of them" : missing.c_str());
}

void Report::PrintSummary() const {
  std::printf("nodes %" PRIu64 ", phones %" PRIu64 ", deliveries %" PRIu64
              ", nodes crashed %" PRIu64 ", nodes drained %" PRIu64 ", rings changed %" PRIu64 "\n",
              nodes_, phones_, delivered_, crashes_, drains_.begun, ring_changes_);
  std::printf("seeds %" PRIu64 " events %" PRIu64 " violations %" PRIu64 " trace_hash %016" PRIx64
              "\n",
              seeds_, events_, violations_, hash_);
}

}  // namespace nearby::sim
