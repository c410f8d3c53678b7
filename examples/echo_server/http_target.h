#ifndef EXAMPLES_ECHO_SERVER_HTTP_TARGET_H_
#define EXAMPLES_ECHO_SERVER_HTTP_TARGET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace echo_server {

/// The target of a request, taken apart: "/v1/users/7?a=b" has the segments "v1", "users" and "7",
/// and one parameter. Plain data.
struct HttpTarget {
  static constexpr std::size_t kMaxBytes = 2048;

  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> parameters;

  /// The value of a parameter, or null if it is absent.
  const std::string* Find(absl::string_view name) const;
};

/// Parts are percent-decoded; in parameters "+" is a space. `InvalidArgument`: too long, no
/// absolute path, a percent sign that does not begin an escape, or a parameter given twice, of
/// which nobody could say which counts.
absl::StatusOr<HttpTarget> ParseTarget(absl::string_view target);

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_HTTP_TARGET_H_
