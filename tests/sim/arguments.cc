#include "tests/sim/arguments.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/sim/planted_bugs.h"

namespace nearby::sim {
namespace {

bool ParseSeeds(const std::string& text, Arguments* arguments) {
  const std::vector<std::string> parts = absl::StrSplit(text, "..");
  if (!absl::SimpleAtoi(parts.front(), &arguments->first_seed)) return false;
  arguments->last_seed = arguments->first_seed;
  if (parts.size() == 1) return true;
  return parts.size() == 2 && absl::SimpleAtoi(parts[1], &arguments->last_seed) &&
         arguments->last_seed >= arguments->first_seed;
}

bool ParseBug(const std::string& text, Arguments* arguments) {
  if (text == "all") {
    arguments->task = Arguments::Task::kCatchAll;
    return true;
  }
  const std::optional<PlantedBug> bug = FindBug(text);
  if (!bug) return false;
  arguments->task = Arguments::Task::kCatchBug;
  arguments->bug = *bug;
  return true;
}

bool ParseNodes(const std::string& text, Arguments* arguments) {
  return absl::SimpleAtoi(text, &arguments->world.nodes) && arguments->world.nodes > 0 &&
         arguments->world.nodes <= 100;
}

bool ParseFaults(const std::string& text, Arguments* arguments) {
  arguments->world.has_faults = text == "on";
  return text == "on" || text == "off";
}

bool ParseValue(const std::string& name, const std::string& value, Arguments* arguments) {
  if (name == "--seeds") return ParseSeeds(value, arguments);
  if (name == "--steps") return absl::SimpleAtoi(value, &arguments->world.steps);
  if (name == "--nodes") return ParseNodes(value, arguments);
  if (name == "--faults") return ParseFaults(value, arguments);
  if (name == "--bug") return ParseBug(value, arguments);
  return false;
}

}  // namespace

const char* const kUsage =
    "usage: nearby_sim [--seeds A..B] [--steps N] [--nodes N] [--faults on|off] [--verbose]\n"
    "       nearby_sim --bug NAME|all [--seeds A..B] [--steps N] ...\n"
    "       nearby_sim --list-bugs\n"
    "--seeds: 1..100 if not given; with --bug 1..1000, for some bugs hide well.\n"
    "--nodes: 1 to 100; else two to five, by chance. With more than five all grows with them.\n"
    "--steps: among faults, in a world of at most five nodes; in larger ones as many more.\n"
    "--bug: seeds until one finds it. Each bug has a process, which an assertion may end.\n";

std::optional<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  bool has_seeds = false;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    has_seeds = has_seeds || name == "--seeds";
    if (name == "--verbose") {
      arguments.is_verbose = true;
    } else if (name == "--list-bugs") {
      arguments.task = Arguments::Task::kListBugs;
    } else if (i + 1 == argc || !ParseValue(name, argv[++i], &arguments)) {
      return std::nullopt;
    }
  }
  const bool is_for_bugs =
      arguments.task == Arguments::Task::kCatchBug || arguments.task == Arguments::Task::kCatchAll;
  if (is_for_bugs && !has_seeds) arguments.last_seed = 1000;
  return arguments;
}

}  // namespace nearby::sim
