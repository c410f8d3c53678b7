#include "examples/echo_server/signals.h"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace echo_server {
namespace {

// What a shell reports for a process that a signal has ended.
constexpr int kSignalExit = 128;

}  // namespace

StopSignals::StopSignals(EventLoop* loop, std::function<void()> stop)
    : signals_(loop->context()), stop_(std::move(stop)) {
  boost::system::error_code ignored;
  signals_.add(SIGTERM, ignored);
  signals_.add(SIGINT, ignored);
  WaitForFirst();
}

void StopSignals::WaitForFirst() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    WaitForSecond();
    stop_();
  });
}

void StopSignals::WaitForSecond() {
  signals_.async_wait([](const boost::system::error_code& error, int signal) {
    if (!error) std::_Exit(kSignalExit + signal);
  });
}

}  // namespace echo_server
