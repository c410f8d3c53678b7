#ifndef EXAMPLES_PHONES_PHONE_CLOCK_H_
#define EXAMPLES_PHONES_PHONE_CLOCK_H_

#include <chrono>
#include <cstdint>

#include "nearby/time.h"

namespace phones {

/// The time of all phones: the system's when the program began, and an even pace since then, so
/// that no report is older than the one before it, whatever is done to the system's clock. Tests
/// make one that stands still until it is set.
///
/// Thread-safe.
class PhoneClock {
 public:
  virtual ~PhoneClock() = default;

  /// Microseconds since 1970.
  virtual std::int64_t NowMicros() const = 0;
  nearby::Time Now() const { return nearby::Time::Millis(NowMicros() / 1000); }
};

/// The real one.
class SteadyPhoneClock : public PhoneClock {
 public:
  std::int64_t NowMicros() const override {
    return start_micros_ + std::chrono::duration_cast<std::chrono::microseconds>(
                               std::chrono::steady_clock::now() - start_)
                               .count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const std::int64_t start_micros_ = std::chrono::duration_cast<std::chrono::microseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                         .count();
};

}  // namespace phones

#endif  // EXAMPLES_PHONES_PHONE_CLOCK_H_
