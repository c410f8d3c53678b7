#ifndef NEARBY_TESTS_ENGINE_SCENARIO_FILE_H_
#define NEARBY_TESTS_ENGINE_SCENARIO_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nearby::test {

/// A scenario as a person reads it: steps, each of comments, commands, a line `----`, and what must
/// come of them up to the next empty line. The form is that of etcd-io/raft's interaction tests.
///
///   # They meet.
///   report alice home
///   report bob home+500mN
///   ----
///   12:00:00.000 alice: enter bob 500.000 m
///   12:00:00.000 bob: enter alice 500.000 m
struct ScenarioStep {
  int line = 0;                   ///< Of its first command, counted from 1.
  std::vector<std::string> head;  ///< Commands, comments and empty lines, up to the `----`.
  std::string expected;           ///< Lines, each ending in a newline.
};

struct Scenario {
  std::vector<ScenarioStep> steps;
  std::vector<std::string> tail;  ///< Comments after the last step.
};

/// `InvalidArgument` for commands without a `----`.
absl::StatusOr<Scenario> ParseScenario(absl::string_view text);
std::string FormatScenario(const Scenario& scenario);

/// Whether a line of a step's head is no command.
bool IsBlankOrComment(absl::string_view line);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_SCENARIO_FILE_H_
