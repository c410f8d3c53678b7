#include "examples/replay/make_trace_program.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/replay/city.h"
#include "examples/replay/geolife.h"
#include "examples/replay/gowalla.h"
#include "examples/replay/make_trace_flags.h"
#include "examples/replay/movement.h"
#include "examples/replay/population.h"
#include "examples/replay/trace_maker.h"
#include "examples/replay/trace_writer.h"
#include "nearby/ids.h"

namespace replay {
namespace {

// Null for an empty path.
absl::Status OpenIfAsked(const std::string& path, std::unique_ptr<TextOutput>* output) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<TextOutput>> created = TextOutput::Create(path);
  if (!created.ok()) return created.status();
  *output = *std::move(created);
  return absl::OkStatus();
}

absl::Status CommitIfOpen(TextOutput* output) {
  return output == nullptr ? absl::OkStatus() : output->Commit();
}

absl::Status MakeWorld(const MakeTraceFlags& flags, Population* population, MovementModel* model) {
  if (flags.city) {
    *population = MakeCity(flags.users, flags.options.seed);
    *model = MakeCityMovement(flags.options.seed);
    return absl::OkStatus();
  }
  const double interval_s =
      static_cast<double>(flags.options.min_interval_ms + flags.options.max_interval_ms) / 2000;
  absl::StatusOr<MovementModel> learned = LoadGeolife(flags.geolife, interval_s);
  if (!learned.ok()) return learned.status();
  absl::StatusOr<Population> loaded = LoadGowalla(flags.gowalla);
  if (!loaded.ok()) return loaded.status();
  *model = *std::move(learned);
  *population = *std::move(loaded);
  return absl::OkStatus();
}

void WriteFriends(const Population& population, TextOutput* output) {
  std::string line;
  for (const auto& [a, b] : population.friendships) {
    line.clear();
    absl::StrAppend(&line, nearby::ToInt(a), "\t", nearby::ToInt(b), "\n");
    output->Append(line);
  }
}

std::string Count(std::uint64_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

void WriteTrace(const Population& population, const MovementModel& model,
                const MakeTraceFlags& flags, TextOutput* output, std::string* summary) {
  TraceWriter writer(output, flags.time_format);
  TraceMaker maker(population, model, flags.options);
  while (writer.status().ok() && maker.WriteNext(&writer)) {
  }
  absl::StrAppend(summary, ", ", Count(maker.reports(), "report"), ", ",
                  Count(maker.glitches(), "glitch jump"), ", ", Count(maker.gaps(), "gap"), ", ",
                  Count(writer.lines() - maker.reports(), "line"), " that act");
}

}  // namespace

absl::Status RunMakeTrace(const MakeTraceFlags& flags, std::string* summary) {
  Population population;
  MovementModel model;
  if (absl::Status status = MakeWorld(flags, &population, &model); !status.ok()) return status;
  // Both are opened before either is written: a bad name is told at once.
  std::unique_ptr<TextOutput> friends;
  std::unique_ptr<TextOutput> trace;
  if (absl::Status status = OpenIfAsked(flags.friends, &friends); !status.ok()) return status;
  if (absl::Status status = OpenIfAsked(flags.trace, &trace); !status.ok()) return status;
  *summary = absl::StrCat(Count(population.people.size(), "user"), ", ",
                          Count(population.friendships.size(), "friendship"));
  if (friends != nullptr) WriteFriends(population, friends.get());
  const bool is_stream = flags.trace == "-";
  if (is_stream) {
    if (absl::Status status = CommitIfOpen(friends.get()); !status.ok()) return status;
  }
  if (trace != nullptr) WriteTrace(population, model, flags, trace.get(), summary);
  // Neither is put in place if the other could not be written.
  if (trace != nullptr) {
    if (absl::Status status = trace->Finish(); !status.ok()) return status;
  }
  if (!is_stream) {
    if (absl::Status status = CommitIfOpen(friends.get()); !status.ok()) return status;
  }
  return CommitIfOpen(trace.get());
}

}  // namespace replay
