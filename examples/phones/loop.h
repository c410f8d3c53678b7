#ifndef EXAMPLES_PHONES_LOOP_H_
#define EXAMPLES_PHONES_LOOP_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"

// Named here and included by loop.cc and the Beast file alone: slow to compile.
namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace phones {

/// One thread's sockets and timers.
///
/// Thread-compatible, but for Post and Stop, which are thread-safe.
class Loop {
 public:
  /// Calls back once for each time it is set. Thread-compatible: for the loop's thread.
  class Timer {
   public:
    /// Borrows the loop, which must outlive it.
    Timer(Loop* loop, std::function<void()> callback);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Replaces a time that was set before. Less than nothing is as soon as possible.
    void SetAfter(absl::Duration delay);
    void Cancel();

   private:
    struct State;
    std::shared_ptr<State> state_;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Until Stop.
  void Run();
  void Stop();
  void Post(std::function<void()> task);
  /// Calls back on the first SIGINT or SIGTERM; the second has its usual effect.
  void OnStopSignal(std::function<void()> callback);

  boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_LOOP_H_
