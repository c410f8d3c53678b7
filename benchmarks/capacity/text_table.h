#ifndef BENCHMARKS_CAPACITY_TEXT_TABLE_H_
#define BENCHMARKS_CAPACITY_TEXT_TABLE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace capacity {

/// A number with as many digits as can be trusted, its thousands apart.
std::string Rounded(double value);

/// Names and values in two columns, for people.
///
/// Thread-compatible.
class TextTable {
 public:
  void Heading(absl::string_view text);
  void Row(absl::string_view name, const std::string& value);
  void Row(absl::string_view name, double value) { Row(name, Rounded(value)); }
  /// No row where there is no value.
  void Row(absl::string_view name, const std::optional<double>& value) {
    if (value.has_value()) Row(name, *value);
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_TEXT_TABLE_H_
