#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/sphere.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"
#include "benchmarks/scenarios/worlds.h"
#include "nearby/geo.h"
#include "nearby/stats.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;
using capacity::TracedReport;

/// Reports of one kind of user, and the pairs that they concerned.
struct Share {
  Served served;
  std::uint64_t pairs = 0;

  double seconds_a_pair() const { return served.seconds / static_cast<double>(pairs); }
};

/// A second of the trace after the other: everybody's reports of it, then one of each whale.
class Seconds {
 public:
  Seconds(const Flags& flags, capacity::Load* load) : flags_(flags), load_(*load) {}

  void Next() {
    const std::size_t a_second = std::max<std::size_t>(1, (flags_.users + flags_.whales) / 30);
    const std::uint64_t before = Pairs();
    others_.served += load_.engine().ReportAll(load_.NextBatches(a_second));
    const std::uint64_t between = Pairs();
    others_.pairs += between - before;
    for (std::uint32_t whale = 0; whale < flags_.whales; ++whale) ReportWhale(flags_.users + whale);
    whales_.pairs += Pairs() - between;
  }

  const Share& whales() const { return whales_; }
  const Share& others() const { return others_; }
  double longest_whale_s() const { return longest_whale_s_; }

 private:
  std::uint64_t Pairs() const {
    const nearby::EngineStats stats = load_.engine().stats();
    return stats.checks + stats.skipped;
  }

  void ReportWhale(std::uint32_t whale) {
    constexpr double kStepMeters = 2;
    const nearby::LatLng there = load_.trace().movement().reported(whale).ToLatLng();
    const double north_m = kStepMeters * random_.RoughNormal();
    const TracedReport report = {whale, capacity::Moved(there, north_m, 0), load_.trace().now()};
    const Batch batch = {{&report, 1}, report.time};
    const Served served = load_.engine().ReportAll({&batch, 1});
    longest_whale_s_ = std::max(longest_whale_s_, served.seconds);
    whales_.served += served;
  }

  const Flags& flags_;
  capacity::Load& load_;
  capacity::Random random_{1};
  Share whales_;
  Share others_;
  double longest_whale_s_ = 0;
};

void MeasureIn(const Flags& flags, const capacity::World& without, capacity::Mobility mobility,
               absl::string_view key, absl::string_view name, Findings* findings) {
  const capacity::World world =
      WithWhales(without, flags.whales, flags.whale_friends, flags.seed + 6);
  capacity::Load load(world, LoadOptionsOf(flags, mobility));
  Start(flags, world, &load);
  Seconds seconds(flags, &load);
  {
    const capacity::Stage stage(absl::StrCat("measuring, ", name));
    for (std::uint32_t i = 0; i < 10 * flags.repetitions; ++i) seconds.Next();
  }
  const Share& whales = seconds.whales();
  const auto reports = static_cast<double>(whales.served.calls);
  findings->Heading(absl::StrCat("Whales with ", flags.whale_friends, " friends online, ", name));
  findings->AddCount(absl::StrCat(key, "_reports"), "reports of whales", whales.served.calls);
  findings->Add(absl::StrCat(key, "_deliveries_per_report"), "deliveries a report",
                static_cast<double>(whales.served.delivered.count) / reports);
  findings->Add(absl::StrCat(key, "_pair_to_others"), "a pair of theirs, to one of others",
                whales.seconds_a_pair() / seconds.others().seconds_a_pair());
  findings->Add(absl::StrCat(key, "_core_share"), "one who reports every second, of a core",
                whales.served.seconds / reports);
  findings->Add(absl::StrCat(key, "_longest_report_us"), "longest report, us",
                1e6 * seconds.longest_whale_s());
  Judge(&load, findings);
}

}  // namespace

Findings MeasureWhales(const Flags& flags) {
  Findings findings;
  findings.AddText("scenario", "whales");
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("whales", "whales", flags.whales);
  MeasureIn(flags, capacity::MakeWorld(WorldOptionsOf(flags)), capacity::Mobility::kAsPeopleDo,
            "spread", "spread over the world", &findings);
  MeasureIn(flags, MakeTown(WorldOptionsOf(flags)), capacity::Mobility::kNobody, "town",
            "all in one town", &findings);
  return findings;
}

}  // namespace scenarios
