#include "examples/replay/trace_reader.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/replay/fields.h"
#include "examples/replay/line_reader.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

using Kind = TraceRow::Kind;

// A line that acts: its verb, and the fields behind it.
struct Action {
  enum class Fields { kUser, kPair, kUserAndRadius };

  const char* verb;
  Kind kind;
  Fields fields;
  const char* form;
};

constexpr Action kActions[] = {
    {"!disconnect", Kind::kDisconnect, Action::Fields::kUser, "!disconnect user time"},
    {"!befriend", Kind::kBefriend, Action::Fields::kPair, "!befriend user user time"},
    {"!unfriend", Kind::kUnfriend, Action::Fields::kPair, "!unfriend user user time"},
    {"!hide", Kind::kHide, Action::Fields::kPair, "!hide owner viewer time"},
    {"!share", Kind::kShare, Action::Fields::kPair, "!share owner viewer time"},
    {"!unsubscribe", Kind::kUnsubscribe, Action::Fields::kPair,
     "!unsubscribe subscriber friend time"},
    {"!subscribe", Kind::kSubscribe, Action::Fields::kPair, "!subscribe subscriber friend time"},
    {"!radius", Kind::kRadius, Action::Fields::kUserAndRadius, "!radius subscriber metres time"},
};

absl::Status Malformed(absl::string_view what, absl::string_view field) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", Quoted(field)));
}

absl::Status SetUser(absl::string_view field, nearby::UserId* user) {
  if (ParseUser(field, user)) return absl::OkStatus();
  return Malformed("not a user, an unsigned 64-bit number", field);
}

absl::Status SetTime(absl::string_view field, nearby::Time* time) {
  if (!ParseTime(field, time)) return Malformed("not a time in seconds or RFC 3339", field);
  if (!nearby::IsValid(*time)) return Malformed("the time is out of range", field);
  return absl::OkStatus();
}

absl::Status SetNumber(absl::string_view what, absl::string_view field, double* number) {
  if (ParseNumber(field, number)) return absl::OkStatus();
  return Malformed(absl::StrCat("the ", what, " is not a number"), field);
}

absl::Status ParseReport(absl::string_view user, absl::string_view line, TraceRow* row) {
  const absl::string_view time = TakeField(&line);
  const absl::string_view lat = TakeField(&line);
  const absl::string_view lng = TakeField(&line);
  if (lng.empty()) {
    return absl::InvalidArgumentError("too few fields; a report is: user time latitude longitude");
  }
  row->kind = Kind::kReport;
  if (absl::Status status = SetUser(user, &row->user); !status.ok()) return status;
  if (absl::Status status = SetTime(time, &row->time); !status.ok()) return status;
  if (absl::Status status = SetNumber("latitude", lat, &row->location.lat); !status.ok()) {
    return status;
  }
  if (absl::Status status = SetNumber("longitude", lng, &row->location.lng); !status.ok()) {
    return status;
  }
  return nearby::Validate(row->location);
}

absl::Status ParsePair(absl::string_view first, absl::string_view second, TraceRow* row) {
  if (absl::Status status = SetUser(first, &row->user); !status.ok()) return status;
  if (absl::Status status = SetUser(second, &row->other); !status.ok()) return status;
  if (row->user == row->other) {
    return absl::InvalidArgumentError("the line names the same user twice");
  }
  return absl::OkStatus();
}

absl::Status ParseUserAndRadius(absl::string_view user, absl::string_view radius, TraceRow* row) {
  if (absl::Status status = SetUser(user, &row->user); !status.ok()) return status;
  return SetNumber("radius", radius, &row->radius_m);
}

absl::Status ParseAction(absl::string_view verb, absl::string_view line, TraceRow* row) {
  for (const Action& action : kActions) {
    if (verb != action.verb) continue;
    const absl::string_view first = TakeField(&line);
    const absl::string_view second =
        action.fields == Action::Fields::kUser ? absl::string_view() : TakeField(&line);
    const absl::string_view time = TakeField(&line);
    if (time.empty() || !TakeField(&line).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("wrong number of fields; the form is: ", action.form));
    }
    row->kind = action.kind;
    absl::Status status;
    switch (action.fields) {
      case Action::Fields::kUser:
        status = SetUser(first, &row->user);
        break;
      case Action::Fields::kPair:
        status = ParsePair(first, second, row);
        break;
      case Action::Fields::kUserAndRadius:
        status = ParseUserAndRadius(first, second, row);
        break;
    }
    return status.ok() ? SetTime(time, &row->time) : status;
  }
  return Malformed("no such action", verb);
}

}  // namespace

absl::StatusOr<TraceReader> TraceReader::Open(const std::string& path) {
  absl::StatusOr<LineReader> lines = LineReader::Open(path);
  if (!lines.ok()) return lines.status();
  return TraceReader(*std::move(lines));
}

absl::Status TraceReader::Read(std::size_t limit, std::vector<TraceRow>* rows) {
  rows->clear();
  absl::string_view line;
  while (rows->size() < limit && lines_.Next(&line)) {
    absl::string_view rest = line;
    const absl::string_view first = TakeField(&rest);
    if (first.empty() || first.front() == '#') continue;
    TraceRow row;
    row.line_number = lines_.line_number();
    absl::Status status =
        first.front() == '!' ? ParseAction(first, rest, &row) : ParseReport(first, rest, &row);
    if (status.ok()) status = CheckOrder(row.time);
    if (!status.ok()) return lines_.ErrorAt(row.line_number, status.message());
    rows->push_back(row);
  }
  return lines_.status();
}

absl::Status TraceReader::CheckOrder(nearby::Time time) {
  if (has_last_time_ && time < last_time_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the line is earlier than the one before it, by ", last_time_.ms - time.ms,
                     " ms; sort the trace by time"));
  }
  last_time_ = time;
  has_last_time_ = true;
  return absl::OkStatus();
}

}  // namespace replay
