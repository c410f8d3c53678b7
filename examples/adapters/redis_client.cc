#include "examples/adapters/redis_client.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/adapters/redis_command.h"
#include "examples/adapters/redis_link.h"
#include "examples/adapters/wakeup.h"

namespace adapters {
namespace {

// A call under way. The client's own, such as a ping, have no `done`.
struct Pending {
  RedisClient::Done done;
  std::size_t bytes = 0;
};

// A clock that nobody sets.
absl::Duration Now() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Status Gone(const RedisAddress& address, absl::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("Redis at ", address.host, ":", address.port, ": ", why));
}

}  // namespace

// Commands go from `queued_` to the link, and the calls along with them to `under_way_`, in the
// same order; replies come in that order, too.
class RedisClient::Worker {
 public:
  Worker(RedisAddress address, const Options& options, Listener* listener)
      : address_(std::move(address)),
        options_(options),
        listener_(listener),
        link_(options.max_reply_bytes),
        thread_([this] { Run(); }) {}

  ~Worker() { Join(); }

  void Join() {
    Ask(&is_dropping_);
    if (thread_.joinable()) thread_.join();
  }

  absl::Status TryCall(const std::string& command, Done& done);
  void Resume() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_refusing_ = false;
  }
  void Stop() { Ask(&is_stopping_); }
  bool is_finished() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return is_finished_;
  }

 private:
  void Ask(bool* what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    *what = true;
    wakeup_.Wake();
  }

  void Run();
  // One turn of the thread; false when it is time to end.
  bool Turn();
  // Takes what is queued if the link is up; otherwise says whether there is reason to link up.
  bool TakeQueued();
  void Ping();
  // Until something happens, or is due.
  void Await(bool* is_readable, bool* is_writable);
  absl::Duration UntilDue() const;
  absl::Status CheckTimeouts() const;
  absl::Status Serve(bool is_readable, bool is_writable);
  absl::Status Take(RedisReply reply);
  void Break(const absl::Status& why);
  void FailAll(const absl::Status& why);
  // Before its `done`, which may want the place for another.
  void Release(const Pending& pending) {
    calls_.fetch_sub(1, std::memory_order_relaxed);
    call_bytes_.fetch_sub(pending.bytes, std::memory_order_relaxed);
  }

  const RedisAddress address_;
  const Options options_;
  Listener* const listener_;
  Wakeup wakeup_;

  mutable std::mutex mutex_;  // of what follows
  std::string queued_bytes_;
  std::deque<Pending> queued_;
  bool is_asleep_ = false;  // and is to be woken for a call
  bool is_refusing_ = false;
  absl::Duration retry_at_ = -absl::InfiniteDuration();
  bool is_stopping_ = false;
  bool is_dropping_ = false;
  bool is_finished_ = false;

  // Queued or under way. They rise under the lock, and fall as replies come.
  std::atomic<std::size_t> calls_{0};
  std::atomic<std::size_t> call_bytes_{0};

  // The thread's alone.
  RedisLink link_;
  std::string bytes_;
  std::deque<Pending> under_way_;
  bool has_been_answered_ = false;  // since the link was begun
  bool is_pinging_ = false;
  absl::Duration begun_at_;
  absl::Duration heard_at_;  // or when there was something to wait for, if that was later
  absl::Duration backoff_;
  std::minstd_rand random_{std::random_device()()};

  std::thread thread_;  // last: it uses all the others
};

absl::Status RedisClient::Worker::TryCall(const std::string& command, Done& done) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_stopping_) return Gone(address_, "the client has been stopped");
  if (is_refusing_ || (retry_at_ > -absl::InfiniteDuration() && Now() < retry_at_)) {
    return Gone(address_, "there is no connection");
  }
  const std::size_t calls = calls_.load(std::memory_order_relaxed);
  const std::size_t bytes = call_bytes_.load(std::memory_order_relaxed);
  if (calls >= options_.max_calls ||
      (calls > 0 && bytes + command.size() > options_.max_call_bytes)) {
    return absl::Status(options_.when_full,
                        absl::StrCat("Redis at ", address_.host, ":", address_.port, ": ", calls,
                                     " calls of ", bytes, " bytes are under way"));
  }
  calls_.fetch_add(1, std::memory_order_relaxed);
  call_bytes_.fetch_add(command.size(), std::memory_order_relaxed);
  queued_bytes_ += command;
  queued_.push_back({std::move(done), command.size()});
  if (std::exchange(is_asleep_, false)) wakeup_.Wake();
  return absl::OkStatus();
}

