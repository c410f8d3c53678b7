#include "tests/fuzz/ops_target.h"

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "nearby/lockstep.h"
#include "tests/engine/raw_cluster.h"

namespace nearby::test {
namespace {

using Call = StreamChecker::Call;

absl::StatusOr<FriendGraph::Outcome> Change(FriendGraph& graph, OpsTarget::ChangeKind kind,
                                            Viewing viewing) {
  switch (kind) {
    case OpsTarget::ChangeKind::kBefriend:
      return graph.Befriend(viewing.viewer, viewing.owner);
    case OpsTarget::ChangeKind::kUnfriend:
      return graph.Unfriend(viewing.viewer, viewing.owner);
    case OpsTarget::ChangeKind::kHide:
      return graph.Hide(viewing);
    case OpsTarget::ChangeKind::kShare:
      return graph.Share(viewing);
    case OpsTarget::ChangeKind::kSubscribe:
      return graph.Subscribe(viewing);
    case OpsTarget::ChangeKind::kUnsubscribe:
      break;
  }
  return graph.Unsubscribe(viewing);
}

absl::Status Change(Lockstep& lockstep, OpsTarget::ChangeKind kind, Viewing viewing) {
  switch (kind) {
    case OpsTarget::ChangeKind::kBefriend:
      return lockstep.Befriend(viewing.viewer, viewing.owner);
    case OpsTarget::ChangeKind::kUnfriend:
      return lockstep.Unfriend(viewing.viewer, viewing.owner);
    case OpsTarget::ChangeKind::kHide:
      return lockstep.Hide(viewing);
    case OpsTarget::ChangeKind::kShare:
      return lockstep.Share(viewing);
    case OpsTarget::ChangeKind::kSubscribe:
      return lockstep.Subscribe(viewing);
    case OpsTarget::ChangeKind::kUnsubscribe:
      break;
  }
  return lockstep.Unsubscribe(viewing);
}

class LockstepTarget : public OpsTarget {
 public:
  explicit LockstepTarget(const World& world) : OpsTarget(world) {
    Lockstep::Options options;
    options.engine = world.options;
    options.shards = world.shards;
    options.graph = GraphOptions(world);
    lockstep_ = *Lockstep::Create(options);
  }

  absl::Status Advance(Time now) override {
    absl::Status status = lockstep_->Advance(now);
    Flush({}, Call::kAdvance);
    return status;
  }

  Time now() const override { return lockstep_->now(); }

  absl::Status Connect(const ConnectRequest& request) override {
    ConnectRequest with_cookie = request;
    with_cookie.cookie = NextCookie();
    absl::Status status = lockstep_->Connect(with_cookie);
    if (status.ok()) {
      const auto kept = settings_.find(request.user);
      std::optional<double> radius_m = request.radius_m;
      if (!radius_m && kept != settings_.end()) radius_m = kept->second;
      checker().OnConnect(request.user, with_cookie.cookie, radius_m);
      checker().OnFriendsLoaded(request.user);
    } else if (!lockstep_->is_connected(request.user)) {
      checker().OnDisconnect(request.user);
    }
    Flush({});
    return status;
  }

  absl::Status Disconnect(UserId user) override {
    absl::Status status = lockstep_->Disconnect(user);
    if (status.ok()) checker().OnDisconnect(user);
    Flush({});
    return status;
  }

  ReportOutcome Report(UserId user, LatLng location, Time reported_at) override {
    const ReportOutcome outcome = lockstep_->Report(user, location, reported_at);
    std::vector<AcceptedLocation> accepted;
    if (outcome == ReportOutcome::kAccepted) {
      accepted.push_back({user, Position::FromLatLng(location), now(), reported_at});
    }
    Flush(accepted);
    return outcome;
  }

  absl::Status Apply(ChangeKind kind, Viewing viewing) override {
    // The checker's graph first: what is delivered must be true of it already.
    ChangeGraph(kind, viewing).status().IgnoreError();
    absl::Status status = Change(*lockstep_, kind, viewing);
    Flush({});
    return status;
  }

  absl::Status SetRadius(UserId user, double radius_m) override {
    absl::Status status = lockstep_->SetRadius(user, radius_m);
    if (status.ok()) {
      settings_[user] = radius_m;
      checker().OnRadius(user, radius_m);
    }
    Flush({});
    return status;
  }

  absl::StatusOr<NearbyPage> Nearby(UserId user, PageToken after, std::size_t size) override {
    absl::StatusOr<NearbyPage> page = lockstep_->Nearby(user, after, size);
    Flush({});
    return page;
  }

  bool is_connected(UserId user) const override { return lockstep_->is_connected(user); }
  EngineStats stats() const override { return lockstep_->stats(); }
  absl::Status CheckInvariants() const override { return lockstep_->CheckInvariants(); }

