#ifndef BENCHMARKS_CAPACITY_JSON_OBJECT_H_
#define BENCHMARKS_CAPACITY_JSON_OBJECT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace capacity {

/// Builds one JSON object, member by member. Keys and texts must need no escaping.
///
/// Thread-compatible.
class JsonObject {
 public:
  void Add(absl::string_view key, double value) { AddRaw(key, absl::StrFormat("%.9g", value)); }
  void Add(absl::string_view key, const std::optional<double>& value) {
    value.has_value() ? Add(key, *value) : AddRaw(key, "null");
  }
  void AddCount(absl::string_view key, std::uint64_t value) { AddRaw(key, absl::StrCat(value)); }
  void AddText(absl::string_view key, absl::string_view text) {
    AddRaw(key, absl::StrCat("\"", text, "\""));
  }
  void AddRaw(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&members_, members_.empty() ? "" : ",\n ", "\"", key, "\": ", value);
  }
  std::string ToString() const { return absl::StrCat("{", members_, "}\n"); }

 private:
  std::string members_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_JSON_OBJECT_H_
