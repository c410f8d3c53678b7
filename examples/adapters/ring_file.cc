#include "examples/adapters/ring_file.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace adapters {
namespace {

using nearby::RingSeat;
using nearby::RingVersion;

absl::Status Wrong(std::size_t line, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", why));
}

absl::StatusOr<RingVersion> ParseVersion(const std::vector<absl::string_view>& words) {
  std::uint64_t version = 0;
  if (words.size() != 2 || !absl::SimpleAtoi(words[1], &version)) {
    return absl::InvalidArgumentError("\"version NUMBER\" expected");
  }
  return RingVersion{version};
}

absl::StatusOr<RingSeat> ParseSeat(const std::vector<absl::string_view>& words) {
  RingSeat seat;
  if (words.size() != 4 || !absl::SimpleAtoi(words[2], &seat.weight)) {
    return absl::InvalidArgumentError("\"seat NAME WEIGHT SERVER\" expected");
  }
  seat.name = std::string(words[1]);
  seat.server = std::string(words[3]);
  return seat;
}

}  // namespace

absl::StatusOr<RingFile> ParseRingFile(absl::string_view text) {
  std::optional<RingVersion> version;
  RingFile file;
  std::size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line.substr(0, line.find('#')), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    if (words[0] == "version") {
      if (version.has_value()) return Wrong(number, "a second version");
      absl::StatusOr<RingVersion> parsed = ParseVersion(words);
      if (!parsed.ok()) return Wrong(number, parsed.status().message());
      version = *parsed;
    } else if (words[0] == "seat") {
      absl::StatusOr<RingSeat> seat = ParseSeat(words);
      if (!seat.ok()) return Wrong(number, seat.status().message());
      file.seats.push_back(*std::move(seat));
    } else {
      return Wrong(number, "\"version\" or \"seat\" expected");
    }
  }
  if (!version.has_value()) return absl::InvalidArgumentError("there is no version");
  if (file.seats.empty()) return absl::InvalidArgumentError("there is no seat");
  file.version = *version;
  return file;
}

}  // namespace adapters
