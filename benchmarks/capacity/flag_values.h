#ifndef BENCHMARKS_CAPACITY_FLAG_VALUES_H_
#define BENCHMARKS_CAPACITY_FLAG_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace capacity {

/// Goes through arguments of the form "--name value" or "--name=value" and hands each to `set`,
/// whose first error it answers. `InvalidArgument` for anything else.
absl::Status ForEachFlag(
    absl::Span<const char* const> arguments,
    absl::FunctionRef<absl::Status(absl::string_view name, absl::string_view value)> set);

/// Whether any of the arguments asks for help.
bool AsksForHelp(absl::Span<const char* const> arguments);

absl::Status NoSuchFlag(absl::string_view name);

/// What is wrong with a value.
absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted);

struct FlagRange {
  std::uint64_t low;
  std::uint64_t high;
};

/// A whole number in a range. `InvalidArgument`.
absl::Status ParseNumber(absl::string_view name, absl::string_view value, FlagRange range,
                         std::uint64_t* number);

template <typename Number>
absl::Status SetNumber(absl::string_view name, absl::string_view value, FlagRange range,
                       Number* number) {
  std::uint64_t parsed = 0;
  const absl::Status status = ParseNumber(name, value, range, &parsed);
  if (status.ok()) *number = static_cast<Number>(parsed);
  return status;
}

/// "on" or "off". `InvalidArgument`.
absl::Status SetSwitch(absl::string_view name, absl::string_view value, bool* is_on);

/// Anything but nothing. `InvalidArgument`.
absl::Status SetPath(absl::string_view name, absl::string_view value, std::string* path);

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_FLAG_VALUES_H_
