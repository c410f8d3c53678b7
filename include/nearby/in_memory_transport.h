#ifndef NEARBY_IN_MEMORY_TRANSPORT_H_
#define NEARBY_IN_MEMORY_TRANSPORT_H_

#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/transport.h"

namespace nearby {

/// Pub/sub servers in this process's memory, for several nodes in one process: the embedded
/// default, and for tests. Servers come into being when they are first named.
///
/// Thread-safe. Owns what the transports share; outlives them by being shared.
/// Cost: about 50 bytes for each subscription; one lock for all.
class NEARBY_API InMemoryBroker {
 public:
  struct Options {
    /// Over all servers and transports; beyond it Subscribe completes `ResourceExhausted`.
    std::size_t max_subscriptions = 1u << 24;
    /// Bytes that wait for one transport from one server, because its receiver is busy; a message
    /// counts 64 more than its payload. Beyond it the link breaks.
    std::size_t max_waiting_bytes = 64u << 20;
  };

  InMemoryBroker();
  explicit InMemoryBroker(const Options& options);
  ~InMemoryBroker();
  InMemoryBroker(const InMemoryBroker&) = delete;
  InMemoryBroker& operator=(const InMemoryBroker&) = delete;

  /// Breaks every link to the server: each transport that has subscriptions there loses them, and
  /// what waits for it, and is told. While the server is down, Publish and Subscribe complete
  /// `Unavailable`.
  void TakeDown(absl::string_view server);
  void BringUp(absl::string_view server);

  /// Over all servers and transports.
  std::size_t subscription_count() const;

 private:
  friend class InMemoryTransport;
  struct NEARBY_LOCAL State;
  std::shared_ptr<State> state_;
};

/// One node's links to an InMemoryBroker.
///
///   InMemoryBroker broker;
///   InMemoryTransport transport(&broker);
///   transport.SetReceiver(&receiver);
///   transport.Subscribe("pubsub-1", UserId{7}, [](absl::Status status) { ... });
///
/// Thread-safe. Every call completes before it returns. A message reaches its receivers in the
/// thread that publishes it, before Publish completes; but a receiver that is busy with another
/// message from that server (of another thread, or because it publishes in turn) gets it right
/// after that one, in the same thread.
class NEARBY_API InMemoryTransport : public Transport {
 public:
  explicit InMemoryTransport(InMemoryBroker* broker);
  /// As SetReceiver(nullptr).
  ~InMemoryTransport() override;

  void SetReceiver(Receiver* receiver) override;
  void Publish(absl::string_view server, Channel channel, absl::string_view payload,
               Done done) override;
  void Subscribe(absl::string_view server, Channel channel, Done done) override;
  void Unsubscribe(absl::string_view server, Channel channel, Done done) override;
  std::size_t max_payload() const override { return 1u << 20; }

 private:
  struct NEARBY_LOCAL Node;
  std::shared_ptr<InMemoryBroker::State> broker_;
  std::shared_ptr<Node> node_;
};

}  // namespace nearby

#endif  // NEARBY_IN_MEMORY_TRANSPORT_H_
