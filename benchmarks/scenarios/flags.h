#ifndef BENCHMARKS_SCENARIOS_FLAGS_H_
#define BENCHMARKS_SCENARIOS_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace scenarios {

/// Where users are at home.
enum class Placement : std::uint8_t {
  kRegion,  ///< Where they live.
  kHash,    ///< By their ids.
  kApart,   ///< Where they live, and nobody has friends at home elsewhere.
};

/// What the command line of nearby_scenarios asks for, besides the scenario.
struct Flags {
  std::uint32_t users = 100'000;
  std::uint32_t friends = 40;
  bool skipping = true;
  std::uint32_t batch = 1'024;
  std::uint32_t chunk = 50'000;
  std::uint32_t repetitions = 9;
  std::uint32_t warmup_rounds = 2;
  std::uint64_t seed = 1;

  std::uint32_t whales = 10;
  std::uint32_t whale_friends = 5'000;
  std::uint32_t storm_percent = 50;
  std::uint32_t churn_percent = 1;
  std::uint32_t arrival_s = 600;
  std::uint32_t minutes = 10;
  std::uint32_t rate = 334'000;
  std::uint32_t seconds = 10;
  std::uint32_t shards = 2;
  std::uint32_t nodes = 0;  ///< 0: what the scenario has by default.
  std::uint32_t pace = 500;
  Placement placement = Placement::kRegion;
  std::uint32_t reports_per_churn = 1'000;

  std::string json;  ///< Empty: none is written.
};

/// As the command line has it.
absl::string_view NameOf(Placement placement);

/// Reads the arguments behind the scenario's name: "--name value" or "--name=value". The last of
/// several wins. `InvalidArgument` says what is wrong.
absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments);

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_FLAGS_H_