 private:
  void Flush(const std::vector<AcceptedLocation>& accepted, Call call = Call::kOther) {
    Observe(call, accepted, lockstep_->deliveries());
    lockstep_->ClearDeliveries();
  }

  std::unique_ptr<Lockstep> lockstep_;
  std::map<UserId, double> settings_;  // radii that outlive a session
};

class RawTarget : public OpsTarget {
 public:
  explicit RawTarget(const World& world)
      : OpsTarget(world),
        cluster_(*RawCluster::Create(world.options, world.shards)),
        is_prompt_(world.driving == Driving::kPrompt) {}

  absl::Status Advance(Time now) override {
    absl::Status status;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      status.Update(cluster_.engine(shard).Advance(now, &effects_));
      Flush(Call::kAdvance);
    }
    Settle();
    return status;
  }

  Time now() const override { return cluster_.engine(0).now(); }

  absl::Status Connect(const ConnectRequest& request) override {
    ConnectRequest with_cookie = request;
    with_cookie.cookie = NextCookie();
    const absl::StatusOr<ClientHandle> client = home(request.user).Connect(with_cookie, &effects_);
    if (client.ok()) {
      if (const auto old = handles_.find(request.user); old != handles_.end()) {
        stale_.push_back({request.user, old->second});
      }
      handles_[request.user] = *client;
      checker().OnConnect(request.user, with_cookie.cookie, request.radius_m);
    }
    Flush();
    Settle();
    return client.status();
  }

  absl::Status Disconnect(UserId user) override {
    absl::Status status = home(user).Disconnect(handle(user), &effects_);
    if (status.ok()) {
      checker().OnDisconnect(user);
      stale_.push_back({user, handles_[user]});
      handles_.erase(user);
    }
    Flush();
    Settle();
    return status;
  }

  ReportOutcome Report(UserId user, LatLng location, Time reported_at) override {
    const ReportOutcome outcome =
        home(user).Report({handle(user), location, reported_at}, &effects_);
    Flush();
    Settle();
    return outcome;
  }

  absl::Status Apply(ChangeKind kind, Viewing viewing) override {
    const absl::StatusOr<FriendGraph::Outcome> outcome = ChangeGraph(kind, viewing);
    if (!outcome.ok()) return outcome.status();
    const FriendshipChange& change = outcome->change;
    absl::Status status = home(change.user).Apply(change, &effects_);
    Flush();
    if (cluster_.home(change.friend_id) != cluster_.home(change.user)) {
      status.Update(home(change.friend_id).Apply(change, &effects_));
      Flush();
    }
    Settle();
    return status;
  }

  absl::Status SetRadius(UserId user, double radius_m) override {
    absl::Status status = home(user).SetRadius(handle(user), radius_m, &effects_);
    if (status.ok()) checker().OnRadius(user, radius_m);
    Flush();
    Settle();
    return status;
  }

  absl::StatusOr<NearbyPage> Nearby(UserId user, PageToken after, std::size_t size) override {
    absl::StatusOr<NearbyPage> page = home(user).Nearby(handle(user), after, size, &effects_);
    Flush();
    Settle();
    return page;
  }

  bool is_connected(UserId user) const override {
    return cluster_.engine(cluster_.home(user)).Find(user).has_value();
  }

  void SnapshotList(UserId user) override {
    constexpr std::size_t kMaxKept = 3;
    std::deque<List>& kept = lists_[user];
    if (kept.size() == kMaxKept) return;
    kept.push_back({graph().version(), {}});
    graph().List(user, &kept.back().entries);
  }

  void LoadOldestList(UserId user) override {
    std::deque<List>& kept = lists_[user];
    if (kept.empty()) return;
    const List list = std::move(kept.front());
    kept.pop_front();
    const absl::Status status =
        home(user).FriendsLoaded(handle(user), list.version, list.entries, &effects_);
    if (status.ok()) checker().OnFriendsLoaded(user);
    Flush();
    Settle();
  }

  void CarryOne(std::size_t choice) override {
    const std::optional<PeerMessage> message = cluster_.TakeMessage(choice);
    if (!message) return;
    cluster_.engine(ToInt(message->to)).Receive({&*message, 1}, &effects_);
    Flush();
  }

  void CarryAll() override {
    while (cluster_.has_messages()) CarryOne(0);
  }

  void UseStaleHandle(std::size_t choice) override;
  void SendStrayMessage(std::size_t choice, UserId a, UserId b) override;

  EngineStats stats() const override {
    EngineStats sum;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      sum += cluster_.engine(shard).stats();
    }
    return sum;
  }

