#ifndef EXAMPLES_ECHO_SERVER_TASK_QUEUE_H_
#define EXAMPLES_ECHO_SERVER_TASK_QUEUE_H_

#include "absl/functional/any_invocable.h"

namespace echo_server {

/// Where other threads leave work for an event loop. What belongs to a connection is touched by
/// tasks of its own loop alone, and so needs no lock.
///
/// Thread-safe.
class TaskQueue {
 public:
  using Task = absl::AnyInvocable<void()>;

  virtual ~TaskQueue() = default;

  /// The task runs later, never within this call; tasks of one sender run in order. After the loop
  /// has been stopped it is destroyed unrun.
  virtual void Post(Task task) = 0;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_TASK_QUEUE_H_
