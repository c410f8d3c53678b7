#include "tests/engine/scenario_world.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nearby/lockstep.h"
#include "tests/engine/raw_cluster.h"

namespace nearby::test {
namespace {

const char* Name(PeerMessage::Kind kind) {
  switch (kind) {
    case PeerMessage::Kind::kAnnounce:
      return "announce";
    case PeerMessage::Kind::kAnnounceBack:
      return "announce back";
    case PeerMessage::Kind::kSubscribe:
      return "subscribe to";
    case PeerMessage::Kind::kUnsubscribe:
      return "unsubscribe from";
    case PeerMessage::Kind::kLocation:
      return "location of";
    case PeerMessage::Kind::kHere:
      return "here is";
    case PeerMessage::Kind::kPark:
      return "park";
    case PeerMessage::Kind::kOffline:
      break;
  }
  return "offline";
}

class LockstepWorld : public ScenarioWorld {
 public:
  LockstepWorld(std::unique_ptr<Lockstep> lockstep, std::uint32_t shards, Names* names)
      : ScenarioWorld(names), lockstep_(std::move(lockstep)), shards_(shards) {}

  absl::Status Advance(Time now) override { return Flush(lockstep_->Advance(now)); }
  Time now() const override { return lockstep_->now(); }
  absl::Status Connect(const Connection& connection) override {
    return Flush(lockstep_->Connect(connection.request));
  }
  absl::Status Disconnect(const std::string& session) override {
    return Flush(lockstep_->Disconnect(names().Id(session)));
  }
  ReportOutcome Report(const std::string& session, LatLng location, Time reported_at) override {
    return Flush(lockstep_->Report(names().Id(session), location, reported_at));
  }
  absl::Status SetRadius(const std::string& session, double radius_m) override {
    return Flush(lockstep_->SetRadius(names().Id(session), radius_m));
  }
  absl::StatusOr<NearbyPage> Nearby(const std::string& session, PageToken after,
                                    std::size_t size) override {
    return Flush(lockstep_->Nearby(names().Id(session), after, size));
  }
  EngineStats stats() const override { return lockstep_->stats(); }
  absl::Status CheckInvariants() const override { return lockstep_->CheckInvariants(); }
  ShardId home(UserId user) const override { return HomeShard(user, shards_); }

  absl::Status Apply(Change change, Viewing viewing) override {
    switch (change) {
      case Change::kBefriend:
        return Flush(lockstep_->Befriend(viewing.viewer, viewing.owner));
      case Change::kUnfriend:
        return Flush(lockstep_->Unfriend(viewing.viewer, viewing.owner));
      case Change::kHide:
        return Flush(lockstep_->Hide(viewing));
      case Change::kShare:
        return Flush(lockstep_->Share(viewing));
      case Change::kSubscribe:
        return Flush(lockstep_->Subscribe(viewing));
      case Change::kUnsubscribe:
        break;
    }
    return Flush(lockstep_->Unsubscribe(viewing));
  }

 private:
  // Prints what a call delivered, and passes on its result.
  template <typename Result>
  Result Flush(Result result) {
    std::vector<Delivery> deliveries = lockstep_->deliveries();
    lockstep_->ClearDeliveries();
    std::stable_sort(deliveries.begin(), deliveries.end(),
                     [](const Delivery& a, const Delivery& b) {
                       return std::tie(a.time, a.subscriber, a.friend_id) <
                              std::tie(b.time, b.subscriber, b.friend_id);
                     });
    for (const Delivery& delivery : deliveries) Print(delivery);
    return result;
  }

  std::unique_ptr<Lockstep> lockstep_;
  std::uint32_t shards_;
};

class RawWorld : public ScenarioWorld {
 public:
  RawWorld(RawCluster cluster, Names* names) : ScenarioWorld(names), cluster_(std::move(cluster)) {}

  absl::Status Advance(Time now) override {
    absl::Status status;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      status.Update(cluster_.engine(shard).Advance(now, &effects_));
    }
    return Flush(status);
  }
  Time now() const override { return cluster_.engine(0).now(); }

