#include "benchmarks/capacity/flags.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/world.h"

namespace capacity {

const char kHelp[] =
    R"(Measures the nearby engine under the load that it is made for, beside the textbook's way of
doing the same and beside what the memory of this machine gives at best. All three run in turn,
slice by slice, over the same reports: trust the ratios, not the times.

  nearby_capacity [options]

World
  --users N           users, all online, 1000 to 2^26 (10000000)
  --friends N         online friends of a user on average, 1 to 100 (40)
  --seed N            another world, and other ways through it (1)

Engine
  --shards N          only 1 so far
  --skipping on|off   EngineOptions::skip_far_pairs (on)
  --batch N           reports that are handed over at once (1024)

Measurement
  --warmup-rounds N   times that everybody reports before anything is measured (3)
  --repetitions N     slices measured; medians are shown (9)
  --chunk N           reports in a slice (200000)
  --baseline on|off   whether the textbook's way runs beside (on)
  --reconnects N      sessions ended and begun anew in the end, each with nine more friends offline
                      for each who is online; 0 for none (100000, at most a tenth of all)

Output
  --json FILE         writes one JSON object as well; "-" is standard output
  --export DIR        writes the world and the trace for other programs, friends.tsv and trace.tsv
                      as nearby_replay reads them, and measures nothing; the directory must exist
  --export-reports N  reports of the trace to write, from the first on (two of each user)
  --help              this text

Memory: some 1,200 bytes a user with 40 friends; half of it without the baseline. Ten million users
take a quarter of an hour.

Exit status: 0 if all went well; 1 if the measurement is void, because engine and baseline delivered
differently or the baseline was too slow to be one, or if output could not be written; 2 if the
command line is wrong.
)";

namespace {

constexpr std::uint64_t kMaxUsers = std::uint64_t{1} << 26;

absl::Status BadValue(absl::string_view name, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, " \"", value, "\": ", wanted, " expected"));
}

struct Range {
  std::uint64_t low;
  std::uint64_t high;
};

template <typename Number>
absl::Status SetNumber(absl::string_view name, absl::string_view value, Range range,
                       Number* number) {
  std::uint64_t parsed = 0;
  // Digits alone: SimpleAtoi would take a sign and white space.
  const bool is_number = !value.empty() &&
                         value.find_first_not_of("0123456789") == absl::string_view::npos &&
                         absl::SimpleAtoi(value, &parsed);
  if (!is_number || parsed < range.low || parsed > range.high) {
    return BadValue(name, value,
                    absl::StrCat("a whole number from ", range.low, " to ", range.high));
  }
  *number = static_cast<Number>(parsed);
  return absl::OkStatus();
}

absl::Status SetSwitch(absl::string_view name, absl::string_view value, bool* is_on) {
  if (value != "on" && value != "off") return BadValue(name, value, "\"on\" or \"off\"");
  *is_on = value == "on";
  return absl::OkStatus();
}

absl::Status SetPath(absl::string_view name, absl::string_view value, std::string* path) {
  if (value.empty()) return BadValue(name, value, "a path");
  path->assign(value.data(), value.size());
  return absl::OkStatus();
}

absl::Status SetFlag(absl::string_view name, absl::string_view value, Flags* flags) {
  constexpr std::uint64_t kMany = 100'000'000;
  if (name == "users") return SetNumber(name, value, {kMinUsers, kMaxUsers}, &flags->users);
  if (name == "friends") return SetNumber(name, value, {1, kMaxFriends}, &flags->friends);
  if (name == "shards") return SetNumber(name, value, {1, 1}, &flags->shards);
  if (name == "skipping") return SetSwitch(name, value, &flags->skipping);
  if (name == "baseline") return SetSwitch(name, value, &flags->baseline);
  if (name == "batch") return SetNumber(name, value, {1, 1'000'000}, &flags->batch);
  if (name == "chunk") return SetNumber(name, value, {1, kMany}, &flags->chunk);
  if (name == "repetitions") return SetNumber(name, value, {1, 1'000}, &flags->repetitions);
  if (name == "warmup-rounds") return SetNumber(name, value, {1, 100}, &flags->warmup_rounds);
  if (name == "reconnects") return SetNumber(name, value, {0, kMaxUsers}, &flags->reconnects);
  if (name == "seed") return SetNumber(name, value, {0, ~std::uint64_t{0}}, &flags->seed);
  if (name == "json") return SetPath(name, value, &flags->json);
  if (name == "export") return SetPath(name, value, &flags->export_dir);
  if (name == "export-reports") {
    return SetNumber(name, value, {1, 10'000 * kMany}, &flags->export_reports);
  }
  return absl::InvalidArgumentError(absl::StrCat("no such flag: --", name));
}

absl::Status Check(const Flags& flags) {
  if (std::uint64_t{flags.users} * (flags.friends + 1) > 0xFFFFFFFFu) {
    return absl::InvalidArgumentError("--users times --friends must stay below 2^32");
  }
  if (flags.export_reports > 0 && flags.export_dir.empty()) {
    return absl::InvalidArgumentError("--export-reports goes with --export");
  }
  if (!flags.export_dir.empty() && !flags.json.empty()) {
    return absl::InvalidArgumentError("--export measures nothing that --json could show");
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
    if (!absl::ConsumePrefix(&name, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected argument \"", name, "\""));
    }
    const std::size_t equals = name.find('=');
    absl::string_view value;
    if (equals != absl::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (absl::Status status = SetFlag(name, value, &flags); !status.ok()) return status;
  }
  if (absl::Status status = Check(flags); !status.ok()) return status;
  return flags;
}

}  // namespace capacity
