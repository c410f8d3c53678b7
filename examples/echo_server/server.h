#ifndef EXAMPLES_ECHO_SERVER_SERVER_H_
#define EXAMPLES_ECHO_SERVER_SERVER_H_

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/echo_server/authenticator.h"
#include "examples/echo_server/codec.h"
#include "examples/echo_server/connection_host.h"
#include "examples/echo_server/connection_slots.h"
#include "examples/echo_server/connections.h"
#include "examples/echo_server/event_loop.h"
#include "examples/echo_server/friend_requests.h"
#include "examples/echo_server/listener.h"
#include "examples/echo_server/metrics_page.h"
#include "examples/echo_server/router.h"
#include "examples/echo_server/server_options.h"
#include "examples/echo_server/server_stats.h"
#include "examples/echo_server/shard_poller.h"
#include "examples/echo_server/user_rate_limit.h"
#include "nearby/cluster.h"
#include "nearby/friend_store.h"
#include "nearby/location_store.h"
#include "nearby/runtime.h"

namespace echo_server {

/// Where a server finds what it does not keep itself. All of it must outlive the server.
struct ServerStores {
  nearby::FriendStore* friends = nullptr;  ///< Required.
  /// A node among others has these as well.
  nearby::LocationStore* locations = nullptr;
  nearby::Cluster* cluster = nullptr;
};

/// A server for phones: a runtime, the connections around it, and the loops that drive both. Each
/// loop serves its share of the connections and polls one shard.
///
///   EventLoops loops(2);
///   InMemoryFriendStore friends;
///   auto server = Server::Create(options, Authenticator::Insecure(), &loops, {&friends}).value();
///   server->Start();
///   loops.Start();
///   ...
///   server->Drain();   // in the end the loops stop
///   loops.Join();
///
/// Drain is thread-safe; the rest is for one thread. Destroy it after the loops have been joined.
/// Ownership: borrows the loops and the stores. The loops must outlive the stores, and both the
/// server.
class Server {
 public:
  /// Binds to the address. `InvalidArgument`: options out of range; errors of Listener::Open.
  static absl::StatusOr<std::unique_ptr<Server>> Create(const ServerOptions& options,
                                                        Authenticator authenticator,
                                                        EventLoops* loops,
                                                        const ServerStores& stores);

  std::uint16_t port() const { return listener_->port(); }

  /// Before the loops are started.
  void Start();

  /// Takes no new clients, asks those that are here to move, and stops the loops once they have
  /// gone, or at the drain timeout. A second or so is given to goodbyes and to the answers of HTTP
  /// requests. A second call does nothing.
  void Drain();

 private:
  // What belongs to one loop.
  struct Worker {
    std::unique_ptr<ShardPoller> poller;
    Codec codec;
    ClientSessionHost sessions;
    std::unique_ptr<Router> router;
    ConnectionHost connections;
  };

  Server(const ServerOptions& options, Authenticator authenticator, EventLoops* loops,
         const ServerStores& stores);

  absl::Status CreateRuntime();
  absl::Status CreateWorker(std::size_t i);
  absl::Status Listen();

  // These run on the first loop.
  void BeginDrain();
  void FinishDrain();
  void StopWhenEmpty(int attempts);

  const ServerOptions options_;
  const Authenticator authenticator_;
  EventLoops* const loops_;
  const ServerStores stores_;
  ServerStats stats_;
  FriendRequests requests_;
  UserRateLimit request_limit_;
  MetricsPage metrics_;
  ConnectionSlots slots_;
  ConnectionSlots refusal_slots_;
  ConnectionSlots requests_under_way_;
  std::atomic<bool> is_draining_{false};
  Connections clients_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Listener> listener_;
  boost::asio::steady_timer drain_timer_;
  bool is_drained_ = false;
  bool is_finishing_ = false;
  // Last: the others are its sink, its metrics and its wake.
  std::unique_ptr<nearby::Runtime> runtime_;
};

}  // namespace echo_server

#endif  // EXAMPLES_ECHO_SERVER_SERVER_H_
