#include "src/testing/trial.h"

#include <memory>
#include <thread>

#include "absl/time/clock.h"

namespace nearby::internal {
namespace {

constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(5);

// Calls of which each is made from within the `done` of the one before. Shared by these, which may
// outlive the test's patience.
struct Chain : std::enable_shared_from_this<Chain> {
  void Start(std::size_t i) {
    calls[i].start(completions[i], [self = shared_from_this(), i] {
      if (i + 1 < self->calls.size()) self->Start(i + 1);
    });
  }

  std::vector<TrialCall> calls;
  std::vector<Completion> completions;
};

}  // namespace

void InThreads(std::size_t threads, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> waiting{threads};
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&body, &waiting, i] {
      // All at once, as well as that can be had.
      waiting.fetch_sub(1);
      while (waiting.load() > 0) std::this_thread::yield();
      body(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

bool TrialBase::Eventually(const std::function<bool()>& holds) {
  const absl::Time deadline = absl::Now() + patience_;
  while (!holds()) {
    if (has_waited_in_vain_ || absl::Now() >= deadline) {
      has_waited_in_vain_ = true;
      return false;
    }
    absl::SleepFor(kBetweenAttempts);
  }
  return true;
}

void TrialBase::WhileStalled(const std::function<void()>& calls) {
  if (!stall()) return calls();
  stall()(true);
  Completion returned;
  std::thread caller([&calls, done = returned.AnyDone()] {
    calls();
    done(absl::OkStatus());
  });
  (void)returned.Get(grace_);
  stall()(false);
  caller.join();
}

void TrialBase::CheckCompletion(const std::vector<TrialCall>& calls) {
  std::vector<Completion> completions(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].start(completions[i], nullptr);
    report_.ExpectOk(Get(completions[i]), calls[i].name);
  }
  Destroy();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report_.Expect(completions[i].times() == 1,
                   absl::StrCat(calls[i].name, " called its done ", completions[i].times(),
                                " times, not once"));
  }
}

void TrialBase::CheckBlocking(const std::vector<TrialCall>& calls) {
  if (!stall()) return report_.Skip("needs the hook stall");
  std::vector<Completion> completions(calls.size());
  Completion returned;
  std::atomic<std::size_t> made{0};
  stall()(true);
  std::thread caller([&, done = returned.AnyDone()] {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      calls[i].start(completions[i], nullptr);
      ++made;
    }
    done(absl::OkStatus());
  });
  if (!Get(returned).ok()) {
    report_.Fail(absl::StrCat(calls[made].name, " does not return as long as nothing answers"));
  }
  stall()(false);
  caller.join();
  for (std::size_t i = 0; i < calls.size(); ++i) (void)Get(completions[i]);
}

void TrialBase::CheckCallsFromWithinDone(const std::vector<TrialCall>& calls) {
  const auto chain = std::make_shared<Chain>();
  chain->calls = calls;
  chain->completions.resize(calls.size());
  chain->Start(0);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report_.ExpectOk(Get(chain->completions[i]),
                     absl::StrCat(calls[i].name, i == 0 ? "" : " from within a done"));
  }
}

void TrialBase::CheckDestruction(const std::vector<TrialCall>& calls) {
  std::vector<Completion> completions(calls.size());
  // The destructor may wait for what is under way, which comes to an end when the stall does.
  WhileStalled([&] {
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i].start(completions[i], nullptr);
    Destroy();
  });
  for (std::size_t i = 0; i < calls.size(); ++i) {
    report_.Expect(
        completions[i].is_settled(),
        absl::StrCat("the done of a ", calls[i].name, " under way outlives the adapter, uncalled"));
  }
}

}  // namespace nearby::internal
