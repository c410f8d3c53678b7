#ifndef EXAMPLES_ADAPTERS_REDIS_TRANSPORT_H_
#define EXAMPLES_ADAPTERS_REDIS_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "examples/adapters/redis_client.h"
#include "nearby/ids.h"
#include "nearby/transport.h"

namespace adapters {

/// One node's links to Redis servers, by PUBLISH and SUBSCRIBE. The servers need not know each
/// other: each is one of a HashRing's, named "host:port".
///
///   RedisTransport transport;
///   transport.SetReceiver(&receiver);
///   transport.Subscribe("127.0.0.1:6379", UserId{7}, [](absl::Status status) { ... });
///
/// A receiver that is slow makes its messages wait, in the end on the server, whose
/// `client-output-buffer-limit pubsub` (32 MB, or 8 MB for a minute, by default) says when it loses
/// the link: no server should be without one.
///
/// Thread-safe, as Transport asks. Each server has two connections, one that publishes and one that
/// subscribes, and a thread for each: so a slow server, or a receiver that is slow for one, delays
/// no other. They begin when they are first needed.
/// Ownership: owns connections and threads; borrows the receiver. Destroying the transport drops
/// what is under way, uncalled.
/// Cost: for a publish, two copies of the payload and a share of a system call. For a message that
/// comes, four allocations. About 35 bytes for each subscription, here, and 114 to 200 on the
/// server.
class RedisTransport : public nearby::Transport {
 public:
  struct Options {
    /// Begins the channels' names on the servers. Nodes of one service must agree on it.
    std::string channel_prefix = "nearby:";
    /// An idle link that subscribes is asked for a sign of life at this interval: half of the
    /// longest time for which a loss that nobody is told of, such as a cut cable, stays unnoticed.
    absl::Duration ping_interval = absl::Seconds(5);
    /// See RedisClient.
    absl::Duration connect_timeout = absl::Seconds(2);
    absl::Duration reply_timeout = absl::Seconds(5);
    absl::Duration min_backoff = absl::Milliseconds(10);
    absl::Duration max_backoff = absl::Seconds(1);

    /// More than these, and calls complete with `ResourceExhausted`: servers ever named, and for
    /// each of them subscriptions, calls under way that publish, or that subscribe, and their
    /// bytes.
    std::size_t max_servers = 1024;
    std::size_t max_subscriptions = std::size_t{1} << 22;
    std::size_t max_calls = std::size_t{1} << 17;
    std::size_t max_call_bytes = std::size_t{32} << 20;
    /// At least 64 KiB.
    std::size_t max_payload = std::size_t{1} << 20;
  };

  RedisTransport() : RedisTransport(Options()) {}
  explicit RedisTransport(const Options& options);
  ~RedisTransport() override;

  void SetReceiver(Receiver* receiver) override;
  /// A server that is not of the form "host:port" is `InvalidArgument`, here and in Subscribe.
  void Publish(absl::string_view server, nearby::Channel channel, absl::string_view payload,
               Done done) override;
  void Subscribe(absl::string_view server, nearby::Channel channel, Done done) override;
  void Unsubscribe(absl::string_view server, nearby::Channel channel, Done done) override;
  std::size_t max_payload() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adapters

#endif  // EXAMPLES_ADAPTERS_REDIS_TRANSPORT_H_
