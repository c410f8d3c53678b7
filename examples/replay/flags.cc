#include "examples/replay/flags.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/replay/fields.h"

namespace replay {

const char kHelp[] =
    R"(Replays recorded locations through the nearby engine and writes down who came near whom.

  nearby_replay --friends FILE --trace FILE [options]

Input ("-" is standard input; gzip is recognised)
  --friends FILE    two users a line, "a b": a friendship, in either direction or both, as
                    often as it comes; "a a" is passed over
  --trace FILE      in order of time, fields separated by white space; "#" begins a comment:
                      user time latitude longitude [ignored...]
                      !disconnect user time
                      !befriend user user time             !unfriend user user time
                      !hide owner viewer time              !share owner viewer time
                      !unsubscribe subscriber friend time  !subscribe subscriber friend time
                      !radius subscriber metres time
                    Users are unsigned 64-bit numbers. Time is in seconds, with fractions, or
                    RFC 3339; it is kept to the millisecond. A user connects by the first
                    report, and again by the first after a disconnect. After the last line
                    time runs on until everyone has expired.

Engine
  --radius-m X      friends within X metres see each other (8046.72: 5 miles)
  --ttl-s X         a user without a report for X seconds is inactive (600)
  --shards N        divide the users between N engines, 1 to 64 (1); changes no event
  --skipping on|off whether pairs that cannot have come near yet go unchecked (on); changes
                    no event

Output ("-" is standard output)
  --events FILE     a line for each delivery, sorted by time, subscriber and friend:
                      time_ms subscriber friend kind distance_m
                    separated by tabs; kind is enter, move or leave:REASON; distance_m is
                    empty for every leave but leave:range
  --stats FILE      counts and costs as JSON; wall_s, cpu_s and rows_per_s are the engine's
                    alone, total_wall_s and total_rows_per_s the whole program's. Without
                    it a summary goes to standard error.
  --live            show on standard output who is near whom while the replay runs
  --pace X          seconds of the trace in one second of --live (60)
  --help            this text

Exit status: 0 if all went well; 1 if output could not be written; 2 if the command line or
the input is wrong. Then no output file is left behind.
)";

namespace {

absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " ", Quoted(value), ": ", wanted, " expected"));
}

absl::Status SetPositive(absl::string_view name, absl::string_view value, double* number) {
  if (ParseNumber(value, number) && *number > 0) return absl::OkStatus();
  return BadValue(name, value, "a positive number");
}

absl::Status SetFile(absl::string_view name, absl::string_view value, std::string* file) {
  if (value.empty()) return BadValue(name, value, "a file name or \"-\"");
  file->assign(value.data(), value.size());
  return absl::OkStatus();
}

absl::Status SetTtl(absl::string_view name, absl::string_view value, absl::Duration* ttl) {
  double seconds = 0;
  if (absl::Status status = SetPositive(name, value, &seconds); !status.ok()) return status;
  // Rounds to the millisecond, saturating.
  *ttl = absl::Trunc(absl::Seconds(seconds) + absl::Microseconds(500), absl::Milliseconds(1));
  return absl::OkStatus();
}

absl::Status SetSkipping(absl::string_view name, absl::string_view value, bool* skipping) {
  *skipping = value == "on";
  if (*skipping || value == "off") return absl::OkStatus();
  return BadValue(name, value, "\"on\" or \"off\"");
}

absl::Status SetShards(absl::string_view name, absl::string_view value, std::uint32_t* shards) {
  if (absl::SimpleAtoi(value, shards) && *shards > 0) return absl::OkStatus();
  return BadValue(name, value, "a positive whole number");
}

// The flags that take a value.
absl::Status SetFlag(absl::string_view name, absl::string_view value, Flags* flags) {
  if (name == "friends") return SetFile(name, value, &flags->friends);
  if (name == "trace") return SetFile(name, value, &flags->trace);
  if (name == "events") return SetFile(name, value, &flags->events);
  if (name == "stats") return SetFile(name, value, &flags->stats);
  if (name == "radius-m") {
    // How large a radius may be is for the engine to say; 0 is fine.
    return ParseNumber(value, &flags->replay.radius_m) ? absl::OkStatus()
                                                       : BadValue(name, value, "a number");
  }
  if (name == "ttl-s") return SetTtl(name, value, &flags->replay.ttl);
  if (name == "shards") return SetShards(name, value, &flags->replay.shards);
  if (name == "skipping") return SetSkipping(name, value, &flags->replay.skipping);
  return SetPositive(name, value, &flags->pace);
}

bool TakesValue(absl::string_view name) {
  for (const absl::string_view known :
       {"friends", "trace", "events", "stats", "radius-m", "ttl-s", "shards", "skipping", "pace"}) {
    if (name == known) return true;
  }
  return false;
}

absl::Status Check(const Flags& flags) {
  if (flags.friends.empty() || flags.trace.empty()) {
    return absl::InvalidArgumentError("--friends and --trace are required");
  }
  if (flags.friends == "-" && flags.trace == "-") {
    return absl::InvalidArgumentError("--friends and --trace cannot both be standard input");
  }
  if (!flags.events.empty() && flags.events == flags.stats) {
    return absl::InvalidArgumentError("--events and --stats name the same file");
  }
  for (const std::string& output : {flags.events, flags.stats}) {
    if (output != "-" && (output == flags.friends || output == flags.trace)) {
      return absl::InvalidArgumentError(absl::StrCat("output would replace the input ", output));
    }
  }
  if (flags.live && (flags.events == "-" || flags.stats == "-")) {
    return absl::InvalidArgumentError("--live has standard output to itself");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view name = arguments[i];
    if (name == "-h" || name == "--help") {
      flags.help = true;
      return flags;
    }
    if (name == "--live") {
      flags.live = true;
      continue;
    }
    if (!absl::ConsumePrefix(&name, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected argument ", Quoted(name)));
    }
    const std::size_t equals = name.find('=');
    const bool has_value = equals != absl::string_view::npos;
    absl::string_view value = has_value ? name.substr(equals + 1) : absl::string_view();
    name = name.substr(0, equals);
    if (!TakesValue(name)) {
      return absl::InvalidArgumentError(absl::StrCat("no such flag: --", name));
    }
    if (!has_value) {
      if (++i == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value"));
      }
      value = arguments[i];
    }
    if (absl::Status status = SetFlag(name, value, &flags); !status.ok()) return status;
  }
  if (absl::Status status = Check(flags); !status.ok()) return status;
  return flags;
}

}  // namespace replay