  absl::Status CheckInvariants() const override {
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      absl::Status status = cluster_.engine(shard).CheckInvariants();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  struct List {
    FriendVersion version{};
    std::vector<FriendEntry> entries;
  };
  struct StaleHandle {
    UserId user{};
    ClientHandle client;
  };

  Engine& home(UserId user) { return cluster_.engine(cluster_.home(user)); }
  // A handle that names no session if the user has none.
  ClientHandle handle(UserId user) const {
    const auto it = handles_.find(user);
    return it == handles_.end() ? ClientHandle() : it->second;
  }

  // After each call of an engine.
  void Flush(Call call = Call::kOther) {
    Observe(call, effects_.locations, effects_.deliveries);
    cluster_.Enqueue(&effects_.messages);
    effects_.Clear();
  }
  void Settle() {
    if (is_prompt_) CarryAll();
  }
  void ExpectNoEffects(const char* what) {
    if (!effects_.deliveries.empty() || !effects_.messages.empty() || !effects_.answers.empty() ||
        !effects_.friend_requests.empty() || !effects_.locations.empty()) {
      Fail(0, std::string(what) + " had effects");
    }
    Flush();
  }

  RawCluster cluster_;
  bool is_prompt_;
  Effects effects_;
  std::map<UserId, ClientHandle> handles_;
  std::map<UserId, std::deque<List>> lists_;
  std::vector<StaleHandle> stale_;
};

void RawTarget::UseStaleHandle(std::size_t choice) {
  if (stale_.empty()) return;
  const StaleHandle& stale = stale_[choice % stale_.size()];
  Engine& engine = home(stale.user);
  switch (choice % 5) {
    case 0:
      if (engine.Report({stale.client, {0, 0}, now()}, &effects_) !=
          ReportOutcome::kUnknownClient) {
        Fail(2, "a report by a stale handle was taken");
      }
      break;
    case 1:
      if (engine.Disconnect(stale.client, &effects_).ok()) Fail(2, "stale handle: Disconnect");
      break;
    case 2:
      if (engine.FriendsLoaded(stale.client, graph().version(), {}, &effects_).ok()) {
        Fail(2, "stale handle: FriendsLoaded");
      }
      break;
    case 3:
      if (engine.SetRadius(stale.client, 5, &effects_).ok()) Fail(2, "stale handle: SetRadius");
      break;
    default:
      if (engine.Nearby(stale.client, {}, 1, &effects_).ok()) Fail(2, "stale handle: Nearby");
      break;
  }
  ExpectNoEffects("a call with a stale handle");
}

void RawTarget::SendStrayMessage(std::size_t choice, UserId a, UserId b) {
  PeerMessage stray;
  stray.kind = static_cast<PeerMessage::Kind>(choice % 8);
  stray.user = a;
  stray.friend_id = b;
  stray.friendship.friends = true;
  stray.version = graph().version();
  stray.position = Position::FromUnits(0, 0);
  stray.accepted_at = stray.reported_at = now();
  // From a shard that does not exist, from itself, or to another shard than the one it reaches.
  stray.to = ShardId{0};
  stray.from = ShardId{choice % 3 == 0 ? cluster_.size() : 0};
  if (choice % 3 == 1) stray.to = ShardId{cluster_.size()};
  cluster_.engine(0).Receive({&stray, 1}, &effects_);
  ExpectNoEffects("a stray message");
}

}  // namespace

OpsTarget::OpsTarget(const World& world)
    : graph_(std::make_unique<FriendGraph>(GraphOptions(world))) {
  StreamChecker::Options options;
  options.ttl = world.options.ttl;
  options.radius_m = world.options.radius_m;
  options.hysteresis_m = world.options.hysteresis_m;
  options.delayed_messages = world.driving == Driving::kDelayed;
  options.one_engine = world.shards == 1;
  checker_ = std::make_unique<StreamChecker>(options, graph_.get());
}

FriendGraph::Options OpsTarget::GraphOptions(const World& world) {
  FriendGraph::Options options;
  options.max_friends = world.options.max_friends;
  return options;
}

absl::StatusOr<FriendGraph::Outcome> OpsTarget::ChangeGraph(ChangeKind kind, Viewing viewing) {
  return Change(*graph_, kind, viewing);
}

void OpsTarget::Observe(StreamChecker::Call call, const std::vector<AcceptedLocation>& locations,
                        const std::vector<Delivery>& deliveries) {
  checker_->OnEffects(call, locations, deliveries);
  transcript_.insert(transcript_.end(), deliveries.begin(), deliveries.end());
}

std::unique_ptr<OpsTarget> MakeOpsTarget(const World& world) {
  if (world.driving == Driving::kLockstep) return std::make_unique<LockstepTarget>(world);
  return std::make_unique<RawTarget>(world);
}

}  // namespace nearby::test
