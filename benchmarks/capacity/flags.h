#ifndef NEARBY_BENCHMARKS_CAPACITY_FLAGS_H_
#define NEARBY_BENCHMARKS_CAPACITY_FLAGS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace capacity {

/// What the command line of nearby_capacity asks for.
struct Flags {
  std::uint32_t users = 10'000'000;
  std::uint32_t friends = 40;
  std::uint32_t shards = 1;
  bool skipping = true;
  bool baseline = true;
  std::uint32_t batch = 512;
  std::uint32_t warmup = 4;  ///< Rounds in which everybody reports once.
  std::uint32_t repetitions = 9;
  std::uint32_t reports = 200'000;  ///< In each repetition.
  std::uint64_t seed = 1;
  double at_least = 0;  ///< Times the baseline, or the run fails.
  std::string json;
  bool help = false;
};

/// "--name value" or "--name=value". `InvalidArgument` says what is wrong.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kHelp[];

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_FLAGS_H_
