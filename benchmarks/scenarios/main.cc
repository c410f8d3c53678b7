// nearby_scenarios: what the engine does in situations of their own, each beside something that
// makes a ratio of it. See kHelp.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/flag_values.h"
#include "benchmarks/capacity/output_text.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/scenarios.h"

namespace {

constexpr int kVoidOrCannotWrite = 1;
constexpr int kBadCommandLine = 2;

constexpr char kHelp[] =
    R"(Measures the nearby engine in situations of their own, each beside something measured in the same
run: trust the ratios, not the times.

  nearby_scenarios SCENARIO [options]

Scenarios
  in-sight         all friends of everybody in sight, beside a loop that only writes the deliveries
  whales           a few users with thousands of friends, who report every second
  storm            many go at one instant and come back
  churn            some connect anew all the while
  expiry           nothing but times to live, renewed every 30 s
  latency          reports at a fixed pace: from due to the clients' bytes
  runtime-latency  the same through a runtime, from one thread to another
  hops             the same reports through runtimes with one to four shards, in one thread
  shards           several engines, each with a thread of its own, beside one; some connect anew
  nodes            the same reports through many nodes: messages between them
  ring-change      pub/sub servers come, go, are replaced and die under several nodes: what moves,
                   how fast, who is without news, and that all is made up for

Options, with defaults
  --users N (100000)          --friends N (40)       --seed N (1)
  --skipping on|off (on)      EngineOptions::skip_far_pairs
  --batch N (1024)            reports that are handed over at once
  --warmup-rounds N (2)       times that everybody reports before anything is measured
  --repetitions N (9)         slices measured; medians are shown
  --chunk N (50000)           reports in a slice
  --whales N (10)             --whale-friends N (5000)
  --storm-percent N (50)      of all users, in storm
  --churn-percent N (1)       connects to a hundred reports, in churn; of all users, in nodes
  --arrival-s N (600)         time over which users first report, in expiry: the time to live for what
                              is usual, 30 for all at once
  --minutes N (10)            of the trace that expiry measures
  --rate N (334000)           reports a second, in latency and runtime-latency
  --seconds N (10)            that these last
  --shards N (2)              in shards: engines and threads
  --placement region|hash|apart (region)
                              in shards: where users are at home, by where they live or by their
                              ids; apart: by where they live, and nobody has friends elsewhere
  --reports-per-churn N (1000)
                              in shards: reports for each who connects anew
  --nodes N                   in nodes (100) and ring-change (8)
  --pace N (500)              resubscriptions a second that each node may make, in ring-change
  --json FILE                 writes one JSON object as well; "-" is standard output

Exit status: 0 if all went well; 1 if the run is void or the output could not be written; 2 if the
command line is wrong.
)";

struct Scenario {
  absl::string_view name;
  scenarios::Findings (*measure)(const scenarios::Flags& flags);
};

constexpr Scenario kScenarios[] = {
    {"in-sight", scenarios::MeasureAllInSight},
    {"whales", scenarios::MeasureWhales},
    {"storm", scenarios::MeasureStorm},
    {"churn", scenarios::MeasureChurn},
    {"expiry", scenarios::MeasureExpiry},
    {"latency", scenarios::MeasureLatency},
    {"runtime-latency", scenarios::MeasureRuntimeLatency},
    {"hops", scenarios::MeasureHops},
    {"shards", scenarios::MeasureShards},
    {"nodes", scenarios::MeasureNodes},
    {"ring-change", scenarios::MeasureRingChange},
};

const Scenario* Find(absl::string_view name) {
  for (const Scenario& scenario : kScenarios) {
    if (scenario.name == name) return &scenario;
  }
  return nullptr;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  if (status.code() != absl::StatusCode::kInvalidArgument) return kVoidOrCannotWrite;
  std::fputs("Try: nearby_scenarios --help\n", stderr);
  return kBadCommandLine;
}

int Run(const Scenario& scenario, const scenarios::Flags& flags) {
  const scenarios::Findings findings = scenario.measure(flags);
  // Standard output is the JSON's alone if it goes there.
  std::fputs(findings.ToTable().c_str(), flags.json == "-" ? stderr : stdout);
  if (!flags.json.empty()) {
    const absl::Status status = capacity::WriteText(flags.json, findings.ToJson());
    if (!status.ok()) return Fail(status);
  }
  return findings.is_void() ? kVoidOrCannotWrite : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (capacity::AsksForHelp(arguments)) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (arguments.empty()) return Fail(absl::InvalidArgumentError("a scenario expected"));
  const Scenario* scenario = Find(arguments[0]);
  if (scenario == nullptr) {
    return Fail(absl::InvalidArgumentError("no such scenario: " + std::string(arguments[0])));
  }
  const absl::StatusOr<scenarios::Flags> flags =
      scenarios::ParseFlags(absl::MakeConstSpan(arguments).subspan(1));
  return flags.ok() ? Run(*scenario, *flags) : Fail(flags.status());
}
