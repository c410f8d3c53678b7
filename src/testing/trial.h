#ifndef NEARBY_SRC_TESTING_TRIAL_H_
#define NEARBY_SRC_TESTING_TRIAL_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/testing/conformance.h"
#include "src/testing/awaited.h"

namespace nearby::internal {

/// A call of the interface under test, with arguments for which it succeeds.
struct TrialCall {
  const char* name = "";
  std::function<void(Completion& completion, Completion::Then then)> start;
};

/// Runs `body(0)` to `body(threads - 1)`, each in a thread of its own, and waits for all.
void InThreads(std::size_t threads, const std::function<void(std::size_t)>& body);

/// What the tests of all interfaces share: one run of one test against one adapter. A suite's own
/// derives from Trial below.
class TrialBase {
 public:
  TrialBase(ConformanceReport* report, absl::Duration patience, absl::Duration grace)
      : report_(*report), patience_(patience), grace_(grace) {}
  virtual ~TrialBase() = default;
  TrialBase(const TrialBase&) = delete;
  TrialBase& operator=(const TrialBase&) = delete;

 protected:
  /// What the call completed with. Once one has not completed, the others are not waited for: a
  /// test that fails takes `patience` once.
  template <typename Result>
  Result Get(const Awaited<Result>& call) {
    Result result = call.Get(has_waited_in_vain_ ? absl::ZeroDuration() : patience_);
    if (absl::IsDeadlineExceeded(StatusOf(result)) && call.times() == 0) {
      has_waited_in_vain_ = true;
    }
    return result;
  }
  /// Calls the function until it is true: whether that came about within `patience`.
  bool Eventually(const std::function<bool()>& holds);

  /// Makes calls with the adapter stalled, where there is that hook, and ends the stall then; or
  /// before, if they wait for that, which is not what is being tested.
  void WhileStalled(const std::function<void()>& calls);

  // The clauses that all interfaces share, over their calls in this order.

  /// Each completes once: what comes after the first is seen when the adapter has been destroyed.
  void CheckCompletion(const std::vector<TrialCall>& calls);
  /// Each returns while nothing answers.
  void CheckBlocking(const std::vector<TrialCall>& calls);
  /// Each succeeds from within the `done` of the one before.
  void CheckCallsFromWithinDone(const std::vector<TrialCall>& calls);
  /// An adapter that is destroyed with calls under way calls each `done` or destroys it.
  void CheckDestruction(const std::vector<TrialCall>& calls);

  /// Those of the subject.
  virtual void Destroy() = 0;
  virtual const std::function<void(bool)>& stall() const = 0;

  ConformanceReport& report() { return report_; }
  absl::Duration patience() const { return patience_; }
  absl::Duration grace() const { return grace_; }

 private:
  ConformanceReport& report_;
  const absl::Duration patience_;
  const absl::Duration grace_;
  std::atomic<bool> has_waited_in_vain_{false};
};

/// One run of one test against an adapter made for it.
template <typename Subject>
class Trial : public TrialBase {
 public:
  Trial(Subject subject, ConformanceReport* report)
      : TrialBase(report, subject.patience, subject.grace), subject_(std::move(subject)) {}

  void Destroy() override { subject_.adapter.reset(); }

 protected:
  const std::function<void(bool)>& stall() const override { return subject_.stall; }
  auto& adapter() { return *subject_.adapter; }
  Subject& subject() { return subject_; }

 private:
  Subject subject_;
};

/// A test of a suite: a member function of its trial.
template <typename SomeTrial>
struct TrialEntry {
  int clause;
  const char* name;  // what follows "Clause5"
  void (SomeTrial::*run)();
};

template <typename SomeTrial, typename Factory>
std::vector<ConformanceCase> MakeCases(const std::vector<TrialEntry<SomeTrial>>& entries,
                                       const Factory& factory) {
  std::vector<ConformanceCase> cases;
  cases.reserve(entries.size());
  for (const TrialEntry<SomeTrial>& entry : entries) {
    cases.push_back({entry.clause, absl::StrCat("Clause", entry.clause, entry.name),
                     [factory, run = entry.run](ConformanceReport* report) {
                       SomeTrial trial(factory(), report);
                       (trial.*run)();
                       // Before the trial: what still completes may use it.
                       trial.Destroy();
                     }});
  }
  return cases;
}

}  // namespace nearby::internal

#endif  // NEARBY_SRC_TESTING_TRIAL_H_
