#include "tests/replay/replay_oracle_input.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace replay_oracle {
namespace {

bool IsAllDigits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// Days from 1970-01-01 to a date of the Gregorian calendar, by counting leap years.
std::int64_t DaysSinceEpoch(int year, int month, int day) {
  static const int kDaysBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const auto leap_years_through = [](std::int64_t y) { return y / 4 - y / 100 + y / 400; };
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  std::int64_t days = 365 * (std::int64_t{year} - 1970);
  days += leap_years_through(year - 1) - leap_years_through(1969);
  days += kDaysBefore[month - 1] + (is_leap && month > 2 ? 1 : 0);
  return days + day - 1;
}

// The first three digits of a fraction, as milliseconds; whether any of the others is not zero.
struct Fraction {
  int ms = 0;
  bool has_more = false;
};

Fraction ParseFraction(const std::string& digits) {
  Fraction fraction;
  for (std::size_t i = 0; i < 3; ++i) {
    fraction.ms = 10 * fraction.ms + (i < digits.size() ? digits[i] - '0' : 0);
  }
  fraction.has_more = digits.size() > 3 && digits.find_first_not_of('0', 3) != std::string::npos;
  return fraction;
}

std::int64_t ParseSeconds(const std::string& field) {
  const bool is_negative = field[0] == '-';
  const std::string number = field.substr(is_negative || field[0] == '+' ? 1 : 0);
  const std::size_t point = number.find('.');
  const std::string whole = number.substr(0, point);
  const std::string digits = point == std::string::npos ? "" : number.substr(point + 1);
  if (!IsAllDigits(whole + digits) || whole.size() > 15) throw InputError("no time: " + field);
  const Fraction fraction = ParseFraction(digits);
  const std::int64_t ms = (whole.empty() ? 0 : std::stoll(whole)) * 1000 + fraction.ms;
  return is_negative ? -ms - (fraction.has_more ? 1 : 0) : ms;
}

std::int64_t ParseRfc3339(const std::string& field) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int length = 0;
  if (std::sscanf(field.c_str(), "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &year, &month, &day, &hour,
                  &minute, &second, &length) != 6 ||
      month < 1 || month > 12) {
    throw InputError("no time: " + field);
  }
  std::string rest = field.substr(static_cast<std::size_t>(length));
  Fraction fraction;
  if (!rest.empty() && rest[0] == '.') {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string::npos || end == 1) throw InputError("no time: " + field);
    fraction = ParseFraction(rest.substr(1, end - 1));
    rest = rest.substr(end);
  }
  int offset_minutes = 0;
  if (rest != "Z" && rest != "z") {
    char sign = 0;
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(rest.c_str(), "%c%2d:%2d", &sign, &hours, &minutes) != 3 || rest.size() != 6) {
      throw InputError("no time: " + field);
    }
    offset_minutes = (sign == '-' ? -1 : 1) * (60 * hours + minutes);
  }
  const std::int64_t minutes =
      DaysSinceEpoch(year, month, day) * 24 * 60 + hour * 60 + minute - offset_minutes;
  return (minutes * 60 + second) * 1000 + fraction.ms;
}

}  // namespace

FieldReader::FieldReader(const std::string& path) : path_(path) {
  file_ = path == "-" ? gzdopen(0, "rb") : gzopen(path.c_str(), "rb");
  if (file_ == nullptr) throw InputError(path + ": cannot be opened");
}

FieldReader::~FieldReader() { gzclose(file_); }

bool FieldReader::NextLine(std::string* line) {
  line->clear();
  char piece[4096];
  while (gzgets(file_, piece, sizeof piece) != nullptr) {
    line->append(piece);
    if (line->back() == '\n') return true;
  }
  int error = Z_OK;
  gzerror(file_, &error);
  if (error != Z_OK && error != Z_STREAM_END) Fail("cannot be read");
  return !line->empty();
}

bool FieldReader::Next(std::vector<std::string>* fields) {
  std::string line;
  while (NextLine(&line)) {
    ++line_number_;
    fields->clear();
    std::string field;
    for (const char c : line) {
      if (std::isspace(static_cast<unsigned char>(c)) == 0) {
        field += c;
      } else if (!field.empty()) {
        fields->push_back(field);
        field.clear();
      }
    }
    if (!field.empty()) fields->push_back(field);
    if (!fields->empty() && fields->front()[0] != '#') return true;
  }
  return false;
}

void FieldReader::Fail(const std::string& what) const {
  throw InputError(path_ + ":" + std::to_string(line_number_) + ": " + what);
}

std::uint64_t ParseId(const std::string& field) {
  if (!IsAllDigits(field)) throw InputError("no user: " + field);
  try {
    return std::stoull(field);
  } catch (const std::out_of_range&) {
    throw InputError("no user: " + field);
  }
}

double ParseDouble(const std::string& field) {
  char* end = nullptr;
  const double value = std::strtod(field.c_str(), &end);
  if (field.empty() || *end != '\0' || !std::isfinite(value)) {
    throw InputError("no number: " + field);
  }
  return value;
}

std::int64_t ParseTimeMs(const std::string& field) {
  if (field.empty()) throw InputError("no time");
  return field.find(':') == std::string::npos ? ParseSeconds(field) : ParseRfc3339(field);
}

std::string ToString(const Event& event) {
  std::ostringstream text;
  text << "t=" << event.time_ms << " " << event.subscriber << "<-" << event.friend_id << " "
       << event.kind;
  if (event.distance_m) text << " " << std::to_string(*event.distance_m) << " m";
  return text.str();
}

bool EventReader::Next(Event* event) {
  if (!fields_.Next(&line_)) return false;
  if (line_.size() != 4 && line_.size() != 5) fields_.Fail("an event has four or five fields");
  try {
    const bool is_negative = line_[0][0] == '-';
    const auto ms = static_cast<std::int64_t>(ParseId(line_[0].substr(is_negative ? 1 : 0)));
    event->time_ms = is_negative ? -ms : ms;
    event->subscriber = ParseId(line_[1]);
    event->friend_id = ParseId(line_[2]);
    event->kind = line_[3];
    event->distance_m.reset();
    if (line_.size() == 5) event->distance_m = ParseDouble(line_[4]);
  } catch (const InputError& error) {
    fields_.Fail(error.what());
  }
  return true;
}

}  // namespace replay_oracle
