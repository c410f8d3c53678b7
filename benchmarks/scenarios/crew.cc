#include "benchmarks/scenarios/crew.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace scenarios {

Crew::Crew(std::uint32_t size) {
  for (std::uint32_t member = 0; member < size; ++member) {
    threads_.emplace_back([this, member] { Loop(member); });
  }
}

Crew::~Crew() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_over_ = true;
  }
  begun_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::Run(const std::function<void(std::uint32_t member)>& work) {
  std::unique_lock<std::mutex> lock(mutex_);
  work_ = &work;
  at_work_ = static_cast<std::uint32_t>(threads_.size());
  ++runs_;
  begun_.notify_all();
  ended_.wait(lock, [this] { return at_work_ == 0; });
}

void Crew::Loop(std::uint32_t member) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (std::uint64_t runs = 0;; runs = runs_) {
    begun_.wait(lock, [this, runs] { return is_over_ || runs_ != runs; });
    if (is_over_) return;
    const std::function<void(std::uint32_t)>& work = *work_;
    lock.unlock();
    work(member);
    lock.lock();
    if (--at_work_ == 0) ended_.notify_one();
  }
}

}  // namespace scenarios
