#ifndef NEARBY_TESTS_ADAPTERS_AWAITED_H_
#define NEARBY_TESTS_ADAPTERS_AWAITED_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "gtest/gtest.h"

namespace adapters::test {

/// How long a test waits for what should come before it gives up.
inline constexpr std::chrono::seconds kPatience{30};

/// Receives what a call completes with, from any thread, and lets the test wait for it.
template <typename Result>
class Awaited {
 public:
  /// To be handed to the call.
  auto Done() {
    return [state = state_](Result result) {
      const std::lock_guard<std::mutex> lock(state->mutex);
      ++state->times;
      state->result.emplace(std::move(result));
      state->completed.notify_all();
    };
  }

  /// Waits for it, and fails the test unless it comes, once. Moves it out, to be called once: of a
  /// status that two threads hold, ThreadSanitizer says what is not so, for it does not see into
  /// Abseil's shared objects.
  Result Get() {
    std::unique_lock<std::mutex> lock(state_->mutex);
    if (!state_->completed.wait_for(lock, kPatience, [this] { return state_->times > 0; })) {
      ADD_FAILURE() << "the call has not completed";
      std::abort();
    }
    EXPECT_EQ(state_->times, 1u);
    return *std::move(state_->result);
  }

  std::size_t times() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->times;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable completed;
    std::size_t times = 0;
    std::optional<Result> result;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Whether the condition has come to hold before patience ended.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up_at) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace adapters::test

#endif  // NEARBY_TESTS_ADAPTERS_AWAITED_H_
