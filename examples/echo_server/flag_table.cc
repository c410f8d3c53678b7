#include "examples/echo_server/flag_table.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "examples/replay/fields.h"

namespace echo_server {

using replay::Quoted;

SetFunction SetTrue(bool* flag) {
  return [flag](absl::string_view) { return *flag = true; };
}

SetFunction SetText(std::string* text) {
  return [text](absl::string_view value) {
    *text = std::string(value);
    return !value.empty();
  };
}

SetFunction SetTexts(std::vector<std::string>* texts) {
  return [texts](absl::string_view value) {
    *texts = absl::StrSplit(value, ',', absl::SkipEmpty());
    return !texts->empty();
  };
}

SetFunction SetNumber(double* number, double min) {
  return
      [=](absl::string_view value) { return replay::ParseNumber(value, number) && *number >= min; };
}

SetFunction SetSeconds(absl::Duration* duration) {
  return [duration](absl::string_view value) {
    constexpr double kYear = 366.0 * 86400;
    double seconds = 0;
    if (!replay::ParseNumber(value, &seconds) || seconds < 0.001 || seconds > kYear) return false;
    *duration = absl::Milliseconds(std::llround(seconds * 1000));
    return true;
  };
}

absl::Status TakeFlag(absl::Span<const char* const> arguments, const std::vector<Flag>& flags,
                      std::size_t* i) {
  absl::string_view name = arguments[*i];
  if (!absl::ConsumePrefix(&name, "--")) {
    return absl::InvalidArgumentError(absl::StrCat("unexpected argument ", Quoted(name)));
  }
  const std::size_t equals = name.find('=');
  const bool has_value = equals != absl::string_view::npos;
  absl::string_view value = has_value ? name.substr(equals + 1) : absl::string_view();
  name = name.substr(0, equals);
  for (const Flag& flag : flags) {
    if (flag.name != name) continue;
    if (flag.wanted.empty()) {
      if (has_value) return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
    } else if (!has_value) {
      if (++*i == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      }
      value = arguments[*i];
    }
    if (flag.set(value)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " ", Quoted(value), ": ", flag.wanted, " expected"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no such flag: ", Quoted(absl::StrCat("--", name))));
}

}  // namespace echo_server
