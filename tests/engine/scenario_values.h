#ifndef NEARBY_TESTS_ENGINE_SCENARIO_VALUES_H_
#define NEARBY_TESTS_ENGINE_SCENARIO_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/geo.h"
#include "nearby/options.h"
#include "nearby/stats.h"
#include "nearby/time.h"

namespace nearby::test {

/// What the words of a scenario's commands stand for. All fail with `InvalidArgument`.
template <typename... Words>
absl::Status Malformed(const Words&... words) {
  return absl::InvalidArgumentError(absl::StrCat("malformed command: ", words...));
}

absl::StatusOr<std::uint64_t> ParseCount(absl::string_view text);
/// "500m"
absl::StatusOr<double> ParseMeters(absl::string_view text);
/// "1m30s"
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);
/// "12:00:30.000"
absl::StatusOr<Time> ParseTime(absl::string_view text);

/// The point so many metres along the great circle that leaves `from` in the direction of a letter:
/// N, E, S or W.
LatLng Offset(LatLng from, double meters, char direction);

/// Sets a field of the options by its name.
absl::Status SetOption(absl::string_view name, absl::string_view value, EngineOptions* options);
/// A counter by its name.
absl::StatusOr<std::uint64_t> Counter(const EngineStats& stats, absl::string_view name);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_SCENARIO_VALUES_H_
