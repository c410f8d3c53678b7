#include "examples/phones/loop.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"

namespace phones {

namespace asio = boost::asio;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;

struct Loop::Impl {
  asio::io_context context{1};  // for one thread
  asio::executor_work_guard<Executor> work{context.get_executor()};
  std::unique_ptr<asio::signal_set> signals;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::Run() { impl_->context.run(); }

void Loop::Stop() { impl_->context.stop(); }

void Loop::Post(std::function<void()> task) { asio::post(impl_->context, std::move(task)); }

void Loop::OnStopSignal(std::function<void()> callback) {
  impl_->signals = std::make_unique<asio::signal_set>(impl_->context, SIGINT, SIGTERM);
  impl_->signals->async_wait([this, callback = std::move(callback)](error_code error, int) {
    if (error) return;
    error_code ignored;
    impl_->signals->clear(ignored);
    callback();
  });
}

boost::asio::io_context& Loop::context() { return impl_->context; }

// Shared with the wait that is under way, whose end may come after the timer's.
struct Loop::Timer::State {
  using Clock = std::chrono::steady_clock;

  State(asio::io_context& context, std::function<void()> to_call)
      : timer(context.get_executor()), callback(std::move(to_call)) {}

  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer;
  std::function<void()> callback;
  bool is_over = false;
};

Loop::Timer::Timer(Loop* loop, std::function<void()> callback)
    : state_(std::make_shared<State>(loop->context(), std::move(callback))) {}

Loop::Timer::~Timer() {
  state_->is_over = true;
  Cancel();
}

void Loop::Timer::SetAfter(absl::Duration delay) {
  state_->timer.expires_after(absl::ToChronoMicroseconds(delay));
  state_->timer.async_wait([state = state_](error_code error) {
    if (!error && !state->is_over) state->callback();
  });
}

void Loop::Timer::Cancel() { state_->timer.cancel(); }

}  // namespace phones
