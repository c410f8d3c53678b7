#ifndef NEARBY_TESTS_HOST_GATE_H_
#define NEARBY_TESTS_HOST_GATE_H_

#include <condition_variable>
#include <mutex>

namespace nearby::test {

/// Threads wait at it until another opens it. Thread-safe.
class Gate {
 public:
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }

  void Await() {
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_HOST_GATE_H_