  absl::Status Connect(const Connection& connection) override {
    const UserId user = connection.request.user;
    const absl::StatusOr<ClientHandle> client =
        cluster_.engine(cluster_.home(user)).Connect(connection.request, &effects_);
    if (client.ok()) sessions_[connection.session] = {user, *client};
    return Flush(client.status());
  }
  absl::Status Disconnect(const std::string& session) override {
    return Flush(engine(session).Disconnect(handle(session), &effects_));
  }
  ReportOutcome Report(const std::string& session, LatLng location, Time reported_at) override {
    return Flush(engine(session).Report({handle(session), location, reported_at}, &effects_));
  }
  absl::Status SetRadius(const std::string& session, double radius_m) override {
    return Flush(engine(session).SetRadius(handle(session), radius_m, &effects_));
  }
  absl::StatusOr<NearbyPage> Nearby(const std::string& session, PageToken after,
                                    std::size_t size) override {
    return Flush(engine(session).Nearby(handle(session), after, size, &effects_));
  }
  absl::Status LoadFriends(const std::string& session, FriendVersion version,
                           const std::vector<FriendEntry>& friends) override {
    return Flush(engine(session).FriendsLoaded(handle(session), version, friends, &effects_));
  }
  absl::Status ApplyRaw(const FriendshipChange& change) override {
    const std::uint32_t one = cluster_.home(change.user);
    const std::uint32_t other = cluster_.home(change.friend_id);
    absl::Status status = cluster_.engine(one).Apply(change, &effects_);
    if (other != one) status.Update(cluster_.engine(other).Apply(change, &effects_));
    return Flush(status);
  }
  absl::Status Carry() override {
    while (const std::optional<PeerMessage> message = cluster_.TakeMessage(0)) {
      PrintMessage(*message);
      cluster_.engine(ToInt(message->to)).Receive({&*message, 1}, &effects_);
      Flush(0);
    }
    return absl::OkStatus();
  }

  EngineStats stats() const override {
    EngineStats sum;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      sum += cluster_.engine(shard).stats();
    }
    return sum;
  }
  absl::Status CheckInvariants() const override {
    absl::Status status;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      status.Update(cluster_.engine(shard).CheckInvariants());
    }
    return status;
  }
  ShardId home(UserId user) const override { return ShardId{cluster_.home(user)}; }

 private:
  struct Session {
    UserId user{};
    ClientHandle client;
  };

  // A session that never was has a handle that names none.
  ClientHandle handle(const std::string& session) const {
    const auto it = sessions_.find(session);
    return it == sessions_.end() ? ClientHandle() : it->second.client;
  }
  Engine& engine(const std::string& session) {
    const auto it = sessions_.find(session);
    return cluster_.engine(it == sessions_.end() ? 0 : cluster_.home(it->second.user));
  }

  void PrintMessage(const PeerMessage& message) {
    const bool is_announcement = message.kind == PeerMessage::Kind::kAnnounce ||
                                 message.kind == PeerMessage::Kind::kAnnounceBack;
    Print(absl::StrCat("shard ", ToInt(message.from), " to ", ToInt(message.to), ": ",
                       Name(message.kind), " ", names().Name(message.user),
                       is_announcement ? " to " : "",
                       is_announcement ? names().Name(message.friend_id) : ""));
  }

  template <typename Result>
  Result Flush(Result result) {
    for (const SessionReplaced& replaced : effects_.replaced) {
      Print(absl::StrCat(names().Name(replaced.user), ": session [", replaced.cookie,
                         "] is replaced"));
    }
    for (const FriendsRequest& request : effects_.friend_requests) {
      Print(absl::StrCat(names().Name(request.user), ": load friends"));
    }
    for (const AcceptedLocation& accepted : effects_.locations) {
      Print(absl::StrCat(names().Name(accepted.user), ": accepted at ",
                         FormatTime(accepted.accepted_at), ", reported at ",
                         FormatTime(accepted.reported_at)));
    }
    for (const ConnectAnswer& answer : effects_.answers) {
      Print(absl::StrCat(names().Name(answer.user), ": connected, ", answer.count, " of ",
                         answer.in_sight, " in sight"));
    }
    for (const Delivery& delivery : effects_.deliveries) Print(delivery);
    cluster_.Enqueue(&effects_.messages);
    effects_.Clear();
    return result;
  }

  RawCluster cluster_;
  std::map<std::string, Session> sessions_;
  Effects effects_;
};

}  // namespace

