#ifndef EXAMPLES_ADAPTERS_JOB_THREAD_H_
#define EXAMPLES_ADAPTERS_JOB_THREAD_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace adapters {

/// A thread that does jobs in order, those that wait together and go together in one batch: what a
/// database wants that takes as long for a hundred changes as for one.
///
///   struct Job {
///     std::size_t weight() const;           // towards the limits
///     bool JoinsWith(const Job& next) const;  // whether one batch may have both
///   };
///   JobThread<Job> thread({}, [](std::vector<Job>* batch) { ... });
///
/// Thread-safe. Owns the thread, which ends, and the jobs that still wait, which it drops.
template <typename Job>
class JobThread {
 public:
  struct Limits {
    /// Weight that waits. A job that is heavier is taken if nothing else waits.
    std::size_t max_waiting = 0;
    /// Weight of a batch. A heavier job makes a batch of its own.
    std::size_t max_batch = 0;
  };

  JobThread(const Limits& limits, std::function<void(std::vector<Job>*)> run)
      : limits_(limits), run_(std::move(run)), thread_([this] { Run(); }) {}

  ~JobThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  /// False, and the job as it was, if too much waits.
  bool Add(Job& job) {
    const std::size_t weight = job.weight();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!waiting_.empty() && waiting_weight_ + weight > limits_.max_waiting) return false;
      waiting_weight_ += weight;
      waiting_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
  }

 private:
  void Run() {
    while (true) {
      std::vector<Job> batch = Take();
      if (batch.empty()) return;
      run_(&batch);
    }
  }

  // Waits for the next batch; an empty one when it is time to stop.
  std::vector<Job> Take() {
    std::vector<Job> batch;
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return batch;
    std::size_t batch_weight = 0;
    do {
      const std::size_t weight = waiting_.front().weight();
      batch_weight += weight;
      waiting_weight_ -= weight;
      batch.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    } while (!waiting_.empty() && batch.back().JoinsWith(waiting_.front()) &&
             batch_weight + waiting_.front().weight() <= limits_.max_batch);
    return batch;
  }

  const Limits limits_;
  const std::function<void(std::vector<Job>*)> run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::size_t waiting_weight_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_JOB_THREAD_H_
