#include "benchmarks/capacity/flag_values.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"

namespace capacity {

absl::Status ForEachFlag(
    absl::Span<const char* const> arguments,
    absl::FunctionRef<absl::Status(absl::string_view name, absl::string_view value)> set) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view name = arguments[i];
    if (!absl::ConsumePrefix(&name, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected argument \"", name, "\""));
    }
    const std::size_t equals = name.find('=');
    absl::string_view value;
    if (equals != absl::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (absl::Status status = set(name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool AsksForHelp(absl::Span<const char* const> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](absl::string_view argument) {
    return argument == "-h" || argument == "--help";
  });
}

absl::Status NoSuchFlag(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat("no such flag: --", name));
}

absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " \"", value, "\": ", wanted, " expected"));
}

absl::Status ParseNumber(absl::string_view name, absl::string_view value, FlagRange range,
                         std::uint64_t* number) {
  // Digits alone: SimpleAtoi would take a sign and white space.
  const bool is_number = !value.empty() &&
                         value.find_first_not_of("0123456789") == absl::string_view::npos &&
                         absl::SimpleAtoi(value, number);
  if (is_number && *number >= range.low && *number <= range.high) return absl::OkStatus();
  return BadValue(name, value, absl::StrCat("a whole number from ", range.low, " to ", range.high));
}

absl::Status SetSwitch(absl::string_view name, absl::string_view value, bool* is_on) {
  if (value != "on" && value != "off") return BadValue(name, value, "\"on\" or \"off\"");
  *is_on = value == "on";
  return absl::OkStatus();
}

absl::Status SetPath(absl::string_view name, absl::string_view value, std::string* path) {
  if (value.empty()) return BadValue(name, value, "a path");
  path->assign(value.data(), value.size());
  return absl::OkStatus();
}

}  // namespace capacity
