#ifndef BENCHMARKS_SCENARIOS_CREW_H_
#define BENCHMARKS_SCENARIOS_CREW_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace scenarios {

/// A few threads that begin and end a piece of work together, again and again.
///
/// Thread-compatible. Owns its threads; they end with it.
class Crew {
 public:
  explicit Crew(std::uint32_t size);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Calls work(0), work(1) and so on, each on a thread of its own and always on the same, all at
  /// the same time. Returns when all have returned.
  void Run(const std::function<void(std::uint32_t member)>& work);

 private:
  void Loop(std::uint32_t member);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::uint64_t runs_ = 0;
  std::uint32_t at_work_ = 0;
  bool is_over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_CREW_H_