void RedisClient::Worker::Run() {
  while (Turn()) {
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  is_finished_ = true;
}

bool RedisClient::Worker::Turn() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (is_dropping_) return false;
    if (is_stopping_) {
      lock.unlock();
      link_.Close();
      FailAll(Gone(address_, "the client has been stopped"));
      return false;
    }
  }
  if (TakeQueued() && link_.is_closed()) {
    has_been_answered_ = false;
    begun_at_ = heard_at_ = Now();
    if (absl::Status status = link_.Begin(address_); !status.ok()) {
      Break(status);
      return true;
    }
  }
  if (link_.is_up() && !is_pinging_ && Now() >= heard_at_ + options_.ping_interval) Ping();
  if (link_.is_up() && link_.has_unsent()) {
    if (absl::Status status = link_.OnWritable(); !status.ok()) {
      Break(status);
      return true;
    }
  }
  bool is_readable = false;
  bool is_writable = false;
  Await(&is_readable, &is_writable);
  if (link_.is_closed()) return true;
  // What has come is looked at before the clock is: this thread may have been away.
  absl::Status status =
      is_readable || is_writable ? Serve(is_readable, is_writable) : CheckTimeouts();
  if (!status.ok()) Break(status);
  return true;
}

bool RedisClient::Worker::TakeQueued() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!link_.is_up() || queued_.empty()) {
    is_asleep_ = !link_.is_connecting() && queued_.empty();
    return !queued_.empty();
  }
  is_asleep_ = false;
  if (under_way_.empty()) heard_at_ = Now();
  link_.Write(&queued_bytes_);
  if (under_way_.empty()) {
    under_way_.swap(queued_);
  } else {
    std::move(queued_.begin(), queued_.end(), std::back_inserter(under_way_));
    queued_.clear();
  }
  return true;
}

void RedisClient::Worker::Ping() {
  if (under_way_.empty()) heard_at_ = Now();
  bytes_ = RedisCommand({"PING"}).Take();
  link_.Write(&bytes_);
  under_way_.push_back({});
  is_pinging_ = true;
}

void RedisClient::Worker::Await(bool* is_readable, bool* is_writable) {
  // A negative descriptor is passed over.
  pollfd polled[] = {{wakeup_.descriptor(), POLLIN, 0}, {link_.descriptor(), 0, 0}};
  if (!link_.is_closed()) polled[1].events = link_.events();
  const absl::Duration wait = UntilDue();
  const int timeout_ms =
      wait == absl::InfiniteDuration()
          ? -1
          : static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(
                std::clamp(wait, absl::ZeroDuration(), absl::Hours(1)), absl::Milliseconds(1))));
  poll(polled, std::size(polled), timeout_ms);
  if ((polled[0].revents & POLLIN) != 0) wakeup_.Clear();
  const short events = polled[1].revents;
  // What is broken shows when it is read from, or when connecting is finished.
  const bool is_broken = (events & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  *is_readable = !link_.is_connecting() && ((events & POLLIN) != 0 || is_broken);
  *is_writable = (events & POLLOUT) != 0 || (link_.is_connecting() && is_broken);
}

absl::Duration RedisClient::Worker::UntilDue() const {
  if (link_.is_closed()) return absl::InfiniteDuration();
  if (link_.is_connecting()) return begun_at_ + options_.connect_timeout - Now();
  const absl::Duration limit =
      under_way_.empty() ? options_.ping_interval
                         : (is_pinging_ ? options_.reply_timeout
                                        : std::min(options_.reply_timeout, options_.ping_interval));
  return heard_at_ + limit - Now();
}

