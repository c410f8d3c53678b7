#ifndef EXAMPLES_ECHO_SERVER_CONNECTIONS_H_
#define EXAMPLES_ECHO_SERVER_CONNECTIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "examples/echo_server/task_queue.h"
#include "nearby/client_sink.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"

namespace echo_server {

/// A client that has a connection here. All but `loop` and `format` is called on its loop.
class ConnectedClient {
 public:
  virtual ~ConnectedClient() = default;

  /// These two from any thread.
  virtual TaskQueue* loop() const = 0;
  /// What the client wrote last, and wants to be answered in.
  virtual nearby::WireFormat format() const = 0;

  /// What the runtime has to tell the client, encoded. It waits for `Runtime::Ready`.
  virtual void OnBatch(nearby::WireFormat format, std::string frame) = 0;
  /// The runtime has ended the session.
  virtual void OnEnded(nearby::ClientSink::EndReason reason) = 0;
  virtual void OnReportRefused(nearby::Time reported_at, nearby::ReportOutcome outcome) = 0;
  virtual void OnMoveAway(absl::Duration after) = 0;
  /// The server stops.
  virtual void OnShutdown() = 0;
};

/// The runtime's client sink: all clients that are connected, by cookie. A batch is encoded once,
/// by the thread that polls its shard, and left with the client's loop. Because a loop takes what
/// comes from one thread in order, a client gets its answers and batches in the order in which the
/// runtime gave them out.
///
/// Thread-safe. No lock is held while anything else is called.
/// Ownership: shares the clients until they are removed.
class Connections : public nearby::ClientSink {
 public:
  explicit Connections(std::size_t shards) : encoders_(shards) {}

  /// The client's cookie, which nobody had before.
  std::uint64_t Add(std::shared_ptr<ConnectedClient> client);
  /// From now on nothing comes to the client but what is on its loop already.
  void Remove(std::uint64_t cookie);
  /// Calls OnShutdown of everyone, on their loops.
  void ShutDown();

  Flow Deliver(const nearby::ClientBatch& batch) override;
  void Ended(nearby::SessionId session, std::uint64_t cookie, EndReason reason) override;
  void ReportRefused(nearby::SessionId session, std::uint64_t cookie, nearby::Time reported_at,
                     nearby::ReportOutcome outcome) override;
  void MoveAway(nearby::SessionId session, std::uint64_t cookie, absl::Duration after) override;

 private:
  using Client = std::shared_ptr<ConnectedClient>;

  // Several, so that shards and loops seldom wait for each other.
  struct alignas(64) Stripe {
    mutable std::mutex mutex;
    absl::flat_hash_map<std::uint64_t, Client> clients;
  };

  Stripe& StripeOf(std::uint64_t cookie) { return stripes_[cookie % stripes_.size()]; }
  // Null if the client has gone.
  Client Find(std::uint64_t cookie);

  std::atomic<std::uint64_t> next_cookie_{1};
  std::array<Stripe, 64> stripes_;
  // By shard: the calls for one shard do not overlap.
  std::vector<nearby::ServerEncoder> encoders_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_CONNECTIONS_H_
