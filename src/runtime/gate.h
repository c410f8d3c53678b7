#ifndef NEARBY_SRC_RUNTIME_GATE_H_
#define NEARBY_SRC_RUNTIME_GATE_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace nearby::internal {

// Lets threads in until it is closed, and closes only once all of them have left: so that whoever
// comes from outside at any time, as completions of stores do, is not met by a runtime that is half
// gone, nor calls what its host has destroyed in the meantime.
//
// Thread-safe. A thread that is inside may come in again, but must not close.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // False once it is closed, or about to be. Whoever is let in must leave.
  bool Enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_closed_) return false;
    ++inside_;
    return true;
  }
  void Leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }
  // Lets nobody in any more, and waits for those inside.
  void Close() {
    std::unique_lock<std::mutex> lock(mutex_);
    is_closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t inside_ = 0;
  bool is_closed_ = false;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_GATE_H_
