#include "tests/engine/scenario_file.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace nearby::test {

bool IsBlankOrComment(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  return line.empty() || line[0] == '#';
}

absl::StatusOr<Scenario> ParseScenario(absl::string_view text) {
  Scenario scenario;
  ScenarioStep step;
  bool has_commands = false;
  bool in_output = false;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (in_output) {
      if (!line.empty()) {
        absl::StrAppend(&step.expected, line, "\n");
        continue;
      }
      scenario.steps.push_back(std::exchange(step, ScenarioStep()));
      in_output = has_commands = false;
    } else if (line == "----") {
      if (!has_commands) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", number, ": `----` without a command"));
      }
      in_output = true;
    } else {
      if (!has_commands && !IsBlankOrComment(line)) {
        has_commands = true;
        step.line = number;
      }
      step.head.emplace_back(line);
    }
  }
  if (in_output) {
    scenario.steps.push_back(std::exchange(step, ScenarioStep()));
  } else if (has_commands) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", step.line, ": commands without `----`"));
  }
  scenario.tail = step.head;
  while (!scenario.tail.empty() && scenario.tail.back().empty()) scenario.tail.pop_back();
  return scenario;
}

std::string FormatScenario(const Scenario& scenario) {
  std::string text;
  for (const ScenarioStep& step : scenario.steps) {
    if (!text.empty()) absl::StrAppend(&text, "\n");
    absl::StrAppend(&text, absl::StrJoin(step.head, "\n"), "\n----\n", step.expected);
  }
  if (!scenario.tail.empty()) {
    absl::StrAppend(&text, "\n", absl::StrJoin(scenario.tail, "\n"), "\n");
  }
  return text;
}

}  // namespace nearby::test
