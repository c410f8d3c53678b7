#include "examples/echo_server/shard_poller.h"

#include <algorithm>

#include "absl/time/time.h"

namespace echo_server {
namespace {

// Engine time moves on at least this often.
constexpr absl::Duration kMaxSleep = absl::Seconds(1);

}  // namespace

ShardPoller::ShardPoller(nearby::ShardId shard, EventLoop* loop)
    : shard_(shard), loop_(loop), timer_(loop->context()) {}

void ShardPoller::Start(nearby::Runtime* runtime) {
  runtime_.store(runtime);
  Wake();
}

void ShardPoller::Wake() {
  if (runtime_.load() == nullptr || is_posted_.exchange(true)) return;
  loop_->Post([this] { Poll(); });
}

void ShardPoller::Poll() {
  // First, so that what comes during the poll, too late for it to see, posts another.
  is_posted_.store(false);
  const absl::Duration wait = runtime_.load()->Poll(shard_);
  if (wait <= absl::ZeroDuration()) return Wake();
  timer_.expires_after(absl::ToChronoMicroseconds(std::min(wait, kMaxSleep)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Wake();
  });
}

}  // namespace echo_server
