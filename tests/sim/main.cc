#include <cstdint>
#include <cstdio>
#include <optional>
#include <vector>

#include "nearby/ring_source.h"
#include "tests/sim/arguments.h"
#include "tests/sim/catch_bugs.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/report.h"
#include "tests/sim/rings.h"
#include "tests/sim/seeds.h"

namespace nearby::sim {
namespace {

int Simulate(const Arguments& arguments, const std::vector<RingSource::Ring>& rings) {
  Report report;
  for (std::uint64_t seed = arguments.first_seed; seed <= arguments.last_seed; ++seed) {
    RunSeed(arguments.world, rings, seed, &report);
  }
  if (arguments.is_verbose) report.PrintFaults();
  report.PrintSummary();
  return report.violations() == 0 ? 0 : 1;
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