UserId Names::Id(absl::string_view name) {
  const auto found = ids_.find(std::string(name));
  if (found != ids_.end()) return found->second;
  do {
    ++last_id_;
  } while (names_.count(UserId{last_id_}) != 0);
  Assign(name, UserId{last_id_});
  return UserId{last_id_};
}

bool Names::Assign(absl::string_view name, UserId id) {
  if (ids_.count(std::string(name)) != 0 || names_.count(id) != 0) return false;
  ids_[std::string(name)] = id;
  names_[id] = std::string(name);
  return true;
}

std::string Names::Name(UserId id) const {
  const auto found = names_.find(id);
  return found != names_.end() ? found->second : absl::StrCat("user ", ToInt(id));
}

std::string FormatTime(Time time) {
  return absl::StrFormat("%02d:%02d:%02d.%03d", time.ms / 3'600'000, time.ms / 60'000 % 60,
                         time.ms / 1000 % 60, time.ms % 1000);
}

std::string FormatDistance(std::int64_t distance_mm) {
  return absl::StrFormat("%d.%03d m", distance_mm / 1000, distance_mm % 1000);
}

absl::Status ScenarioWorld::Apply(Change /*change*/, Viewing /*viewing*/) {
  return absl::UnimplementedError("raw engines have no friend graph; use `apply`");
}

absl::Status ScenarioWorld::LoadFriends(const std::string& /*session*/, FriendVersion /*version*/,
                                        const std::vector<FriendEntry>& /*friends*/) {
  return absl::UnimplementedError("Lockstep loads friends by itself");
}

absl::Status ScenarioWorld::ApplyRaw(const FriendshipChange& /*change*/) {
  return absl::UnimplementedError("Lockstep takes changes by `befriend` and the like");
}

absl::Status ScenarioWorld::Carry() {
  return absl::UnimplementedError("Lockstep carries messages by itself");
}

std::string ScenarioWorld::TakeOutput() { return std::exchange(output_, std::string()); }

void ScenarioWorld::Print(absl::string_view line) { absl::StrAppend(&output_, line, "\n"); }

void ScenarioWorld::Print(const Delivery& delivery) {
  std::string line =
      absl::StrCat(FormatTime(delivery.time), " ", names_->Name(delivery.subscriber));
  if (delivery.cookie != 0) absl::StrAppend(&line, " [", delivery.cookie, "]");
  absl::StrAppend(&line, ": ", nearby::ToString(delivery.kind));
  if (delivery.kind != DeliveryKind::kReset) {
    absl::StrAppend(&line, " ", names_->Name(delivery.friend_id));
  }
  if (delivery.kind == DeliveryKind::kLeave) {
    absl::StrAppend(&line, " (", nearby::ToString(delivery.reason), ")");
  }
  if (delivery.distance_mm != 0 || delivery.position.is_somewhere()) {
    absl::StrAppend(&line, " ", FormatDistance(delivery.distance_mm));
  }
  if (delivery.position.is_somewhere() && delivery.reported_at != delivery.time) {
    absl::StrAppend(&line, ", reported ", FormatTime(delivery.reported_at));
  }
  Print(line);
}

absl::StatusOr<std::unique_ptr<ScenarioWorld>> MakeLockstepWorld(const ScenarioSetup& setup,
                                                                 Names* names) {
  Lockstep::Options options;
  options.engine = setup.options;
  options.shards = setup.shards;
  options.graph.max_friends = setup.options.max_friends;
  absl::StatusOr<std::unique_ptr<Lockstep>> lockstep = Lockstep::Create(options);
  if (!lockstep.ok()) return lockstep.status();
  return std::make_unique<LockstepWorld>(*std::move(lockstep), setup.shards, names);
}

absl::StatusOr<std::unique_ptr<ScenarioWorld>> MakeRawWorld(const ScenarioSetup& setup,
                                                            Names* names) {
  absl::StatusOr<RawCluster> cluster = RawCluster::Create(setup.options, setup.shards);
  if (!cluster.ok()) return cluster.status();
  return std::make_unique<RawWorld>(*std::move(cluster), names);
}

}  // namespace nearby::test
