#ifndef NEARBY_LOCKSTEP_H_
#define NEARBY_LOCKSTEP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nearby/engine.h"
#include "nearby/export.h"
#include "nearby/friend_graph.h"
#include "nearby/ids.h"

namespace nearby {

/// Several engines and a friend graph, driven as one by a single thread: every event is carried
/// through all shards before the next one, in order of time. What comes out is therefore the same
/// for every number of shards, with two exceptions: a connect_page_size above 0 pages the friends
/// of one shard only, and reports that min_report_interval holds back until the same millisecond
/// are applied shard by shard. For replays, simulations and tests; it gains nothing in speed.
///
///   std::unique_ptr<Lockstep> shards = Lockstep::Create({}).value();
///   absl::Status status = shards->Befriend(UserId{1}, UserId{2});
///   status.Update(shards->Advance(now));
///   status.Update(shards->Connect({UserId{1}}));
///   ReportOutcome outcome = shards->Report(UserId{1}, {48.137, 11.575}, now);
///   for (const Delivery& delivery : shards->deliveries()) Print(delivery);
///   shards->ClearDeliveries();
///
/// Settings (friendships, hides, subscriptions, radii) may name users who are not connected, and
/// hold when they connect.
///
/// Thread-compatible. Owns the engines and the graph.
class NEARBY_API Lockstep {
 public:
  struct Options {
    EngineOptions engine;  ///< For each shard; `shard` and `shard_count` are filled in.
    std::uint32_t shards = 1;
    FriendGraph::Options graph;
  };

  /// `InvalidArgument` for options that EngineOptions::Validate refuses.
  static absl::StatusOr<std::unique_ptr<Lockstep>> Create(const Options& options);

  /// Moves all shards on to `now`, in order of time. Errors as Engine::Advance.
  absl::Status Advance(Time now);
  Time now() const { return engines_.front()->now(); }

  /// Connects a user and loads the friends from the graph at once. A radius set before holds unless
  /// the request bears its own. Errors as Engine::Connect, which leave things as they were, and as
  /// Engine::FriendsLoaded, which leave the user disconnected.
  absl::Status Connect(const ConnectRequest& request);
  /// `NotFound` if the user is not connected.
  absl::Status Disconnect(UserId user);
  bool is_connected(UserId user) const { return engine_of(user).Find(user).has_value(); }

  ReportOutcome Report(UserId user, LatLng location, Time reported_at);

  /// Changes the graph, then every shard concerned. Errors as FriendGraph and Engine::Apply.
  absl::Status Befriend(UserId a, UserId b);
  absl::Status Unfriend(UserId a, UserId b);
  absl::Status Hide(Viewing viewing);
  absl::Status Share(Viewing viewing);
  absl::Status Subscribe(Viewing viewing);
  absl::Status Unsubscribe(Viewing viewing);

  /// Holds for this session and those to come. `InvalidArgument` for an invalid radius.
  absl::Status SetRadius(UserId user, double radius_m);

  absl::StatusOr<NearbyPage> Nearby(UserId user, PageToken after, std::size_t page_size);

  /// Everything delivered since the last clear. In order for each subscriber; across shards, the
  /// order of (time, subscriber, friend) is the reader's to make.
  const std::vector<Delivery>& deliveries() const { return effects_.deliveries; }
  void ClearDeliveries() { effects_.deliveries.clear(); }

  /// The graph, for loading friendships before anyone connects. Changes made here behind the back
  /// of connected users reach them only when they connect again.
  FriendGraph& graph() { return graph_; }
  const FriendGraph& graph() const { return graph_; }

  /// Summed over the shards.
  EngineStats stats() const;
  /// The first violation in any shard.
  absl::Status CheckInvariants() const;

 private:
  Lockstep(const EngineOptions& options, const FriendGraph::Options& graph)
      : options_(options), graph_(graph) {}

  Engine& engine_of(UserId user);
  const Engine& engine_of(UserId user) const;
  absl::Status ApplyEverywhere(const absl::StatusOr<FriendGraph::Outcome>& outcome);
  // Carries messages, and loads the lists that are asked for, until nothing is under way.
  void Settle();
  void AnswerRequests();
  absl::Status LoadFriends(const FriendsRequest& request);

  EngineOptions options_;  // but for `shard`
  FriendGraph graph_;
  std::vector<std::unique_ptr<Engine>> engines_;
  absl::flat_hash_map<UserId, double> radii_;
  Effects effects_;
  std::vector<FriendEntry> friends_;    // scratch
  std::vector<PeerMessage> in_flight_;  // scratch
};

}  // namespace nearby

#endif  // NEARBY_LOCKSTEP_H_
