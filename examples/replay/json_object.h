#ifndef EXAMPLES_REPLAY_JSON_OBJECT_H_
#define EXAMPLES_REPLAY_JSON_OBJECT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace replay {

/// Builds one JSON object, member by member. Keys and texts must need no escaping.
///
/// Thread-compatible.
class JsonObject {
 public:
  void Add(absl::string_view key, std::uint64_t value) { AddRaw(key, absl::StrCat(value)); }
  void Add(absl::string_view key, double value) { AddRaw(key, absl::StrFormat("%.6f", value)); }
  void Add(absl::string_view key, const JsonObject& value) { AddRaw(key, value.ToString()); }
  void AddText(absl::string_view key, absl::string_view text) {
    AddRaw(key, absl::StrCat("\"", text, "\""));
  }

  std::string ToString() const { return absl::StrCat("{", members_, "}"); }

 private:
  void AddRaw(absl::string_view key, absl::string_view value) {
    absl::StrAppend(&members_, members_.empty() ? "" : ", ", "\"", key, "\": ", value);
  }

  std::string members_;
};

}  // namespace replay

#endif  // EXAMPLES_REPLAY_JSON_OBJECT_H_
