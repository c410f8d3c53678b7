#include "src/wire/json_sketch.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace nearby::wire {
namespace {

// Takes a string, which `json` begins with, off it and returns what stands between the quotes.
absl::string_view TakeString(absl::string_view* json) {
  std::size_t end = 1;
  while (end < json->size() && (*json)[end] != '"') {
    end += (*json)[end] == '\\' ? 2 : 1;
  }
  const absl::string_view text = json->substr(1, end - 1);
  json->remove_prefix(std::min(end + 1, json->size()));
  return text;
}

// Takes a colon off `json`, if that is what follows.
bool TakeColon(absl::string_view* json) {
  *json = absl::StripLeadingAsciiWhitespace(*json);
  if (json->empty() || json->front() != ':') return false;
  json->remove_prefix(1);
  return true;
}

// The whole number, quoted or not, that `json` begins with; 0 if there is none.
std::uint64_t ReadNumber(absl::string_view json) {
  json = absl::StripLeadingAsciiWhitespace(json);
  if (!json.empty() && json.front() == '"') json.remove_prefix(1);
  const std::size_t end = std::min(json.find_first_not_of("0123456789"), json.size());
  const bool is_whole =
      end == json.size() || (json[end] != '.' && json[end] != 'e' && json[end] != 'E');
  std::uint64_t number = 0;
  return is_whole && absl::SimpleAtoi(json.substr(0, end), &number) ? number : 0;
}

}  // namespace

JsonSketch SketchJson(absl::string_view json) {
  JsonSketch sketch;
  std::size_t depth = 0;
  while (!json.empty()) {
    const char c = json.front();
    if (c == '"') {
      const absl::string_view text = TakeString(&json);
      // Only a key is followed by a colon.
      const bool is_id = depth == 1 && (text == "requestId" || text == "request_id");
      if (is_id && TakeColon(&json)) sketch.request_id = ReadNumber(json);
      continue;
    }
    json.remove_prefix(1);
    if (c == '{' || c == '[') sketch.depth = std::max(sketch.depth, ++depth);
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (c == '\'') sketch.has_single_quote = true;
  }
  return sketch;
}

}  // namespace nearby::wire
