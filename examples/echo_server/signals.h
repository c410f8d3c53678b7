#ifndef EXAMPLES_ECHO_SERVER_SIGNALS_H_
#define EXAMPLES_ECHO_SERVER_SIGNALS_H_

#include <boost/asio/signal_set.hpp>
#include <functional>

#include "examples/echo_server/event_loop.h"

namespace echo_server {

/// What SIGTERM and SIGINT do: the first calls `stop`, on the loop; the second ends the process at
/// once, for whoever does not want to wait.
///
/// Thread-compatible. Must not outlive the loop.
class StopSignals {
 public:
  StopSignals(EventLoop* loop, std::function<void()> stop);

 private:
  void WaitForFirst();
  void WaitForSecond();

  boost::asio::signal_set signals_;
  const std::function<void()> stop_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SIGNALS_H_
