#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "benchmarks/scenarios/worlds.h"
#include "nearby/time.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;
using capacity::TracedReport;

constexpr std::int64_t kTtlMs = 600'000;

/// What Engine::Advance took, call by call.
struct Ticks {
  std::uint64_t count = 0;
  double seconds = 0;
  double longest_s = 0;
  double report_seconds = 0;

  void Add(const Served& tick) {
    ++count;
    seconds += tick.seconds;
    longest_s = std::max(longest_s, tick.seconds);
  }
};

/// Users come one after the other over some time, then stay, each with a report every 30 s: so the
/// times to live are as spread as the arrivals were.
class Crowd {
 public:
  Crowd(const Flags& flags, capacity::Load* load) : flags_(flags), load_(*load) {}

  Ticks RunUntil(nearby::Time end) {
    Ticks ticks;
    while (load_.trace().now() < end) {
      for (const Batch& batch : load_.NextBatches(flags_.chunk)) {
        ticks.Add(load_.engine().Advance(batch.now));
        arrived_.clear();
        for (const TracedReport& report : batch.reports) {
          if (HasArrived(report)) arrived_.push_back(report);
        }
        if (arrived_.empty()) continue;
        // The time has come already: what follows is reports alone.
        const Batch reports = {arrived_, batch.now};
        ticks.report_seconds += load_.engine().ReportAll({&reports, 1}).seconds;
      }
    }
    return ticks;
  }

  /// Everybody falls silent: ticks until the last time to live is over.
  Ticks RunOut() {
    Ticks ticks;
    constexpr std::int64_t kTickMs = 100;
    const std::int64_t start_ms = load_.trace().now().ms;
    for (std::int64_t ms = start_ms; ms <= start_ms + kTtlMs; ms += kTickMs) {
      ticks.Add(load_.engine().Advance({ms}));
    }
    return ticks;
  }

 private:
  bool HasArrived(const TracedReport& report) const {
    const auto arrival_ms =
        static_cast<std::int64_t>(capacity::Mix(report.user) % (flags_.arrival_s * 1'000ull));
    return report.time.ms - capacity::kTraceStart.ms >= arrival_ms;
  }

  const Flags& flags_;
  capacity::Load& load_;
  std::vector<TracedReport> arrived_;
};

void Describe(const Flags& flags, double simulated_s, const Ticks& renewed, Findings* findings) {
  findings->AddText("scenario", "expiry");
  findings->Heading(absl::StrCat("Times to live of 10 min, renewed every 30 s, begun over ",
                                 flags.arrival_s, " s"));
  findings->AddCount("users", "users", flags.users);
  findings->Add("simulated_s", "measured, s of the trace", simulated_s);
  findings->AddCount("ticks", "calls of Advance", renewed.count);
  findings->Add("core_share", "Advance, of one core", renewed.seconds / simulated_s);
  findings->Add("advance_to_reports", "Advance to the reports of users without friends",
                renewed.seconds / renewed.report_seconds);
  findings->Add("longest_tick_us", "longest call of Advance, us", 1e6 * renewed.longest_s);
}

}  // namespace

Findings MeasureExpiry(const Flags& flags) {
  const capacity::World world = MakeStrangers(flags.users);
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kNobody));
  Connect(flags, world, &load);
  Crowd crowd(flags, &load);
  Findings findings;
  {
    const capacity::Stage stage("letting everybody come, and renewing");
    // Each time to live has been put off once, and whoever is filed is filed as in years to come.
    crowd.RunUntil({capacity::kTraceStart.ms + kTtlMs + flags.arrival_s * 1'000});
    const nearby::Time begin = load.trace().now();
    const Ticks renewed = crowd.RunUntil({begin.ms + flags.minutes * 60'000});
    Describe(flags, static_cast<double>(load.trace().now().ms - begin.ms) / 1e3, renewed,
             &findings);
  }
  const std::uint64_t expired_before = load.engine().stats().expiries;
  const Ticks last = crowd.RunOut();
  const std::uint64_t expired = load.engine().stats().expiries;
  findings.AddCount("expiries", "all fall silent: expiries", expired);
  findings.Add("ns_per_expiry", "ns an expiry",
               1e9 * last.seconds / static_cast<double>(expired - expired_before));
  findings.Add("longest_last_tick_us", "longest call of Advance then, us", 1e6 * last.longest_s);
  if (expired_before != 0 || expired != flags.users) {
    findings.Void(absl::StrCat(expired_before, " expired too early, ", expired, " in all"));
  }
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
