#ifndef NEARBY_TESTS_SIM_PLANTED_BUGS_H_
#define NEARBY_TESTS_SIM_PLANTED_BUGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/base/planted_bugs.h"

namespace nearby::sim {

/// A bug that can be switched on in the simulator's copy of the library.
struct BugName {
  PlantedBug bug = PlantedBug::kNone;
  const char* name = "";
};

/// All of them, in the order of their declaration.
std::vector<BugName> AllBugs();
/// Nothing if none is called so.
std::optional<PlantedBug> FindBug(absl::string_view name);

}  // namespace nearby::sim

#endif  // NEARBY_TESTS_SIM_PLANTED_BUGS_H_
