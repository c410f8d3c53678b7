#ifndef NEARBY_TESTS_CONFORMANCE_FAILED_CLAUSES_H_
#define NEARBY_TESTS_CONFORMANCE_FAILED_CLAUSES_H_

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nearby/testing/conformance.h"

namespace nearby::test {

/// Runs all of a suite's tests: the clauses of those that fail. What each says goes into `said`.
inline std::set<int> FailedClauses(const std::vector<ConformanceCase>& cases,
                                   std::string* said = nullptr) {
  std::set<int> failed;
  for (const ConformanceCase& one : cases) {
    ConformanceReport report;
    RunConformanceCase(one, &report);
    for (const std::string& failure : report.failures()) {
      failed.insert(one.clause);
      if (said != nullptr) *said += one.name + ": " + failure + "\n";
    }
  }
  return failed;
}

/// The clause of the one test that is to fail, or none if it is 0.
inline void ExpectFails(int clause, const std::vector<ConformanceCase>& cases) {
  std::string said;
  const std::set<int> expected = clause == 0 ? std::set<int>() : std::set<int>{clause};
  EXPECT_EQ(FailedClauses(cases, &said), expected) << said;
}

/// The clauses of those that are skipped, for want of a hook.
inline std::vector<std::string> SkippedCases(const std::vector<ConformanceCase>& cases) {
  std::vector<std::string> skipped;
  for (const ConformanceCase& one : cases) {
    ConformanceReport report;
    RunConformanceCase(one, &report);
    if (report.skipped().has_value()) skipped.push_back(one.name);
  }
  return skipped;
}

}  // namespace nearby::test

#endif  // NEARBY_TESTS_CONFORMANCE_FAILED_CLAUSES_H_
