#ifndef NEARBY_TESTS_CONFORMANCE_FLAWED_CALLS_H_
#define NEARBY_TESTS_CONFORMANCE_FLAWED_CALLS_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace nearby::test {

/// What can be wrong with the calls of any asynchronous interface.
enum class CallFlaw {
  kNone,
  kCompletesTwice,
  kBlocks,                 ///< While stalled.
  kRefusesReentrantCalls,  ///< From within a `done`.
  kKeepsDones,             ///< Of calls that are under way when the adapter goes.
};

/// What an adapter's calls go through: stalls them on demand, and bears the flaw. Otherwise they
/// are carried out at once, and while it is stalled, once that is over.
///
/// Thread-safe.
class FlawedCalls {
 public:
  using Job = absl::AnyInvocable<void()>;

  explicit FlawedCalls(CallFlaw flaw) : flaw_(flaw) {}

  /// `body(done)` carries the call out.
  template <typename Result, typename Body>
  void Do(absl::AnyInvocable<void(Result)> done, Body body) {
    if (flaw_ == CallFlaw::kRefusesReentrantCalls && is_in_done) {
      return done(absl::UnavailableError("not from within a done"));
    }
    absl::AnyInvocable<void(Result)> flawed = [twice = flaw_ == CallFlaw::kCompletesTwice,
                                               done = std::move(done)](Result result) mutable {
      const bool was_in_done = std::exchange(is_in_done, true);
      if (twice) done(result);
      done(std::move(result));
      is_in_done = was_in_done;
    };
    Run([body = std::move(body), flawed = std::move(flawed)]() mutable {
      body(std::move(flawed));
    });
  }

  void Stall(bool on) {
    std::vector<Job> jobs;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_stalled_ = on;
      if (!on) jobs.swap(jobs_);
      resumed_.notify_all();
    }
    for (Job& job : jobs) job();
  }

  /// The adapter goes: what waits is destroyed with it.
  void End() {
    // Reachable for ever, so that it is no leak.
    static std::vector<Job>* const kept = new std::vector<Job>();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (flaw_ == CallFlaw::kKeepsDones) {
      for (Job& job : jobs_) kept->push_back(std::move(job));
    }
    jobs_.clear();
  }

 private:
  void Run(Job job) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (flaw_ == CallFlaw::kBlocks) resumed_.wait(lock, [this] { return !is_stalled_; });
      if (is_stalled_) return jobs_.push_back(std::move(job));
    }
    job();
  }

  static inline thread_local bool is_in_done = false;

  const CallFlaw flaw_;
  std::mutex mutex_;
  std::condition_variable resumed_;
  bool is_stalled_ = false;
  std::vector<Job> jobs_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_CONFORMANCE_FLAWED_CALLS_H_
