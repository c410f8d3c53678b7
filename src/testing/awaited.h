#ifndef NEARBY_SRC_TESTING_AWAITED_H_
#define NEARBY_SRC_TESTING_AWAITED_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace nearby::internal {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

/// Copies that share nothing. Copies of a status share its message, and count who does within
/// Abseil, where ThreadSanitizer does not see that they are right to.
inline absl::Status Apart(const absl::Status& status) { return {status.code(), status.message()}; }
template <typename T>
absl::StatusOr<T> Apart(const absl::StatusOr<T>& result) {
  if (!result.ok()) return Apart(result.status());
  return result;
}

/// What one call completes with, from any thread, how often it does, and whether its `done` is
/// destroyed uncalled. A handle: copies are the same. Result is a Status or a StatusOr.
///
/// Thread-safe.
template <typename Result>
class Awaited {
 public:
  /// Runs within the first completion.
  using Then = std::function<void()>;

  /// For the call; to be taken once.
  auto Done(Then then = nullptr) {
    return [guard = std::make_unique<Guard>(state_), then = std::move(then)](Result result) {
      if (guard->Complete(std::move(result)) && then) then();
    };
  }
  /// The same for whatever completes with a status or a value: what a Completion keeps.
  auto AnyDone(Then then = nullptr) {
    return [done = Done(std::move(then))](const auto& result) { done(Apart(StatusOf(result))); };
  }

  /// What it completed with, which is waited for at most so long. `Cancelled` if the `done` was
  /// destroyed uncalled, `DeadlineExceeded` if nothing came.
  Result Get(absl::Duration patience) const {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->settled.wait_for(lock, absl::ToChronoNanoseconds(patience),
                             [this] { return state_->is_over || state_->result.has_value(); });
    if (state_->result.has_value()) return Apart(*state_->result);
    if (state_->is_over) return absl::CancelledError("its done was destroyed uncalled");
    return absl::DeadlineExceededError("it has not completed");
  }

  std::size_t times() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->times;
  }
  /// Whether the `done` was called or destroyed.
  bool is_settled() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->times > 0 || state_->is_over;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable settled;
    std::size_t times = 0;
    bool is_over = false;  // the `done` is gone
    std::optional<Result> result;
  };

  // Lives as long as the `done`.
  class Guard {
   public:
    explicit Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~Guard() {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      state_->is_over = true;
      state_->settled.notify_all();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    // Whether it is the first time.
    bool Complete(Result result) const {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      if (++state_->times > 1) return false;
      // Whoever made the status may hold it still, on another thread.
      state_->result.emplace(Apart(result));
      state_->settled.notify_all();
      return true;
    }

   private:
    std::shared_ptr<State> state_;
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

using Completion = Awaited<absl::Status>;

}  // namespace nearby::internal

#endif  // NEARBY_SRC_TESTING_AWAITED_H_
