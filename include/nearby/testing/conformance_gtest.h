#ifndef NEARBY_TESTING_CONFORMANCE_GTEST_H_
#define NEARBY_TESTING_CONFORMANCE_GTEST_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nearby/testing/conformance.h"

namespace nearby {

/// One case as a GoogleTest test.
class ConformanceTest : public ::testing::Test {
 public:
  explicit ConformanceTest(ConformanceCase conformance_case) : case_(std::move(conformance_case)) {}

  void TestBody() override {
    ConformanceReport report;
    RunConformanceCase(case_, &report);
    for (const std::string& failure : report.failures()) ADD_FAILURE() << failure;
    const std::optional<std::string> skipped = report.skipped();
    if (skipped.has_value() && !HasFailure()) GTEST_SKIP() << *skipped;
  }

 private:
  ConformanceCase case_;
};

/// Makes GoogleTest tests of a suite's cases, such as "SqliteFriendStore.Clause6Symmetry". To be
/// called before RUN_ALL_TESTS, and if tests are to be listed, before main:
///
///   const bool kRegistered = nearby::RegisterConformance(
///       "SqliteFriendStore", nearby::FriendStoreConformance([] {
///         nearby::FriendStoreUnderTest test;
///         test.adapter = std::make_unique<SqliteFriendStore>(":memory:");
///         return test;
///       }));
///
/// The header is all there is of it: it uses the GoogleTest that the including program links, and
/// the component `testing` itself needs none. Answers true.
inline bool RegisterConformance(const std::string& suite, std::vector<ConformanceCase> cases) {
  for (ConformanceCase& conformance_case : cases) {
    const std::string name = conformance_case.name;
    ::testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [moved = std::move(conformance_case)]() -> ConformanceTest* {
                              return new ConformanceTest(moved);
                            });
  }
  return true;
}

}  // namespace nearby

#endif  // NEARBY_TESTING_CONFORMANCE_GTEST_H_
