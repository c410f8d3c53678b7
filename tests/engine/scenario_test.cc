// Runs the scenario files of tests/scenarios. After a change that is meant to show there, run with
// NEARBY_REWRITE_SCENARIOS=1 to write what comes out into the files, and read the difference as a
// reviewer would: every line must follow from the semantics.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/engine/scenario_file.h"
#include "tests/engine/scenario_runner.h"

namespace nearby::test {
namespace {

std::filesystem::path Directory() { return std::filesystem::path(NEARBY_TESTS_DIR) / "scenarios"; }

std::vector<std::string> ScenarioNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Directory())) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool IsRewriting() {
  const char* value = std::getenv("NEARBY_REWRITE_SCENARIOS");
  return value != nullptr && std::string(value) == "1";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

/// Runs all steps, with every pair checked and without; returns whether any number of shards must
/// give the same.
bool RunAndCompare(const Scenario& scenario, std::uint32_t shards) {
  bool any_number_of_shards = false;
  for (const bool skip_far_pairs : {true, false}) {
    ScenarioRunner runner(shards, skip_far_pairs);
    for (const ScenarioStep& step : scenario.steps) {
      EXPECT_EQ(runner.Run(step), step.expected)
          << "line " << step.line << ", with " << shards << " shards where that is open, "
          << (skip_far_pairs ? "skipping far pairs" : "checking every pair");
    }
    any_number_of_shards = runner.any_number_of_shards();
  }
  return any_number_of_shards;
}

class ScenarioFile : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioFile, ComesOutAsWritten) {
  const std::filesystem::path path = Directory() / (GetParam() + ".txt");
  const std::string text = ReadFile(path);
  absl::StatusOr<Scenario> scenario = ParseScenario(text);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_FALSE(scenario->steps.empty());
  if (IsRewriting()) {
    ScenarioRunner runner(1);
    for (ScenarioStep& step : scenario->steps) step.expected = runner.Run(step);
    std::ofstream(path, std::ios::binary) << FormatScenario(*scenario);
  } else {
    EXPECT_EQ(FormatScenario(*scenario), text) << "written differently from what a rewrite makes";
  }
  if (!RunAndCompare(*scenario, 1)) return;
  for (const std::uint32_t shards : {2u, 4u, 7u}) RunAndCompare(*scenario, shards);
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioFile, ::testing::ValuesIn(ScenarioNames()),
                         [](const auto& test) { return test.param; });

TEST(ScenarioParser, KeepsEveryLine) {
  const std::string text = "# One.\na b\nc\n----\nok\n\n# Two.\n\nd\n----\nx\ny\n\n# The end.\n";
  const absl::StatusOr<Scenario> scenario = ParseScenario(text);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->steps.size(), 2u);
  EXPECT_EQ(scenario->steps[0].line, 2);
  EXPECT_EQ(scenario->steps[1].expected, "x\ny\n");
  EXPECT_EQ(FormatScenario(*scenario), text);
}

TEST(ScenarioParser, RefusesCommandsWithoutAnAnswerAndAnswersWithoutCommands) {
  EXPECT_EQ(ParseScenario("a\n").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseScenario("# a\n----\nok\n").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ScenarioRunner, SaysWhatIsWrongWithACommand) {
  ScenarioRunner runner(1);
  for (const char* line : {"fly alice", "advance", "advance soon", "report alice nowhere",
                           "nearby alice", "hide alice bob", "stats no_such_counter",
                           "friends-loaded alice v1", "apply v1 alice bob", "carry"}) {
    ScenarioStep step;
    step.head = {line};
    EXPECT_EQ(runner.Run(step).rfind("error: ", 0), 0u) << line;
  }
}

}  // namespace
}  // namespace nearby::test
