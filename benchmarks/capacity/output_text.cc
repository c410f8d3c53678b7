#include "benchmarks/capacity/output_text.h"

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace capacity {

absl::Status WriteText(const std::string& path, const std::string& text) {
  const bool is_standard = path == "-";
  std::FILE* file = is_standard ? stdout : std::fopen(path.c_str(), "w");
  if (file != nullptr) {
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if ((is_standard ? std::fflush(file) : std::fclose(file)) == 0 && written) {
      return absl::OkStatus();
    }
  }
  return absl::UnavailableError(absl::StrCat(path, ": cannot write"));
}

}  // namespace capacity
