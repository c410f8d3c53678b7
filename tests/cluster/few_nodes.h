#ifndef NEARBY_TESTS_CLUSTER_FEW_NODES_H_
#define NEARBY_TESTS_CLUSTER_FEW_NODES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nearby/client_sink.h"
#include "nearby/cluster.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/in_memory_ring_source.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/in_memory_transport.h"
#include "nearby/runtime.h"
#include "nearby/testing/recording_client_sink.h"
#include "nearby/testing/simulated_clock.h"
#include "tests/cluster/severed_directory.h"
#include "tests/runtime/reply.h"

namespace nearby::test {

inline constexpr LatLng kHere{48.137, 11.575};

/// So many metres to the north of kHere, roughly.
constexpr LatLng North(double meters) { return {kHere.lat + meters / 111'195.0, kHere.lng}; }

/// Some nodes in one process, with the in-memory defaults between them. Unless threads poll them,
/// time stands still and nothing happens but in Settle, Pass and PollAll of a node.
class FewNodes {
 public:
  struct Client {
    std::size_t node = 0;
    UserId user{};
    std::uint64_t cookie = 0;
    SessionId session;
  };

  using EditReply = Reply<absl::StatusOr<std::optional<NearbyFriend>>>;

  struct Options {
    Options();
    std::size_t nodes = 2;
    RuntimeOptions runtime;
    ClusterOptions cluster;
  };

  explicit FewNodes(const Options& options = Options());
  /// Expects that no client has been told what it must not be.
  ~FewNodes();

  Runtime& runtime(std::size_t node) { return *nodes_[node]->runtime; }
  Cluster& cluster(std::size_t node) { return *nodes_[node]->cluster; }
  ClusterStats stats(std::size_t node) const { return nodes_[node]->cluster->stats(); }
  RecordingClientSink& sink(std::size_t node) { return sinks_[node]; }
  InMemoryFriendStore& friends() { return friends_; }
  InMemoryBroker& broker() { return broker_; }
  SeveredDirectory& directory(std::size_t node) { return nodes_[node]->directory; }
  SimulatedClock& clock() { return clock_; }
  void SetRing(std::uint64_t version, const char* server) { SetRing(version, {{server}}); }
  void SetRing(std::uint64_t version, const std::vector<std::string>& servers);
  /// The server that the ring names for it.
  const std::string& ServerOf(Channel channel) const { return owners_->Owner(channel)->server; }

  void Befriend(UserId a, UserId b);
  /// Connects, and expects it to succeed: the client has its session as soon as the node is polled.
  std::shared_ptr<Client> BeginConnect(std::size_t node, UserId user,
                                       std::optional<LatLng> location);
  /// The same, and settles.
  Client Connect(std::size_t node, UserId user, std::optional<LatLng> location);
  void Disconnect(const Client& client);
  void Report(const Client& client, LatLng location);
  EditReply Edit(std::size_t node, FriendEdit::Kind kind, UserId user, UserId friend_id);

  /// Polls all until nothing more comes of it, in the same instant.
  void Settle();
  /// Lets time pass, in steps of a tenth of a second.
  void Pass(absl::Duration time);
  /// The process is gone, and lets go of nothing.
  void Destroy(std::size_t node);
  /// The runtime is destroyed, and nothing may be asked of the node but its cluster.
  void EndRuntime(std::size_t node) { nodes_[node]->runtime.reset(); }
  /// The cluster as well.
  void End(std::size_t node) { nodes_[node].reset(); }

  std::set<UserId> InSight(const Client& client) const;
  std::optional<ClientSink::EndReason> Ended(const Client& client) const {
    return sinks_[client.node].ended(client.cookie);
  }

 private:
  // In the order of being made.
  struct Node {
    Node(FewNodes* all, const Options& options, std::size_t index);

    InMemoryTransport transport;
    SeveredDirectory directory;
    std::unique_ptr<Cluster> cluster;
    std::unique_ptr<Runtime> runtime;
  };

  SimulatedClock clock_{Time::Millis(1'700'000'000'000)};
  InMemoryBroker broker_;
  InMemoryRingSource ring_;
  RingSource::Ring owners_;  // of that version
  InMemorySessionDirectory shared_directory_{&clock_};
  InMemoryLocationStore locations_{&clock_};
  InMemoryFriendStore friends_;
  std::deque<RecordingClientSink> sinks_;
  std::uint64_t last_cookie_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_CLUSTER_FEW_NODES_H_
