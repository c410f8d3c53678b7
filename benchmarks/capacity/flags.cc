#include "benchmarks/capacity/flags.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/flag_values.h"
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
  --warmup-rounds N   times that everybody reports before anything is measured (12)
  --repetitions N     slices measured; medians are shown (9)
  --chunk N           reports in a slice (200000)
  --baseline on|off   whether the textbook's way runs beside (on)
  --reference-users N a second engine, in a world of so many, that runs in turn with it: how cost
                      grows from there (none)
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
  if (name == "reference-users") {
    return SetNumber(name, value, {kMinUsers, kMaxUsers}, &flags->reference_users);
  }
  if (name == "seed") return SetNumber(name, value, {0, ~std::uint64_t{0}}, &flags->seed);
  if (name == "json") return SetPath(name, value, &flags->json);
  if (name == "export") return SetPath(name, value, &flags->export_dir);
  if (name == "export-reports") {
    return SetNumber(name, value, {1, 10'000 * kMany}, &flags->export_reports);
  }
  return NoSuchFlag(name);
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
  flags.help = AsksForHelp(arguments);
  if (flags.help) return flags;
  absl::Status status =
      ForEachFlag(arguments, [&flags](absl::string_view name, absl::string_view value) {
        return SetFlag(name, value, &flags);
      });
  if (status.ok()) status = Check(flags);
  if (!status.ok()) return status;
  return flags;
}

}  // namespace capacity
