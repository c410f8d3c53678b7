#include "examples/replay/program.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/replay/event_writer.h"
#include "examples/replay/flags.h"
#include "examples/replay/friends_reader.h"
#include "examples/replay/line_reader.h"
#include "examples/replay/live_table.h"
#include "examples/replay/output_file.h"
#include "examples/replay/progress_bar.h"
#include "examples/replay/replayer.h"
#include "examples/replay/stats_json.h"
#include "examples/replay/trace_reader.h"
#include "nearby/effects.h"
#include "nearby/time.h"

namespace replay {
namespace {

// Rows read before the engine runs them: enough that reading the clocks costs nothing, few enough
// to stay in the cache.
constexpr std::size_t kRowsAtOnce = 4096;

// Null if `path` is empty: that output is not wanted.
absl::StatusOr<std::unique_ptr<OutputFile>> CreateIfWanted(const std::string& path) {
  if (path.empty()) return std::unique_ptr<OutputFile>();
  return OutputFile::Create(path);
}

// Where events go: to a file, to a live table, to both or nowhere.
class EventSinks {
 public:
  // Either may be null; both must outlive this.
  EventSinks(OutputFile* file, LiveTable* table) : file_(file), table_(table) {}

  void Take(absl::Span<const nearby::Delivery* const> events) {
    for (const nearby::Delivery* event : events) {
      if (table_ != nullptr) {
        table_->OnTime(event->time);
        table_->OnDelivery(*event);
      }
      if (file_ != nullptr && event->kind != nearby::DeliveryKind::kReset) {
        WriteEvent(*event, file_);
      }
    }
  }

  void ShowTime(nearby::Time now) {
    if (table_ != nullptr) table_->OnTime(now);
  }

  // The table shows its last picture and learns of nothing more.
  void CloseTable() {
    if (table_ != nullptr) table_->Finish();
    table_ = nullptr;
  }

 private:
  OutputFile* file_;
  LiveTable* table_;
};

absl::Status WriteStatus(const OutputFile* file) {
  return file == nullptr ? absl::OkStatus() : file->status();
}

// Runs all that Read yields.
absl::Status RunRows(absl::Span<const TraceRow> rows, const LineReader& lines, Replayer* replayer,
                     EventSinks* sinks) {
  while (!rows.empty()) {
    const Replayer::Progress progress = replayer->Run(rows);
    rows.remove_prefix(progress.rows);
    if (!progress.status.ok()) {
      return lines.ErrorAt(rows.front().line_number, progress.status.message());
    }
    sinks->Take(replayer->TakeEvents());
  }
  return absl::OkStatus();
}

absl::Status RunTrace(const Flags& flags, Replayer* replayer, const OutputFile* events_file,
                      EventSinks* sinks) {
  absl::StatusOr<TraceReader> trace = TraceReader::Open(flags.trace);
  if (!trace.ok()) return trace.status();
  std::optional<ProgressBar> progress_bar;
  if (!flags.live) progress_bar.emplace(stderr);
  std::vector<TraceRow> rows;
  std::uint64_t row_count = 0;
  do {
    // The rows before an error come first: one of them may bear another, which is then the first.
    const absl::Status read_status = trace->Read(kRowsAtOnce, &rows);
    absl::Status status = RunRows(rows, trace->lines(), replayer, sinks);
    if (status.ok()) status = read_status;
    if (status.ok()) status = WriteStatus(events_file);
    if (!status.ok()) return status;
    row_count += rows.size();
    if (progress_bar) progress_bar->Update(trace->lines(), row_count);
    if (!rows.empty()) sinks->ShowTime(replayer->now());
  } while (!rows.empty());
  return absl::OkStatus();
}

// Lets everyone expire. The table ends with the trace: a picture of an empty world tells nothing.
absl::Status RunOut(Replayer* replayer, EventSinks* sinks) {
  const nearby::Time last = replayer->now();
  if (absl::Status status = replayer->Finish(); !status.ok()) return status;
  const absl::Span<const nearby::Delivery* const> events = replayer->TakeEvents();
  const auto after_last =
      std::partition_point(events.begin(), events.end(),
                           [last](const nearby::Delivery* event) { return event->time <= last; });
  const auto shown = static_cast<std::size_t>(after_last - events.begin());
  sinks->Take(events.first(shown));
  sinks->CloseTable();
  sinks->Take(events.subspan(shown));
  return absl::OkStatus();
}

absl::Status WriteStats(const ReplayStats& stats, const ProgramCost& cost, OutputFile* file) {
  if (file == nullptr) {
    std::fputs(ToSummary(stats, cost).c_str(), stderr);
    return absl::OkStatus();
  }
  file->Append(ToJson(stats, cost));
  return file->Commit();
}

}  // namespace

absl::Status RunProgram(const Flags& flags) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(flags.replay);
  if (!replayer.ok()) return replayer.status();
  // Whether output can be written shows before the work is done, not after it.
  const absl::StatusOr<std::unique_ptr<OutputFile>> events_file = CreateIfWanted(flags.events);
  if (!events_file.ok()) return events_file.status();
  const absl::StatusOr<std::unique_ptr<OutputFile>> stats_file = CreateIfWanted(flags.stats);
  if (!stats_file.ok()) return stats_file.status();

  absl::Status status = ReadFriends(flags.friends, &(*replayer)->graph());
  if (!status.ok()) return status;
  std::optional<LiveTable> table;
  if (flags.live) {
    LiveTable::Options options;
    options.pace = flags.pace;
    table.emplace(options, stdout);
  }
  EventSinks sinks(events_file->get(), table ? &*table : nullptr);
  status = RunTrace(flags, replayer->get(), events_file->get(), &sinks);
  if (status.ok()) status = RunOut(replayer->get(), &sinks);
  if (status.ok() && *events_file != nullptr) status = (*events_file)->Commit();
  if (!status.ok()) return status;
  return WriteStats((*replayer)->stats(), {absl::Now() - start, PeakMemoryBytes()},
                    stats_file->get());
}

}  // namespace replay
