#include "examples/replay/fields.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

constexpr std::int64_t kMaxSeconds = nearby::kMaxTimeMs / 1000;

// Takes the digits off the front of `text`, as whole seconds. Stops counting, but not reading, past
// the largest valid time.
std::int64_t TakeSeconds(absl::string_view* text) {
  std::int64_t seconds = 0;
  while (!text->empty() && absl::ascii_isdigit(static_cast<unsigned char>(text->front()))) {
    if (seconds <= kMaxSeconds) seconds = seconds * 10 + (text->front() - '0');
    text->remove_prefix(1);
  }
  return seconds;
}

// Milliseconds of a fraction of a second, and whether anything smaller was left over.
struct Fraction {
  std::int64_t ms = 0;
  bool remainder = false;
};

Fraction TakeFraction(absl::string_view* text) {
  Fraction fraction;
  std::int64_t place = 100;
  while (!text->empty() && absl::ascii_isdigit(static_cast<unsigned char>(text->front()))) {
    const int digit = text->front() - '0';
    fraction.ms += place * digit;
    fraction.remainder |= place == 0 && digit != 0;
    place /= 10;
    text->remove_prefix(1);
  }
  return fraction;
}

bool ParseSeconds(absl::string_view field, nearby::Time* time) {
  const bool negative = field.front() == '-';
  if (negative || field.front() == '+') field.remove_prefix(1);
  const std::size_t length = field.size();
  const std::int64_t seconds = TakeSeconds(&field);
  std::size_t digits = length - field.size();
  Fraction fraction;
  if (!field.empty() && field.front() == '.') {
    field.remove_prefix(1);
    const std::size_t rest = field.size();
    fraction = TakeFraction(&field);
    digits += rest - field.size();
  }
  if (digits == 0 || !field.empty()) return false;
  const std::int64_t ms = seconds * 1000 + fraction.ms;
  // Down, also below zero.
  time->ms = negative ? -ms - (fraction.remainder ? 1 : 0) : ms;
  return true;
}

}  // namespace

absl::string_view TakeField(absl::string_view* line) {
  const auto is_space = [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); };
  std::size_t begin = 0;
  while (begin < line->size() && is_space((*line)[begin])) ++begin;
  std::size_t end = begin;
  while (end < line->size() && !is_space((*line)[end])) ++end;
  const absl::string_view field = line->substr(begin, end - begin);
  line->remove_prefix(end);
  return field;
}

bool ParseUser(absl::string_view field, nearby::UserId* user) {
  std::uint64_t id = 0;
  const char* end = field.data() + field.size();
  const std::from_chars_result result = std::from_chars(field.data(), end, id);
  if (result.ec != std::errc() || result.ptr != end) return false;
  *user = nearby::UserId{id};
  return true;
}

bool ParseNumber(absl::string_view field, double* number) {
  // from_chars takes no plus, which people do write before coordinates.
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  // It does take a hexadecimal number, by the prefix alone.
  if (field.find_first_of("xX") != absl::string_view::npos) return false;
  const char* end = field.data() + field.size();
  const absl::from_chars_result result = absl::from_chars(field.data(), end, *number);
  return result.ec == std::errc() && result.ptr == end && std::isfinite(*number);
}

bool ParseTime(absl::string_view field, nearby::Time* time) {
  if (field.empty()) return false;
  // Begins with a digit and bears a T: nothing else that absl::ParseTime would take, such as
  // "infinite-future".
  const bool is_date = absl::ascii_isdigit(static_cast<unsigned char>(field.front())) &&
                       field.find_first_of("Tt") != absl::string_view::npos;
  if (!is_date) return ParseSeconds(field, time);
  absl::Time parsed;
  if (!absl::ParseTime(absl::RFC3339_full, field, &parsed, nullptr)) return false;
  *time = nearby::Time::FromAbsl(parsed);
  return true;
}

std::string Quoted(absl::string_view field) {
  constexpr std::size_t kLongest = 40;
  const bool shortened = field.size() > kLongest;
  return absl::StrCat("\"", absl::CHexEscape(field.substr(0, kLongest)), shortened ? "…" : "",
                      "\"");
}

}  // namespace replay
