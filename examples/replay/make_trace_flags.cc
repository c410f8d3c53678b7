#include "examples/replay/make_trace_flags.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "examples/replay/fields.h"
#include "examples/replay/trace_maker.h"
#include "examples/replay/trace_writer.h"

namespace replay {

const char kMakeTraceHelp[] =
    R"(Makes friends and a trace of their movements for nearby_replay.

  make_trace --city [--users N] --friends FILE --trace FILE [options]
  make_trace --gowalla DIR --geolife FILE --friends FILE --trace FILE [options]

Who moves
  --city            an invented city and some towns around it
  --users N         how many live there, 1 to 1000000 (2000)
  --gowalla DIR     the friends and places of Gowalla: socialRelations.txt.gz, poiCoos.txt.gz
                    and train.txt.gz, tune.txt.gz, test.txt.gz
  --geolife FILE    GPS recordings, lat,lng,datetime,uid: people move at these speeds, and
                    their phones report with these glitches and gaps

How
  --minutes X       how long the trace is (30); 0 goes on until the reader has had enough,
                    and wants --trace -
  --interval-s A..B a phone reports every A to B seconds (25..35)
  --churn on|off    people also go offline and come back, hide, unsubscribe, fall out, make up
                    and change their radius (on for --city, off for --gowalla)
  --seed N          another seed makes another trace, the same seed the same (1)

Output ("-" is standard output; a name that ends in .gz is compressed; leave one out if you like)
  --friends FILE    two users a line
  --trace FILE      user time latitude longitude, separated by tabs, in order of time
  --rfc3339         write times in RFC 3339, not in seconds
  --help            this text

Exit status: 0 if all went well, or if the reader of standard output went away; 1 if output could
not be written; 2 if the command line or the input is wrong. Then no output file is left behind.
)";

namespace {

constexpr std::size_t kMaxUsers = 1'000'000;
// Thirty years: far from any overflow.
constexpr double kMaxMinutes = 30.0 * 365 * 24 * 60;
constexpr double kMaxIntervalSeconds = 3600;

absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " ", Quoted(value), ": ", wanted, " expected"));
}

// What the command line says before defaults that depend on each other are filled in.
struct Parsed {
  MakeTraceFlags flags;
  std::optional<bool> churn;
  bool has_users = false;
};

absl::Status SetText(absl::string_view name, absl::string_view value, std::string* text) {
  if (value.empty()) return BadValue(name, value, "a name");
  *text = std::string(value);
  return absl::OkStatus();
}

absl::Status SetUsers(absl::string_view value, Parsed* parsed) {
  parsed->has_users = true;
  std::size_t& users = parsed->flags.users;
  if (absl::SimpleAtoi(value, &users) && users >= 1 && users <= kMaxUsers) return absl::OkStatus();
  return BadValue("users", value, absl::StrCat("a number from 1 to ", kMaxUsers));
}

absl::Status SetMinutes(absl::string_view value, TraceOptions* options) {
  double minutes = 0;
  if (!ParseNumber(value, &minutes) || minutes < 0 || minutes > kMaxMinutes) {
    return BadValue("minutes", value, "a number of minutes");
  }
  options->duration_ms = std::llround(minutes * 60'000);
  if (minutes > 0 && options->duration_ms == 0) {
    return BadValue("minutes", value, "at least a millisecond");
  }
  return absl::OkStatus();
}

absl::Status SetInterval(absl::string_view value, TraceOptions* options) {
  const std::size_t dots = value.find("..");
  double low = 0;
  double high = 0;
  const bool parsed = dots != absl::string_view::npos && ParseNumber(value.substr(0, dots), &low) &&
                      ParseNumber(value.substr(dots + 2), &high);
  if (!parsed || low < 0.001 || low > high || high > kMaxIntervalSeconds) {
    return BadValue("interval-s", value, "two numbers of seconds like 25..35, up to 3600,");
  }
  options->min_interval_ms = std::llround(low * 1000);
  options->max_interval_ms = std::llround(high * 1000);
  return absl::OkStatus();
}

absl::Status SetSeed(absl::string_view value, TraceOptions* options) {
  if (absl::SimpleAtoi(value, &options->seed)) return absl::OkStatus();
  return BadValue("seed", value, "an unsigned 64-bit number");
}

absl::Status SetChurn(absl::string_view value, Parsed* parsed) {
  parsed->churn = value == "on";
  if (value == "on" || value == "off") return absl::OkStatus();
  return BadValue("churn", value, "\"on\" or \"off\"");
}

bool TakesValue(absl::string_view name) {
  for (const absl::string_view known : {"users", "gowalla", "geolife", "friends", "trace",
                                        "minutes", "interval-s", "seed", "churn"}) {
    if (name == known) return true;
  }
  return false;
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, Parsed* parsed) {
  MakeTraceFlags& flags = parsed->flags;
  if (name == "users") return SetUsers(value, parsed);
  if (name == "gowalla") return SetText(name, value, &flags.gowalla);
  if (name == "geolife") return SetText(name, value, &flags.geolife);
  if (name == "friends") return SetText(name, value, &flags.friends);
  if (name == "trace") return SetText(name, value, &flags.trace);
  if (name == "minutes") return SetMinutes(value, &flags.options);
  if (name == "interval-s") return SetInterval(value, &flags.options);
  if (name == "seed") return SetSeed(value, &flags.options);
  return SetChurn(value, parsed);
}

// True if the argument is a flag without a value.
bool SetSwitch(absl::string_view argument, MakeTraceFlags* flags) {
  if (argument == "--city") {
    flags->city = true;
  } else if (argument == "--rfc3339") {
    flags->time_format = TraceWriter::TimeFormat::kRfc3339;
  } else if (argument == "--help" || argument == "-h") {
    flags->help = true;
  } else {
    return false;
  }
  return true;
}

absl::Status CheckSource(const MakeTraceFlags& flags, bool has_users) {
  if (flags.city && (!flags.gowalla.empty() || !flags.geolife.empty())) {
    return absl::InvalidArgumentError("--city is invented: it takes no --gowalla and no --geolife");
  }
  if (!flags.city && (flags.gowalla.empty() || flags.geolife.empty())) {
    return absl::InvalidArgumentError("--city is required, or --gowalla and --geolife");
  }
  if (!flags.city && has_users) {
    return absl::InvalidArgumentError("--users is for --city; Gowalla's users are as they are");
  }
  return absl::OkStatus();
}

absl::Status CheckOutput(const MakeTraceFlags& flags) {
  if (flags.friends.empty() && flags.trace.empty()) {
    return absl::InvalidArgumentError("--friends or --trace is required");
  }
  if (flags.friends == flags.trace && flags.trace != "/dev/null") {
    return absl::InvalidArgumentError("--friends and --trace name the same file");
  }
  if (flags.options.duration_ms == 0 && !flags.trace.empty() && flags.trace != "-") {
    return absl::InvalidArgumentError("--minutes 0 never ends: it wants --trace -");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MakeTraceFlags> ParseMakeTraceFlags(absl::Span<const char* const> arguments) {
  Parsed parsed;
  MakeTraceFlags& flags = parsed.flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view name = arguments[i];
    if (SetSwitch(name, &flags)) {
      if (flags.help) return flags;
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
    if (absl::Status status = SetFlag(name, value, &parsed); !status.ok()) return status;
  }
  flags.options.churn = parsed.churn.value_or(flags.city);
  if (absl::Status status = CheckSource(flags, parsed.has_users); !status.ok()) return status;
  if (absl::Status status = CheckOutput(flags); !status.ok()) return status;
  return flags;
}

}  // namespace replay
