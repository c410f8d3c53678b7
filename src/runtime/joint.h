#ifndef NEARBY_SRC_RUNTIME_JOINT_H_
#define NEARBY_SRC_RUNTIME_JOINT_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace nearby::internal {

// One completion for something that several shards do. It is called once, by whoever lets go last,
// with the first status that was not Ok; or with Cancelled if a part was let go of unfinished, so
// that no completion is ever lost with a mailbox.
//
// Thread-safe.
class Joint {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  Joint(std::size_t parts, Done done) : unfinished_(parts), done_(std::move(done)) {}
  ~Joint() {
    if (unfinished_ > 0) status_.Update(absl::CancelledError("the runtime was destroyed"));
    done_(std::move(status_));
  }
  Joint(const Joint&) = delete;
  Joint& operator=(const Joint&) = delete;

  void Finish(const absl::Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --unfinished_;
    status_.Update(status);
  }

 private:
  std::mutex mutex_;
  std::size_t unfinished_;
  absl::Status status_;
  Done done_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_JOINT_H_
