#include "nearby/testing/call_script.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/testing/call_script_state.h"

namespace nearby {

CallScript::State::Failure CallScript::State::FailureOf(const absl::Status& status) {
  if (status.ok()) return {absl::StatusCode::kUnknown, "a scripted failure"};
  return {status.code(), absl::StrCat(status.message())};
}

void CallScript::State::Add(Script script) {
  if (script.calls == 0) return;
  const std::lock_guard<std::mutex> lock(mutex);
  scripts.push_back(std::move(script));
}

CallScript::State::Fate CallScript::State::Begin() {
  const std::lock_guard<std::mutex> lock(mutex);
  ++counts.calls;
  Fate fate;
  if (!scripts.empty()) {
    fate = scripts.front().fate;
    if (--scripts.front().calls == 0) scripts.pop_front();
  }
  return fate;
}

void CallScript::State::Finish(const Fate& fate, std::vector<UserId> users, Answer answer) {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (is_closed) return;
    if (fate.lost) {
      ++counts.lost;
      lost.push_back(std::move(answer));
      changed.notify_all();
      return;
    }
    if (fate.failure.has_value()) ++counts.failed;
    if (is_holding) {
      held.push_back({std::move(users), std::move(answer)});
      changed.notify_all();
      return;
    }
  }
  Give(std::move(answer));
}

void CallScript::State::Give(Answer answer) {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ++counts.answered;
    if (on_own_thread && !is_closed) {
      for_thread.push_back(std::move(answer));
      if (!thread.joinable()) thread = std::thread([this] { RunThread(); });
      changed.notify_all();
      return;
    }
  }
  answer();
}

void CallScript::State::RunThread() {
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return is_closed || !for_thread.empty(); });
    if (is_closed) return;
    Answer answer = std::move(for_thread.front());
    for_thread.pop_front();
    thread_is_busy = true;
    lock.unlock();
    answer();
    answer = nullptr;
    lock.lock();
    thread_is_busy = false;
    changed.notify_all();
  }
}

void CallScript::State::Close() {
  // Answers own what they were given; it is destroyed outside the lock.
  std::deque<Held> dropped_held;
  std::vector<Answer> dropped_lost;
  std::deque<Answer> dropped;
  std::thread stopping;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    is_closed = true;
    dropped_held.swap(held);
    dropped_lost.swap(lost);
    dropped.swap(for_thread);
    stopping.swap(thread);
    changed.notify_all();
  }
  if (stopping.joinable()) stopping.join();
}

CallScript::CallScript() : state_(std::make_shared<State>()) {}

CallScript::~CallScript() { state_->Close(); }

void CallScript::Hold() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->is_holding = true;
}

void CallScript::Resume() {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->is_holding = false;
  }
  ReleaseAll();
}

void CallScript::FailNext(std::size_t calls, const absl::Status& status) {
  State::Fate fate;
  fate.carried_out = false;
  fate.failure = State::FailureOf(status);
  state_->Add({calls, std::move(fate)});
}

void CallScript::FailNextAfterwards(std::size_t calls, const absl::Status& status) {
  State::Fate fate;
  fate.failure = State::FailureOf(status);
  state_->Add({calls, std::move(fate)});
}

void CallScript::LoseNext(std::size_t calls) {
  State::Fate fate;
  fate.lost = true;
  state_->Add({calls, std::move(fate)});
}

void CallScript::AnswerOnOwnThread(bool on) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->on_own_thread = on;
}

void CallScript::AwaitAnswers() {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait(lock,
                       [this] { return state_->for_thread.empty() && !state_->thread_is_busy; });
}

std::vector<std::vector<UserId>> CallScript::held() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::vector<std::vector<UserId>> users;
  users.reserve(state_->held.size());
  for (const State::Held& held : state_->held) users.push_back(held.users);
  return users;
}

void CallScript::AwaitHeld(std::size_t answers) const {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait(lock, [this, answers] { return state_->held.size() >= answers; });
}

bool CallScript::ReleaseOldest() {
  return state_->Release([](std::deque<State::Held>& held) { return held.begin(); });
}

bool CallScript::ReleaseNewest() {
  return state_->Release([](std::deque<State::Held>& held) {
    return held.empty() ? held.end() : std::prev(held.end());
  });
}

bool CallScript::ReleaseFor(UserId user) {
  return state_->Release([user](std::deque<State::Held>& held) {
    return std::find_if(held.begin(), held.end(), [user](const State::Held& call) {
      return std::find(call.users.begin(), call.users.end(), user) != call.users.end();
    });
  });
}

std::size_t CallScript::ReleaseAll() {
  std::deque<State::Held> released;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    released.swap(state_->held);
  }
  for (State::Held& held : released) state_->Give(std::move(held.answer));
  return released.size();
}

CallScript::Counts CallScript::counts() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->counts;
}

}  // namespace nearby
