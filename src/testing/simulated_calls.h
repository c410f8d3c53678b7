#ifndef NEARBY_SRC_TESTING_SIMULATED_CALLS_H_
#define NEARBY_SRC_TESTING_SIMULATED_CALLS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_random.h"

namespace nearby {

// One node's calls of one simulated store: their way there, what happens to them, and the way back.
//
// What is scheduled shares the state, so that a call of a node that is gone may still be carried
// out.
class SimulatedCalls {
 public:
  SimulatedCalls(SimulatedBackend* backend, NodeId node);
  ~SimulatedCalls();

  // Makes a call that is answered with a Result, absl::Status or a StatusOr. When it is carried out
  // `apply` is called with a completion, which it has to call before it returns.
  template <typename Result, typename Done, typename Apply>
  void Make(Done done, Apply apply) {
    Start(std::make_unique<CallOf<Result, Done, Apply>>(std::move(done), std::move(apply)));
  }

  // A call for a batch of so many parts. `step` carries out those from `first` to before `last`,
  // and adds to the result, which is `result` at first.
  template <typename Result, typename Done, typename Step>
  void MakeBatch(Done done, std::size_t parts, Result result, Step step) {
    Start(std::make_unique<BatchOf<Result, Done, Step>>(std::move(done), parts, std::move(result),
                                                        std::move(step)));
  }

  void Crash();

  const SimulatedFaultOptions::Store& hardships() const;
  SimulatedRandom& random();
  // Counts something that has gone wrong with one of the calls.
  void Count(SimulatedStoreFault fault);

 private:
  struct State;

  class Call {
   public:
    virtual ~Call() = default;
    virtual std::size_t parts() const { return 1; }
    // All of it, or the next part; whether that was the last.
    virtual bool CarryOut(bool in_parts) = 0;
    // Either ends it.
    virtual void Answer() = 0;
    virtual void Fail(const absl::Status& status) = 0;
    // Something that owns the completion from now on.
    virtual absl::AnyInvocable<void()> TakeDone() = 0;
  };

  template <typename Result, typename Done, typename Apply>
  class CallOf : public Call {
   public:
    CallOf(Done done, Apply apply) : done_(std::move(done)), apply_(std::move(apply)) {}

    bool CarryOut(bool /*in_parts*/) override {
      apply_([this](Result result) { result_.emplace(std::move(result)); });
      assert(result_.has_value());
      return true;
    }
    void Answer() override { done_(*std::move(result_)); }
    void Fail(const absl::Status& status) override { done_(status); }
    absl::AnyInvocable<void()> TakeDone() override {
      return [done = std::move(done_)] {};
    }

   private:
    Done done_;
    Apply apply_;
    std::optional<Result> result_;
  };

  template <typename Result, typename Done, typename Step>
  class BatchOf : public Call {
   public:
    BatchOf(Done done, std::size_t parts, Result result, Step step)
        : done_(std::move(done)),
          step_(std::move(step)),
          parts_(parts),
          result_(std::move(result)) {}

    std::size_t parts() const override { return parts_; }
    bool CarryOut(bool in_parts) override {
      const std::size_t last = in_parts ? next_ + 1 : parts_;
      step_(next_, last, &result_);
      next_ = last;
      return next_ == parts_;
    }
    void Answer() override { done_(std::move(result_)); }
    void Fail(const absl::Status& status) override { done_(status); }
    absl::AnyInvocable<void()> TakeDone() override {
      return [done = std::move(done_)] {};
    }

   private:
    Done done_;
    Step step_;
    std::size_t parts_;
    std::size_t next_ = 0;
    Result result_;
  };

  void Start(std::unique_ptr<Call> call);

  std::shared_ptr<State> state_;
};

}  // namespace nearby

#endif  // NEARBY_SRC_TESTING_SIMULATED_CALLS_H_
