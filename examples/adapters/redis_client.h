#ifndef EXAMPLES_ADAPTERS_REDIS_CLIENT_H_
#define EXAMPLES_ADAPTERS_REDIS_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_reply.h"
#include "examples/adapters/redis_socket.h"

namespace adapters {

/// Commands to one server, pipelined over one connection, which is made when there is something to
/// say and made anew after it has broken.
///
///   RedisClient client(RedisAddress::Parse("127.0.0.1:6379").value(), {});
///   client.Call(RedisCommand({"GET", key}).Take(), [](absl::StatusOr<RedisReply> reply) { ... });
///
/// What is under way when the connection breaks fails with `Unavailable` and is not repeated: the
/// server may have done it. While the server cannot be reached, calls fail at once, and one in a
/// while tries again.
///
/// Thread-safe, and from within a `done`. Calls never block: a thread of the client's own does the
/// I/O, and completes them, in order.
/// Ownership: owns the connection and the thread; borrows the listener, which must outlive it.
/// Destroying the client drops what is under way, uncalled; not from within a `done`.
/// Cost: two copies of a command, and some 50 bytes until it is answered.
class RedisClient {
 public:
  struct Options {
    /// From the beginning of a connection until it stands. Calls wait meanwhile.
    absl::Duration connect_timeout = absl::Seconds(2);
    /// The connection counts as broken if a call is under way and nothing comes for so long.
    absl::Duration reply_timeout = absl::Seconds(10);
    /// An idle connection is asked for a sign of life at this interval, so that what comes unasked
    /// does not fail to come unnoticed. Infinite for never: the next call will notice.
    absl::Duration ping_interval = absl::InfiniteDuration();
    /// How long calls fail without another attempt after one has failed: from the first to the
    /// second, doubling, and by chance down to half of it, so that not all nodes come at once.
    absl::Duration min_backoff = absl::Milliseconds(10);
    absl::Duration max_backoff = absl::Seconds(1);

    /// Calls that are under way, and their bytes. Further ones fail at once.
    std::size_t max_calls = std::size_t{1} << 17;
    std::size_t max_call_bytes = std::size_t{32} << 20;
    /// How they fail.
    absl::StatusCode when_full = absl::StatusCode::kUnavailable;
    /// Of one reply; a larger one breaks the connection.
    std::size_t max_reply_bytes = std::size_t{64} << 20;
  };

  using Done = absl::AnyInvocable<void(absl::StatusOr<RedisReply>)>;

  /// Of a connection that subscribes. Calls come from the client's thread, without a lock.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// True if the reply was not for a call, but came unasked.
    virtual bool OnReply(RedisValue reply) = 0;
    /// The connection has broken, or could not be made, and all calls under way have failed.
    /// Further ones fail until this calls Resume, or has returned.
    virtual void OnLinkDown(const absl::Status& why) = 0;
  };

  RedisClient(RedisAddress address, const Options& options, Listener* listener = nullptr);
  ~RedisClient();

  /// A command that has one reply. An error reply is a failure (ToStatus), as is a broken
  /// connection (`Unavailable`).
  void Call(std::string command, Done done);
  /// The same, if it can be taken; otherwise says why, and leaves `done` as it was.
  absl::Status TryCall(const std::string& command, Done& done);

  /// Ends the refusal of calls, from within OnLinkDown.
  void Resume();

  /// Fails what is under way, on the client's thread, and all calls from now on. Tells no listener,
  /// and does not wait for the thread.
  void Stop();
  /// Drops what is under way, uncalled, and waits for the thread, as the destructor does.
  void Join();
  /// Whether the thread has come to its end: destroying the client will not have to wait.
  bool is_finished() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_CLIENT_H_
