#ifndef NEARBY_TESTING_SIMULATED_TRANSPORT_H_
#define NEARBY_TESTING_SIMULATED_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "nearby/export.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/transport.h"

namespace nearby {

class SimulatedServers;

/// The pub/sub servers of a simulated world, and its links: what takes how long, gets lost and goes
/// down there (`SimulatedFaultOptions::Transport`). Servers come into being when they are first
/// named, and run.
///
/// A message is published when the server has it: after its way there. What is on its way when a
/// server, a link or its subscriber's node goes, is lost. A server does not know its subscribers'
/// links to be dead before they break: to those in a partition it sends on, and what it sends comes
/// when the partition has healed, or never.
///
/// Thread-compatible. Borrows the faults, which must outlive it; must outlive its transports, and
/// every Step of the simulation.
/// Cost: an action of the simulation for each message published, and one for each that is received;
/// in a steady state no allocation but those of completions and of the simulation.
class NEARBY_API SimulatedPubSub {
 public:
  struct Options {
    std::size_t max_nodes = 1u << 12;
    /// A Publish or Subscribe that names one more completes `Unavailable`.
    std::size_t max_servers = 1u << 12;
    /// Over all; beyond it Subscribe completes `ResourceExhausted`.
    std::size_t max_subscriptions = 1u << 20;
    /// Calls of one node that have not completed; beyond it they complete `ResourceExhausted`.
    std::size_t max_calls = 1u << 16;
    /// Messages that wait for one partition to heal, in each direction; beyond it the link breaks.
    std::size_t max_held = 1u << 12;
    /// Of a payload.
    std::size_t max_payload_bytes = 1u << 20;
  };

  /// The directions of a link that a partition cuts.
  enum class Cut : std::uint8_t { kNone = 0, kToServer = 1, kFromServer = 2, kBoth = 3 };

  explicit SimulatedPubSub(SimulatedFaults* faults);
  SimulatedPubSub(SimulatedFaults* faults, const Options& options);
  ~SimulatedPubSub();
  SimulatedPubSub(const SimulatedPubSub&) = delete;
  SimulatedPubSub& operator=(const SimulatedPubSub&) = delete;

  /// What the options do at random, done at will; counted alike, and healed by
  /// SimulatedFaults::Quiet. A crash of a server that is down does nothing, and so on.
  void CrashServer(absl::string_view server);
  void RestartServer(absl::string_view server);
  void BreakLink(NodeId node, absl::string_view server);
  /// Until it is set to kNone, which heals it.
  void SetPartition(NodeId node, absl::string_view server, Cut cut);

  bool is_up(absl::string_view server) const;
  /// Those that the servers have, over all.
  std::size_t subscription_count() const;
  /// Those of one node. O(servers).
  std::size_t subscription_count(NodeId node) const;
  /// The transports' calls that have not completed, over all.
  std::size_t calls_under_way() const;

 private:
  friend class SimulatedTransport;
  std::unique_ptr<SimulatedServers> servers_;
};

/// A node's links to the servers of a SimulatedPubSub.
///
///   SimulatedPubSub servers(&faults);
///   SimulatedTransport transport(&servers, NodeId{1});
///   transport.SetReceiver(&receiver);
///   transport.Subscribe("pubsub-1", UserId{7}, [](absl::Status status) { ... });
///   simulation.RunFor(100);
///
/// With all faults off it keeps the contract of `Transport`, but for thread safety (3). Calls
/// complete, and messages come, in actions of the simulation; never before a call returns, but for
/// the completions that `complete_inline` says. Messages on one channel of a server keep their
/// order; those on different channels need not. `SimulatedFaultOptions` says which faults break
/// which clause.
///
/// Thread-compatible: one thread for the whole world. Borrows the servers, which must outlive it.
class NEARBY_API SimulatedTransport : public Transport {
 public:
  /// Takes over from an earlier transport of that node, as if that had crashed; links that are
  /// partitioned stay so.
  SimulatedTransport(SimulatedPubSub* servers, NodeId node);
  /// As Crash. Completions that have not come are destroyed uncalled.
  ~SimulatedTransport() override;

  void SetReceiver(Receiver* receiver) override;
  void Publish(absl::string_view server, Channel channel, absl::string_view payload,
               Done done) override;
  void Subscribe(absl::string_view server, Channel channel, Done done) override;
  void Unsubscribe(absl::string_view server, Channel channel, Done done) override;
  std::size_t max_payload() const override;

  /// The node is gone, with its receiver: nothing is delivered or completed to it any more. What it
  /// had sent may still reach the servers, up to some point drawn for each link. From then on calls
  /// have no effect, and do not complete either: the node's objects may be destroyed as usual. All
  /// completions that were not called are kept until the transport is destroyed, for destroying
  /// one may set off a completion of the node's own. May be called from within a receiver or a
  /// completion.
  void Crash();
  bool has_crashed() const;

 private:
  struct NEARBY_LOCAL Buried;

  void Bury(Done done);

  SimulatedServers* servers_;
  std::uint32_t node_;  // by number
  std::unique_ptr<Buried> buried_;
};

}  // namespace nearby

#endif  // NEARBY_TESTING_SIMULATED_TRANSPORT_H_
