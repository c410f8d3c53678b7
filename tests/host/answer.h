#ifndef NEARBY_TESTS_HOST_ANSWER_H_
#define NEARBY_TESTS_HOST_ANSWER_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "gtest/gtest.h"

namespace nearby::test {

/// Receives what a call completes with, from any thread, and counts how often it does.
template <typename Result>
class Answer {
 public:
  /// To be handed to the call.
  auto Done() {
    return [state = state_](Result result) {
      const std::lock_guard<std::mutex> lock(state->mutex);
      ++state->times;
      state->result.emplace(std::move(result));
    };
  }

  std::size_t times() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->times;
  }

  /// Requires that the call has completed; fails the test unless it has done so once.
  const Result& Get() const {
    EXPECT_EQ(times(), 1u);
    return *state_->result;
  }

 private:
  struct State {
    std::mutex mutex;
    std::size_t times = 0;
    std::optional<Result> result;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_HOST_ANSWER_H_
