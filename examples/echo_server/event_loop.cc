#include "examples/echo_server/event_loop.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace echo_server {

void EventLoop::Post(Task task) { boost::asio::post(context_, std::move(task)); }

EventLoops::EventLoops(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<EventLoop>());
}

EventLoops::~EventLoops() {
  Stop();
  Join();
  // First to last: the listener, which is on the first, may hold sockets of the others.
  for (std::unique_ptr<EventLoop>& loop : loops_) loop.reset();
}

void EventLoops::Start() {
  for (const std::unique_ptr<EventLoop>& loop : loops_) {
    threads_.emplace_back([loop = loop.get()] { loop->Run(); });
  }
}

void EventLoops::Stop() {
  for (const std::unique_ptr<EventLoop>& loop : loops_) loop->Stop();
}

void EventLoops::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace echo_server
