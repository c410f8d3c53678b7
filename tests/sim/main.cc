#include <cinttypes>
#include <cstdio>
#include <optional>
#include <vector>

#include "nearby/ring_source.h"
#include "tests/sim/arguments.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/report.h"
#include "tests/sim/rings.h"
#include "tests/sim/world.h"

namespace nearby::sim {
namespace {

using Rings = std::vector<RingSource::Ring>;

bool RunSeed(const Arguments& arguments, const Rings& rings, std::uint64_t seed, Report* report) {
  WorldOptions options = arguments.world;
  options.seed = seed;
  World world(options, rings);
  const bool was_right = world.Run();
  report->Add(seed, was_right, world);
  return was_right;
}

int Simulate(const Arguments& arguments, const Rings& rings) {
  Report report;
  for (std::uint64_t seed = arguments.first_seed; seed <= arguments.last_seed; ++seed) {
    RunSeed(arguments, rings, seed, &report);
  }
  if (arguments.is_verbose) report.PrintFaults();
  report.PrintSummary();
  return report.violations() == 0 ? 0 : 1;
}

// Whether it has been caught, by a seed that without it is right; says after how many.
bool Catch(const BugName& bug, const Arguments& arguments, const Rings& rings) {
  Report report;
  Plant(bug.bug);
  std::uint64_t seed = arguments.first_seed;
  while (seed <= arguments.last_seed && RunSeed(arguments, rings, seed, &report)) ++seed;
  Plant(PlantedBug::kNone);
  Report without;
  const bool is_caught = report.violations() != 0 && RunSeed(arguments, rings, seed, &without);
  std::printf("bug %s: %s after %" PRIu64 " seeds\n", bug.name, is_caught ? "caught" : "NOT CAUGHT",
              report.seeds());
  if (arguments.is_verbose) report.PrintFaults();
  report.PrintSummary();
  return is_caught;
}

int CatchBugs(const Arguments& arguments, const Rings& rings) {
  bool are_caught = true;
  for (const BugName& bug : AllBugs()) {
    const bool is_asked_for =
        arguments.task == Arguments::Task::kCatchAll || bug.bug == arguments.bug;
    if (is_asked_for && !Catch(bug, arguments, rings)) are_caught = false;
  }
  return are_caught ? 0 : 1;
}

int Main(int argc, char** argv) {
  const std::optional<Arguments> arguments = ParseArguments(argc, argv);
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  switch (arguments->task) {
    case Arguments::Task::kListBugs:
      for (const BugName& bug : AllBugs()) std::printf("%s\n", bug.name);
      return 0;
    case Arguments::Task::kSimulate:
      return Simulate(*arguments, MakeRings());
    default:
      return CatchBugs(*arguments, MakeRings());
  }
}

}  // namespace
}  // namespace nearby::sim

int main(int argc, char** argv) { return nearby::sim::Main(argc, argv); }
