#ifndef EXAMPLES_REPLAY_STATS_JSON_H_
#define EXAMPLES_REPLAY_STATS_JSON_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "examples/replay/replayer.h"

namespace replay {

/// What the whole program cost, reading and writing included.
struct ProgramCost {
  absl::Duration wall;
  std::uint64_t peak_memory_bytes = 0;
};

/// The most memory this process has held at one time, in bytes.
std::uint64_t PeakMemoryBytes();

/// One JSON object, ending in a newline.
std::string ToJson(const ReplayStats& stats, const ProgramCost& cost);

/// The same in a few lines for people.
std::string ToSummary(const ReplayStats& stats, const ProgramCost& cost);

}  // namespace replay

#endif  // EXAMPLES_REPLAY_STATS_JSON_H_
