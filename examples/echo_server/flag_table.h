#ifndef EXAMPLES_ECHO_SERVER_FLAG_TABLE_H_
#define EXAMPLES_ECHO_SERVER_FLAG_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace echo_server {

/// Takes a flag's value; false if it is wrong.
using SetFunction = std::function<bool(absl::string_view value)>;

/// A flag of a command line, and what it does with its value.
struct Flag {
  absl::string_view name;
  absl::string_view wanted;  ///< "a number", for the message about a wrong value; empty: takes none
  SetFunction set;
};

// What most of them do. They borrow what they set.

SetFunction SetTrue(bool* flag);
/// Any text but none.
SetFunction SetText(std::string* text);
/// Texts with commas between them, at least one.
SetFunction SetTexts(std::vector<std::string>* texts);
SetFunction SetNumber(double* number, double min);
/// A millisecond to a year.
SetFunction SetSeconds(absl::Duration* duration);

template <typename Integer>
SetFunction SetInteger(Integer* number, Integer min, Integer max) {
  return [=](absl::string_view value) {
    std::uint64_t parsed = 0;
    if (!absl::SimpleAtoi(value, &parsed) || parsed < static_cast<std::uint64_t>(min) ||
        parsed > static_cast<std::uint64_t>(max)) {
      return false;
    }
    *number = static_cast<Integer>(parsed);
    return true;
  };
}

/// Takes the flag at arguments[*i], "--name value" or "--name=value", and moves *i to its last
/// argument. `InvalidArgument` says what is wrong.
absl::Status TakeFlag(absl::Span<const char* const> arguments, const std::vector<Flag>& flags,
                      std::size_t* i);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_FLAG_TABLE_H_
