#ifndef EXAMPLES_ADAPTERS_WAKEUP_H_
#define EXAMPLES_ADAPTERS_WAKEUP_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace adapters {

/// What a thread that sleeps in poll() is woken by.
///
/// Thread-safe. Owns the descriptor.
class Wakeup {
 public:
  Wakeup() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Wakeup() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Readable from Wake until Clear.
  int descriptor() const { return descriptor_; }
  void Wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof(one));
  }
  void Clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t read_bytes = read(descriptor_, &count, sizeof(count));
  }

 private:
  const int descriptor_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_WAKEUP_H_