absl::Status RedisClient::Worker::CheckTimeouts() const {
  const absl::Duration now = Now();
  if (link_.is_connecting()) {
    return now >= begun_at_ + options_.connect_timeout
               ? absl::UnavailableError("it takes too long to connect")
               : absl::OkStatus();
  }
  if (!under_way_.empty() && now >= heard_at_ + options_.reply_timeout) {
    return absl::UnavailableError("it does not answer");
  }
  return absl::OkStatus();
}

absl::Status RedisClient::Worker::Serve(bool is_readable, bool is_writable) {
  if (is_writable) {
    if (absl::Status status = link_.OnWritable(); !status.ok()) return status;
  }
  if (!is_readable) return absl::OkStatus();
  const absl::Status status =
      link_.OnReadable([this](RedisReply reply) { return Take(std::move(reply)); });
  heard_at_ = Now();
  return status;
}

absl::Status RedisClient::Worker::Take(RedisReply reply) {
  // A server that only refuses to serve is not asked without end.
  if (!has_been_answered_ && !reply.value().is_error()) {
    has_been_answered_ = true;
    backoff_ = absl::ZeroDuration();
  }
  if (listener_ != nullptr && listener_->OnReply(reply.value())) return absl::OkStatus();
  if (under_way_.empty()) {
    return absl::DataLossError(absl::StrCat("a reply to nothing: ", reply.value().text()));
  }
  Pending pending = std::move(under_way_.front());
  under_way_.pop_front();
  if (pending.done == nullptr) {
    is_pinging_ = false;
    return ToStatus(reply.value());
  }
  Release(pending);
  absl::Status status = ToStatus(reply.value());
  if (status.ok()) {
    pending.done(std::move(reply));
  } else {
    pending.done(std::move(status));
  }
  return absl::OkStatus();
}

void RedisClient::Worker::Break(const absl::Status& why) {
  link_.Close();
  is_pinging_ = false;
  // One that stood may be replaced at once.
  if (!has_been_answered_) {
    backoff_ = std::clamp(2 * backoff_, options_.min_backoff, options_.max_backoff);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_refusing_ = listener_ != nullptr;
    if (!has_been_answered_) {
      retry_at_ = Now() + backoff_ * std::uniform_real_distribution<double>(0.5, 1)(random_);
    } else {
      retry_at_ = -absl::InfiniteDuration();
    }
  }
  const absl::Status status = Gone(address_, why.message());
  FailAll(status);
  if (listener_ == nullptr) return;
  listener_->OnLinkDown(status);
  Resume();
}

void RedisClient::Worker::FailAll(const absl::Status& why) {
  std::deque<Pending> failed = std::move(under_way_);
  under_way_.clear();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::move(queued_.begin(), queued_.end(), std::back_inserter(failed));
    queued_.clear();
    queued_bytes_.clear();
  }
  for (Pending& pending : failed) {
    if (pending.done == nullptr) continue;
    Release(pending);
    // A status of its own for each: they go separate ways, to separate threads.
    pending.done(absl::Status(why.code(), why.message()));
  }
}

RedisClient::RedisClient(RedisAddress address, const Options& options, Listener* listener)
    : worker_(std::make_unique<Worker>(std::move(address), options, listener)) {}
RedisClient::~RedisClient() = default;

void RedisClient::Call(std::string command, Done done) {
  absl::Status status = worker_->TryCall(command, done);
  if (!status.ok()) done(std::move(status));
}

absl::Status RedisClient::TryCall(const std::string& command, Done& done) {
  return worker_->TryCall(command, done);
}

void RedisClient::Resume() { worker_->Resume(); }
void RedisClient::Stop() { worker_->Stop(); }
void RedisClient::Join() { worker_->Join(); }
bool RedisClient::is_finished() const { return worker_->is_finished(); }

}  // namespace adapters
