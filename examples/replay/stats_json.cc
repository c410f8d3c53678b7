#include "examples/replay/stats_json.h"

#include <sys/resource.h>

#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "examples/replay/json_object.h"
#include "examples/replay/replayer.h"
#include "nearby/effects.h"
#include "nearby/stats.h"

namespace replay {
namespace {

using nearby::LeaveReason;

constexpr LeaveReason kReasons[] = {LeaveReason::kRange,        LeaveReason::kExpired,
                                    LeaveReason::kOffline,      LeaveReason::kUnfriended,
                                    LeaveReason::kUnsubscribed, LeaveReason::kHidden};

std::uint64_t AllLeaves(const nearby::EngineStats& stats) {
  return std::accumulate(stats.leaves.begin(), stats.leaves.end(), std::uint64_t{0});
}

double Rate(std::uint64_t count, absl::Duration time) {
  const double seconds = absl::ToDoubleSeconds(time);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

std::uint64_t PeakMemoryBytes() {
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string ToJson(const ReplayStats& stats, const ProgramCost& cost) {
  const nearby::EngineStats& engine = stats.engine;
  JsonObject leaves;
  for (const LeaveReason reason : kReasons) {
    leaves.Add(nearby::ToString(reason), engine.leaves_for(reason));
  }
  JsonObject json;
  json.Add("rows", stats.rows);
  json.Add("users", stats.users);
  json.Add("friendships", stats.friendships);
  json.Add("shards", std::uint64_t{stats.shards});
  json.Add("reports", engine.reports_accepted);
  json.Add("stale", engine.reports_stale);
  json.Add("checks", engine.checks);
  json.Add("skipped", engine.skipped);
  json.Add("events", stats.events);
  json.Add("deliveries", engine.enters + engine.moves + AllLeaves(engine) + engine.resets);
  json.Add("enters", engine.enters);
  json.Add("moves", engine.moves);
  json.Add("leaves", leaves);
  json.Add("resets", engine.resets);
  json.Add("connects", engine.connects);
  json.Add("disconnects", engine.disconnects);
  json.Add("expiries", engine.expiries);
  json.Add("wall_s", absl::ToDoubleSeconds(stats.wall));
  json.Add("cpu_s", absl::ToDoubleSeconds(stats.cpu));
  json.Add("rows_per_s", Rate(stats.rows, stats.wall));
  json.Add("total_wall_s", absl::ToDoubleSeconds(cost.wall));
  json.Add("total_rows_per_s", Rate(stats.rows, cost.wall));
  json.Add("peak_memory_bytes", cost.peak_memory_bytes);
  return absl::StrCat(json.ToString(), "\n");
}

std::string ToSummary(const ReplayStats& stats, const ProgramCost& cost) {
  const nearby::EngineStats& engine = stats.engine;
  std::string leaves;
  for (const LeaveReason reason : kReasons) {
    const std::uint64_t count = engine.leaves_for(reason);
    if (count == 0) continue;
    absl::StrAppend(&leaves, leaves.empty() ? "" : ", ", nearby::ToString(reason), " ", count);
  }
  std::string text = absl::StrFormat(
      "%d rows, %d users, %d friendships, %d shards\n"
      "%d events: %d enters, %d moves, %d leaves",
      stats.rows, stats.users, stats.friendships, stats.shards, stats.events, engine.enters,
      engine.moves, AllLeaves(engine));
  if (!leaves.empty()) absl::StrAppend(&text, " (", leaves, ")");
  absl::StrAppendFormat(
      &text,
      "\n%.2f s in all, %.2f s in the engine (%.0f rows/s, %d pair checks); peak memory %.1f MiB\n",
      absl::ToDoubleSeconds(cost.wall), absl::ToDoubleSeconds(stats.wall),
      Rate(stats.rows, stats.wall), engine.checks,
      static_cast<double>(cost.peak_memory_bytes) / (1 << 20));
  return text;
}

}  // namespace replay
