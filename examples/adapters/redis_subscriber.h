#ifndef EXAMPLES_ADAPTERS_REDIS_SUBSCRIBER_H_
#define EXAMPLES_ADAPTERS_REDIS_SUBSCRIBER_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "examples/adapters/redis_client.h"
#include "examples/adapters/redis_reply.h"
#include "nearby/ids.h"
#include "nearby/transport.h"

namespace adapters {

/// The name that a channel has on the servers: the prefix, "u" or "n", and the id.
std::string RedisChannelName(absl::string_view prefix, nearby::Channel channel);
std::optional<nearby::Channel> ParseRedisChannelName(absl::string_view prefix,
                                                     absl::string_view name);

/// What one receiver is subscribed to on one server: the half of RedisTransport that listens.
///
/// Thread-safe, and from within the receiver. The receiver's calls come from the client's thread:
/// while one runs, what else comes from this server waits, in the end on the server, which breaks
/// the connection when that becomes too much.
/// Ownership: owns the connection; borrows the receiver until End.
class RedisSubscriber : private RedisClient::Listener {
 public:
  struct Options {
    std::string channel_prefix;
    std::size_t max_subscriptions = 0;
    RedisClient::Options client;
  };

  RedisSubscriber(std::string server, const RedisAddress& address, const Options& options,
                  nearby::Transport::Receiver* receiver);

  /// As those of Transport.
  void Subscribe(nearby::Channel channel, nearby::Transport::Done done);
  void Unsubscribe(nearby::Channel channel, nearby::Transport::Done done);

  /// The receiver is not called any more, and is not running, when this has returned; calls under
  /// way fail soon after. Not from within the receiver.
  void End();
  /// Waits for the thread, and drops what is under way.
  void Join() { client_.Join(); }
  bool is_finished() const { return client_.is_finished(); }

 private:
  bool OnReply(RedisValue reply) override;
  void OnLinkDown(const absl::Status& why) override;

  absl::Status TrySubscribe(nearby::Channel channel, RedisClient::Done& done);
  void Forget(nearby::Channel channel);
  void OnSubscribed(nearby::Channel channel, const absl::Status& status);
  // The receiver, for one call, or nullptr; EndCall must follow it.
  nearby::Transport::Receiver* BeginCall();
  void EndCall();

  const std::string server_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable idle_;
  nearby::Transport::Receiver* receiver_;
  bool is_calling_ = false;
  // As the server will see it when it has done what it has been sent; and whether it has said that
  // it has.
  absl::flat_hash_map<nearby::Channel, bool> channels_;
  std::size_t confirmed_ = 0;

  RedisClient client_;  // last: its thread calls this
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_SUBSCRIBER_H_
