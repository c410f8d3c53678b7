#ifndef NEARBY_TESTS_HOST_ANSWER_H_
#define NEARBY_TESTS_HOST_ANSWER_H_

#include <cstddef>
#include <optional>

#include "gtest/gtest.h"
#include "src/testing/awaited.h"
#include "tests/host/patience.h"

namespace nearby::test {

/// What a call completes with, from any thread, as the conformance suites wait for it; but a test
/// fails unless it comes, once. Result is a Status or a StatusOr. A handle: copies are the same.
template <typename Result>
class Answer {
 public:
  /// To be handed to the call, once.
  auto Done() { return awaited_.Done(); }

  std::size_t times() const { return awaited_.times(); }

  /// Waits for it, and fails the test unless it comes, once. For one thread.
  const Result& Get() const {
    if (!result_.has_value()) result_.emplace(awaited_.Get(kPatience));
    EXPECT_EQ(times(), 1u) << internal::StatusOf(*result_);
    return *result_;
  }

 private:
  internal::Awaited<Result> awaited_;
  mutable std::optional<Result> result_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_HOST_ANSWER_H_
