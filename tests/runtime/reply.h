#ifndef NEARBY_TESTS_RUNTIME_REPLY_H_
#define NEARBY_TESTS_RUNTIME_REPLY_H_

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nearby::test {

/// What a completion brought, and how often it came. Copies are of the same completion, which may
/// come when all of them are gone.
///
/// Thread-safe.
template <typename Result>
class Reply {
 public:
  /// To be given to the call; `then` runs within the completion, which counts once that has been.
  template <typename Then>
  auto DoneAnd(Then then) const {
    return [state = state_, then = std::move(then)](Result result) mutable {
      then(result);
      const std::lock_guard<std::mutex> lock(state->mutex);
      ++state->times;
      state->thread = std::this_thread::get_id();
      if (!state->result.has_value()) state->result.emplace(std::move(result));
    };
  }
  auto Done() const {
    return DoneAnd([](const Result&) {});
  }

  int times() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->times;
  }
  std::thread::id thread() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->thread;
  }
  /// The first one. It must have come.
  const Result& operator*() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->result.value();
  }
  const Result* operator->() const { return &**this; }
  /// Whether the first completion was Ok.
  bool is_ok() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->result.has_value() && IsOk(*state_->result);
  }
  /// That of the first completion; FailedPrecondition if none has come.
  absl::Status status() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (!state_->result.has_value()) return absl::FailedPreconditionError("not completed");
    return StatusOf(*state_->result);
  }
  absl::StatusCode code() const { return status().code(); }

 private:
  struct State {
    mutable std::mutex mutex;
    int times = 0;
    std::thread::id thread;
    std::optional<Result> result;
  };

  static bool IsOk(const absl::Status& status) { return status.ok(); }
  template <typename T>
  static bool IsOk(const absl::StatusOr<T>& result) {
    return result.ok();
  }
  static absl::Status StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static absl::Status StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_REPLY_H_
