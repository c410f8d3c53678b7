#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/pace.h"
#include "benchmarks/scenarios/percentiles.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "examples/phones/latency_histogram.h"
#include "nearby/time.h"

namespace scenarios {
namespace {

using phones::LatencyHistogram;

void AddAll(const Pace& pace, std::size_t begin, std::size_t count, LatencyHistogram* histogram) {
  const std::int64_t done_ns = pace.ElapsedNs();
  for (std::size_t i = begin; i < begin + count; ++i) {
    histogram->Add((done_ns - pace.DueNs(i)) / 1'000);
  }
}

/// What the machine alone makes a loop of this kind wait, which does nothing: whatever else runs on
/// it, and the clock.
LatencyHistogram MeasureIdle(const Flags& flags, std::size_t total) {
  const capacity::Stage stage("pacing nothing");
  LatencyHistogram histogram;
  Pace pace(flags.rate);
  pace.Start();
  pace.Run(total, flags.batch, /*rest_ns=*/0,
           [&](std::size_t begin, std::size_t count) { AddAll(pace, begin, count, &histogram); });
  return histogram;
}

std::vector<nearby::Time> PrepareReports(std::size_t total, capacity::Load* load) {
  const std::vector<capacity::Batch>& batches = load->NextBatches(total);
  load->engine().Prepare(batches);
  std::vector<nearby::Time> times;
  times.reserve(total);
  for (const capacity::Batch& batch : batches) {
    for (const capacity::TracedReport& report : batch.reports) times.push_back(report.time);
  }
  return times;
}

struct Paced {
  LatencyHistogram histogram;
  std::uint64_t batches = 0;
  std::uint64_t deliveries = 0;
  double busy_s = 0;  ///< In the engine and the sink.
};

Paced MeasureEngine(const Flags& flags, PaceClock clock, capacity::Load* load) {
  const std::vector<nearby::Time> times =
      PrepareReports(std::size_t{flags.rate} * flags.seconds, load);
  const capacity::Stage stage("pacing the engine");
  Paced paced;
  Pace pace(flags.rate, clock);
  pace.Start();
  pace.Run(times.size(), flags.batch, /*rest_ns=*/0, [&](std::size_t begin, std::size_t count) {
    const std::int64_t start_ns = pace.ElapsedNs();
    load->engine().Serve(count, times[begin + count - 1]);
    AddAll(pace, begin, count, &paced.histogram);
    paced.busy_s += 1e-9 * static_cast<double>(pace.ElapsedNs() - start_ns);
    paced.deliveries += load->engine().Discard();
    ++paced.batches;
  });
  return paced;
}

}  // namespace

Findings MeasureLatency(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kAsPeopleDo));
  Start(flags, world, &load);
  const std::size_t total = std::size_t{flags.rate} * flags.seconds;
  const LatencyHistogram idle = MeasureIdle(flags, total);
  const std::uint64_t accepted_before = load.engine().stats().reports_accepted;
  const Paced by_wall = MeasureEngine(flags, PaceClock::kWall, &load);
  const Paced by_thread = MeasureEngine(flags, PaceClock::kThread, &load);

  Findings findings;
  findings.AddText("scenario", "latency");
  findings.Heading(absl::StrCat("From a report due to the clients' bytes, at ", flags.rate,
                                " reports/s: one thread"));
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("rate", "reports due a second", flags.rate);
  findings.AddCount("reports", "reports", total);
  findings.AddCount("deliveries", "deliveries", by_wall.deliveries + by_thread.deliveries);
  findings.Add("reports_per_batch", "reports handed over at once, mean",
               static_cast<double>(total) / static_cast<double>(by_wall.batches));
  findings.Add("busy_share", "of the time in the engine and the sink",
               by_wall.busy_s / static_cast<double>(flags.seconds));
  AddPercentiles("", "by the wall", by_wall.histogram, &findings);
  AddPercentiles("idle_", "by the wall, nothing to do", idle, &findings);
  AddPercentiles("thread_", "by the thread's own time", by_thread.histogram, &findings);
  if (load.engine().stats().reports_accepted - accepted_before != 2 * total) {
    findings.Void("the engine refused reports");
  }
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
