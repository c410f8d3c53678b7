#ifndef NEARBY_SRC_TESTING_CALL_SCRIPT_STATE_H_
#define NEARBY_SRC_TESTING_CALL_SCRIPT_STATE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "nearby/ids.h"
#include "nearby/testing/call_script.h"

namespace nearby {

/// Shared with the calls that are under way in the wrapped store, which may answer after the script
/// is gone.
struct CallScript::State {
  using Answer = absl::AnyInvocable<void()>;

  /// Kept apart from a Status, whose copies share memory across the threads that answer.
  struct Failure {
    absl::StatusCode code = absl::StatusCode::kUnknown;
    std::string message;

    absl::Status ToStatus() const { return absl::Status(code, message); }
  };

  /// What becomes of a call, decided when it is made.
  struct Fate {
    bool carried_out = true;
    bool lost = false;
    std::optional<Failure> failure;
  };
  struct Script {
    std::size_t calls = 0;
    Fate fate;
  };
  struct Held {
    std::vector<UserId> users;
    Answer answer;
  };

  static Failure FailureOf(const absl::Status& status);
  void Add(Script script);
  Fate Begin();
  void Finish(const Fate& fate, std::vector<UserId> users, Answer answer);
  void Give(Answer answer);
  void RunThread();
  /// Gives the answer that `find` points at, if there is one; it is called with the lock held.
  template <typename Find>
  bool Release(Find find) {
    Answer answer;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      const auto it = find(held);
      if (it == held.end()) return false;
      answer = std::move(it->answer);
      held.erase(it);
    }
    Give(std::move(answer));
    return true;
  }
  void Close();

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool is_holding = false;
  bool is_closed = false;
  bool on_own_thread = false;
  std::deque<Script> scripts;
  std::deque<Held> held;
  std::vector<Answer> lost;
  Counts counts;
  std::thread thread;
  std::deque<Answer> for_thread;
  bool thread_is_busy = false;
};

/// How a scripted store makes a call.
class ScriptedCalls {
 public:
  /// `start` makes the call at the wrapped store with the `Done` it is given. A Result is a Status
  /// or a StatusOr.
  template <typename Result, typename Start>
  static void Make(const CallScript& script, std::vector<UserId> users,
                   absl::AnyInvocable<void(Result)> done, Start start) {
    const std::shared_ptr<CallScript::State> state = script.state_;
    CallScript::State::Fate fate = state->Begin();
    if (!fate.carried_out) {
      Answer(*state, fate, std::move(users), std::move(done), Result());
      return;
    }
    start([state, fate = std::move(fate), users = std::move(users),
           done = std::move(done)](Result result) mutable {
      Answer(*state, fate, std::move(users), std::move(done), std::move(result));
    });
  }

 private:
  template <typename Result>
  static void Answer(CallScript::State& state, const CallScript::State::Fate& fate,
                     std::vector<UserId>&& users, absl::AnyInvocable<void(Result)> done,
                     Result result) {
    if (fate.failure.has_value()) result = fate.failure->ToStatus();
    state.Finish(fate, std::move(users),
                 [done = std::move(done), result = std::move(result)]() mutable {
                   done(std::move(result));
                 });
  }
};

}  // namespace nearby

#endif  // NEARBY_SRC_TESTING_CALL_SCRIPT_STATE_H_
