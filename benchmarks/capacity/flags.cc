#include "benchmarks/capacity/flags.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace capacity {

const char kHelp[] =
    R"(Drives one engine at full load and compares it, in one run, with what the memory of this
machine yields and with a textbook program that delivers the same.

  nearby_capacity [options]

  --users N          connected users, 10000 to 50000000 (10000000)
  --friends N        online friends of each, on average: even, 2 to 100 (40)
  --shards N         1: several shards are not measured here yet
  --skipping on|off  whether pairs too far apart to have met go unchecked (on)
  --baseline on|off  whether the textbook program runs beside it (on)
  --batch N          reports handed to the engine at once (512)
  --warmup N         rounds of reports before anything is measured (4)
  --repetitions N    measurements, of which the median counts (9)
  --reports N        reports in each (200000)
  --seed N           another seed makes another world (1)
  --at-least X       fail if the engine does not reach X times the baseline (0)
  --json FILE        also writes the figures as one JSON object; - is standard output
  --help             this text

Ten million users take some 12 GiB and 15 minutes with the baseline.

Exit status: 0 if all went well; 1 if the run is void: the baseline delivered something else, or was
too slow to be taken seriously, or the engine missed --at-least; 2 if the command line is wrong.
)";

namespace {

absl::Status Bad(absl::string_view name, absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " \"", value, "\": ", expected, " expected"));
}

absl::Status SetNumber(absl::string_view name, absl::string_view value, std::uint64_t least,
                       std::uint64_t most, std::uint32_t* number) {
  if (absl::SimpleAtoi(value, number) && *number >= least && *number <= most) {
    return absl::OkStatus();
  }
  return Bad(name, value, absl::StrCat("a whole number, ", least, " to ", most, ","));
}

absl::Status SetSwitch(absl::string_view name, absl::string_view value, bool* is_on) {
  *is_on = value == "on";
  if (*is_on || value == "off") return absl::OkStatus();
  return Bad(name, value, "\"on\" or \"off\"");
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, Flags* flags) {
  constexpr std::uint32_t kMost = 1'000'000'000;
  if (name == "users") return SetNumber(name, value, 10'000, 50'000'000, &flags->users);
  if (name == "friends") {
    if (absl::Status status = SetNumber(name, value, 2, 100, &flags->friends); !status.ok()) {
      return status;
    }
    return flags->friends % 2 == 0 ? absl::OkStatus() : Bad(name, value, "an even number");
  }
  if (name == "shards") return SetNumber(name, value, 1, 1, &flags->shards);
  if (name == "skipping") return SetSwitch(name, value, &flags->skipping);
  if (name == "baseline") return SetSwitch(name, value, &flags->baseline);
  if (name == "batch") return SetNumber(name, value, 1, kMost, &flags->batch);
  if (name == "warmup") return SetNumber(name, value, 1, kMost, &flags->warmup);
  if (name == "repetitions") return SetNumber(name, value, 1, kMost, &flags->repetitions);
  if (name == "reports") return SetNumber(name, value, 1, kMost, &flags->reports);
  if (name == "seed") {
    return absl::SimpleAtoi(value, &flags->seed) ? absl::OkStatus()
                                                 : Bad(name, value, "a whole number");
  }
  if (name == "at-least") {
    return absl::SimpleAtod(value, &flags->at_least) && flags->at_least >= 0
               ? absl::OkStatus()
               : Bad(name, value, "a number of 0 or more");
  }
  if (name == "json") {
    flags->json = std::string(value);
    return value.empty() ? Bad(name, value, "the name of a file") : absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--", name, ": no such option"));
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(absl::Span<const char* const> arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      flags.help = true;
      return flags;
    }
    if (argument.substr(0, 2) != "--") {
      return absl::InvalidArgumentError(absl::StrCat("\"", argument, "\": an option expected"));
    }
    argument.remove_prefix(2);
    const std::size_t equals = argument.find('=');
    absl::string_view value;
    if (equals != absl::string_view::npos) {
      value = argument.substr(equals + 1);
      argument = argument.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", argument, ": a value expected"));
    }
    if (absl::Status status = SetFlag(argument, value, &flags); !status.ok()) return status;
  }
  return flags;
}

}  // namespace capacity
