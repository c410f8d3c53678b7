#include "benchmarks/scenarios/findings.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace scenarios {

std::string Findings::ToTable() const {
  std::string text = table_.text();
  for (const std::string& reason : voids_) absl::StrAppend(&text, "\nVOID: ", reason, "\n");
  return text;
}

std::string Findings::ToJson() const {
  capacity::JsonObject json = json_;
  json.AddRaw("void", is_void() ? "true" : "false");
  return json.ToString();
}

}  // namespace scenarios
