#ifndef NEARBY_TESTS_SIM_ARGUMENTS_H_
#define NEARBY_TESTS_SIM_ARGUMENTS_H_

#include <cstdint>
#include <optional>

#include "src/base/planted_bugs.h"
#include "tests/sim/world.h"

namespace nearby::sim {

/// What the program is asked to do.
struct Arguments {
  enum class Task : std::uint8_t {
    kSimulate,  ///< all seeds, with no bug
    kCatchBug,  ///< seeds until the bug has been caught
    kCatchAll,  ///< the same for each bug
    kListBugs,
  };

  Task task = Task::kSimulate;
  PlantedBug bug = PlantedBug::kNone;
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 100;
  WorldOptions world;
  bool is_verbose = false;
};

/// How to call it.
extern const char* const kUsage;

/// Nothing if it makes no sense.
std::optional<Arguments> ParseArguments(int argc, char** argv);

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_ARGUMENTS_H_
