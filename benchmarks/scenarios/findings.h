#ifndef BENCHMARKS_SCENARIOS_FINDINGS_H_
#define BENCHMARKS_SCENARIOS_FINDINGS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmarks/capacity/json_object.h"
#include "benchmarks/capacity/text_table.h"

namespace scenarios {

/// What a scenario found out: figures, each with its key in the JSON and its name in the table, and
/// what makes the run void.
///
/// Thread-compatible.
class Findings {
 public:
  void Heading(absl::string_view text) { table_.Heading(text); }
  void Add(absl::string_view key, absl::string_view name, double value) {
    json_.Add(key, value);
    table_.Row(name, value);
  }
  void AddCount(absl::string_view key, absl::string_view name, std::uint64_t value) {
    json_.AddCount(key, value);
    table_.Row(name, absl::StrCat(value));
  }
  void AddText(absl::string_view key, absl::string_view text) { json_.AddText(key, text); }

  /// The run means nothing, for this reason.
  void Void(std::string reason) { voids_.push_back(std::move(reason)); }
  bool is_void() const { return !voids_.empty(); }

  /// For people.
  std::string ToTable() const;
  /// One JSON object, ending in a newline.
  std::string ToJson() const;

 private:
  capacity::JsonObject json_;
  capacity::TextTable table_;
  std::vector<std::string> voids_;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_FINDINGS_H_
