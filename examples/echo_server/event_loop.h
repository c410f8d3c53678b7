#ifndef EXAMPLES_ECHO_SERVER_EVENT_LOOP_H_
#define EXAMPLES_ECHO_SERVER_EVENT_LOOP_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "examples/echo_server/task_queue.h"

namespace echo_server {

/// A thread that waits for sockets and timers and runs what they and others have for it to do.
///
/// Post is thread-safe; `context` is there for what belongs to the loop.
class EventLoop : public TaskQueue {
 public:
  EventLoop() : context_(1), work_(context_.get_executor()) {}

  void Post(Task task) override;

  /// Runs tasks until Stop.
  void Run() { context_.run(); }
  /// From any thread. What has not been run by then is destroyed with the loop.
  void Stop() { context_.stop(); }

  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_;  // for one thread
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

/// Several loops, each with its thread. They outlive whatever posts to them: the server, and the
/// friend store, whose answers come by way of the loops.
class EventLoops {
 public:
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const { return loops_.size(); }
  EventLoop& operator[](std::size_t i) { return *loops_[i]; }

  void Start();
  /// From any thread: they end soon.
  void Stop();
  /// Waits until they have ended.
  void Join();

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_EVENT_LOOP_H_
