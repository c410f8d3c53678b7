#ifndef EXAMPLES_ADAPTERS_PARTIAL_ANSWERS_H_
#define EXAMPLES_ADAPTERS_PARTIAL_ANSWERS_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace adapters {

/// One answer to a call that several servers, or several commands, have each a part in. It is given
/// when the last part has come; if one of them has failed, that is the answer.
///
///   auto answers = PartialAnswers<std::vector<int>>::Make(2, std::move(result), std::move(done));
///   client.Call(command, [answers](absl::StatusOr<RedisReply> reply) {
///     answers->Add(reply.status(), [&](std::vector<int>* result) { ... });
///   });
///
/// Thread-safe. Shared by those who bring parts.
template <typename Result>
class PartialAnswers {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Result>)>;

  /// Answers at once if no parts are to come.
  static std::shared_ptr<PartialAnswers> Make(std::size_t parts, Result result, Done done) {
    auto answers = std::make_shared<PartialAnswers>(parts, std::move(result), std::move(done));
    if (parts == 0) answers->Finish();
    return answers;
  }

  PartialAnswers(std::size_t parts, Result result, Done done)
      : missing_(parts), result_(std::move(result)), done_(std::move(done)) {}

  /// One part; `fill` puts it in its place, if it has not failed.
  void Add(const absl::Status& status, absl::FunctionRef<void(Result*)> fill) {
    bool is_last = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (status.ok()) {
        fill(&result_);
      } else if (failure_.ok() || absl::IsResourceExhausted(failure_)) {
        // What may do better another time goes before what will not.
        failure_ = absl::Status(status.code(), status.message());
      }
      is_last = --missing_ == 0;
    }
    if (is_last) Finish();
  }

 private:
  void Finish() {
    if (failure_.ok()) {
      done_(std::move(result_));
    } else {
      done_(std::move(failure_));
    }
  }

  std::mutex mutex_;
  std::size_t missing_;
  Result result_;
  absl::Status failure_;
  Done done_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_PARTIAL_ANSWERS_H_
