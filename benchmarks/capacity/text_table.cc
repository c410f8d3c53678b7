#include "benchmarks/capacity/text_table.h"

#include <cmath>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace capacity {

std::string Rounded(double value) {
  if (std::fabs(value) < 1'000) return absl::StrFormat("%.4g", value);
  std::string text = absl::StrFormat("%.0f", value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

void TextTable::Heading(absl::string_view text) { absl::StrAppend(&text_, "\n", text, "\n"); }

void TextTable::Row(absl::string_view name, const std::string& value) {
  absl::StrAppendFormat(&text_, "  %-44s %20s\n", name, value);
}

}  // namespace capacity
