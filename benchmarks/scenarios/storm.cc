#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/capacity/engine_side.h"
#include "benchmarks/capacity/load.h"
#include "benchmarks/capacity/movement.h"
#include "benchmarks/capacity/stage.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/setup.h"

namespace scenarios {
namespace {

using capacity::Served;

struct Storm {
  Served disconnects;
  Served connects;
};

Storm MeasureOnce(const Flags& flags, capacity::Load* load) {
  const capacity::Stage stage("going and coming back");
  const auto count =
      static_cast<std::uint32_t>(std::uint64_t{flags.users} * flags.storm_percent / 100);
  const std::vector<std::uint32_t> users = load->SomeUsers(count);
  Storm storm;
  storm.disconnects = load->engine().Disconnect(users);
  storm.connects = load->engine().Connect(users, kOfflineForEachOnline * flags.friends);
  return storm;
}

double SecondsACall(const Served& served) {
  return served.seconds / static_cast<double>(served.calls);
}

}  // namespace

Findings MeasureStorm(const Flags& flags) {
  const capacity::World world = capacity::MakeWorld(WorldOptionsOf(flags));
  capacity::Load load(world, LoadOptionsOf(flags, capacity::Mobility::kAsPeopleDo));
  Start(flags, world, &load);
  const Served before = load.ReportRound();
  const Storm storm = MeasureOnce(flags, &load);
  // Those who came back enter again; then all is as it was.
  const Served first = load.ReportRound();
  const Served after = load.ReportRound();

  Findings findings;
  findings.AddText("scenario", "storm");
  findings.Heading(absl::StrCat(flags.storm_percent, " % of all users go at one instant"));
  findings.AddCount("users", "users", flags.users);
  findings.AddCount("gone", "gone and back", storm.disconnects.calls);
  findings.AddCount("leaves", "leaves that this delivered", storm.disconnects.delivered.count);
  const double report_s = SecondsACall(before);
  findings.Add("disconnect_to_report", "a disconnect, to a report",
               SecondsACall(storm.disconnects) / report_s);
  findings.Add("connect_to_report", "a connect with ten times the friends, to a report",
               SecondsACall(storm.connects) / report_s);
  findings.Add("first_round_to_report", "a report of the first round then, to one before",
               SecondsACall(first) / report_s);
  findings.Add("second_round_to_report", "a report of the second round, to one before",
               SecondsACall(after) / report_s);
  findings.Add("disconnects_core_s_per_million", "core seconds for a million disconnects",
               1e6 * SecondsACall(storm.disconnects));
  findings.Add("connects_core_s_per_million", "core seconds for a million connects",
               1e6 * SecondsACall(storm.connects));
  if (load.engine().stats().clients != flags.users) findings.Void("somebody did not come back");
  Judge(&load, &findings);
  return findings;
}

}  // namespace scenarios
