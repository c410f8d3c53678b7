#ifndef BENCHMARKS_CAPACITY_FLAGS_H_
#define BENCHMARKS_CAPACITY_FLAGS_H_

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
  std::uint32_t batch = 1'024;
  std::uint32_t chunk = 200'000;
  std::uint32_t repetitions = 9;
  std::uint32_t warmup_rounds = 12;
  std::uint32_t reconnects = 100'000;
  std::uint32_t reference_users = 0;  ///< 0: no other world beside.
  std::uint64_t seed = 1;
  std::string json;                  ///< Empty: none is written.
  std::string export_dir;            ///< Empty: measure.
  std::uint64_t export_reports = 0;  ///< 0: two rounds.
  bool help = false;
};

/// Reads the arguments, the program's name not among them: "--name value" or "--name=value". The
/// last of several wins. `InvalidArgument` says what is wrong. If help is asked for, nothing else
/// is checked.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

/// What --help prints.
extern const char kHelp[];

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_FLAGS_H_
