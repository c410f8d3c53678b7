#ifndef EXAMPLES_ECHO_SERVER_SHARD_POLLER_H_
#define EXAMPLES_ECHO_SERVER_SHARD_POLLER_H_

#include <atomic>
#include <boost/asio/steady_timer.hpp>

#include "examples/echo_server/event_loop.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"

namespace echo_server {

/// Polls one shard of the runtime on an event loop: when the runtime has woken it, and when the
/// time has come that the last poll asked for. A poll is one task among those of the sockets and
/// does a bounded amount of work; what is left goes to the end of the queue. So neither side
/// starves the other.
///
/// Wake is thread-safe. Borrows the loop and the runtime.
class ShardPoller {
 public:
  ShardPoller(nearby::ShardId shard, EventLoop* loop);

  /// Before the loop runs. Until then, Wake does nothing.
  void Start(nearby::Runtime* runtime);
  /// Has the shard polled soon; many calls before that are one. Does not block and does not poll.
  void Wake();

 private:
  void Poll();

  const nearby::ShardId shard_;
  EventLoop* const loop_;
  std::atomic<nearby::Runtime*> runtime_{nullptr};
  std::atomic<bool> is_posted_{false};
  boost::asio::steady_timer timer_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SHARD_POLLER_H_
