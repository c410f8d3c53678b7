#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/median.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/churn_turns.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;

/// Lets users connect anew, a few at a time.
class Churn {
 public:
  Churn(const Flags& flags, capacity::EngineSide* engine)
      : flags_(flags), engine_(*engine), turns_(flags, 100.0 / flags.churn_percent) {}

  /// Those whose turn it is after so many reports more.
  void After(std::size_t reports) {
    const std::vector<std::uint32_t> users = turns_.After(reports);
    if (users.empty()) return;
    disconnects_ += engine_.Disconnect(users);
    connects_ += engine_.Connect(users, kOfflineForEachOnline * flags_.friends);
  }

  const Served& disconnects() const { return disconnects_; }
  const Served& connects() const { return connects_; }
  double seconds() const { return disconnects_.seconds + connects_.seconds; }

 private:
  const Flags& flags_;
  capacity::EngineSide& engine_;
  ChurnTurns turns_;
  Served disconnects_;
  Served connects_;
};

// Only slices that follow each other are compared; whoever has come back reports again in a round,
// so that churn lasts beyond the slices with it: rounds between them let it fade.
Served MeasureSlice(const Flags& flags, Churn* churn, capacity::Load* load) {
  Served served;
  for (const Batch& batch : load->NextBatches(flags.chunk)) {
    served += load->engine().ReportAll({&batch, 1});
    if (churn != nullptr) churn->After(batch.reports.size());
  }
  return served;
}

}  // namespace

Findings MeasureChurn(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kAsPeopleDo));
  Start(flags, world, &load);
  Churn churn(flags, &load.engine());
  std::vector<double> report_ratios;
  std::vector<double> total_ratios;
  {
    const capacity::Stage stage("measuring");
    for (std::uint32_t i = 0; i < flags.repetitions; ++i) {
      const Served calm = MeasureSlice(flags, nullptr, &load);
      const double churn_s = churn.seconds();
      const Served busy = MeasureSlice(flags, &churn, &load);
      report_ratios.push_back(busy.seconds / calm.seconds);
      total_ratios.push_back((busy.seconds + churn.seconds() - churn_s) / calm.seconds);
    }
  }

  Findings findings;
  findings.AddText("scenario", "churn");
  findings.Heading(absl::StrCat(flags.churn_percent, " connects to a hundred reports"));
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("connects", "connects, each with ten times the friends",
                    churn.connects().calls);
  findings.Add("report_to_calm", "a report, to one without churn", capacity::Median(report_ratios));
  findings.Add("total_to_calm", "reports and connects, to reports without churn",
               capacity::Median(total_ratios));
  findings.Add("us_per_disconnect", "us a disconnect", 1e6 / churn.disconnects().per_second());
  findings.Add("us_per_connect", "us a connect", 1e6 / churn.connects().per_second());
  if (load.engine().stats().clients != flags.users) findings.Void("somebody did not come back");
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
