#include "nearby/lockstep.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nearby/radius_filter.h"

namespace nearby {

absl::StatusOr<std::unique_ptr<Lockstep>> Lockstep::Create(const Options& options) {
  EngineOptions engine_options = options.engine;
  engine_options.shard_count = options.shards;
  engine_options.shard = ShardId{0};
  // Before the engines are made, so that a number of shards out of range makes none.
  if (absl::Status status = engine_options.Validate(); !status.ok()) return status;
  auto lockstep = std::unique_ptr<Lockstep>(new Lockstep(engine_options, options.graph));
  for (std::uint32_t shard = 0; shard < options.shards; ++shard) {
    engine_options.shard = ShardId{shard};
    absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Create(engine_options);
    if (!engine.ok()) return engine.status();
    lockstep->engines_.push_back(*std::move(engine));
  }
  return lockstep;
}

absl::Status Lockstep::Advance(Time now) {
  if (!IsValid(now) || now < this->now()) return engines_.front()->Advance(now, &effects_);
  // What one shard does on its way may concern another at that very time, so none runs ahead.
  for (;;) {
    Time next = now;
    for (const auto& engine : engines_) next = std::min(next, engine->next_event());
    next = std::max(next, this->now());
    for (const auto& engine : engines_) {
      if (absl::Status status = engine->Advance(next, &effects_); !status.ok()) return status;
    }
    Settle();
    if (next >= now) return absl::OkStatus();
  }
}

absl::Status Lockstep::Connect(const ConnectRequest& request) {
  ConnectRequest with_radius = request;
  if (!with_radius.radius_m) {
    const auto radius = radii_.find(request.user);
    if (radius != radii_.end()) with_radius.radius_m = radius->second;
  }
  Engine& engine = engine_of(request.user);
  const absl::StatusOr<ClientHandle> client = engine.Connect(with_radius, &effects_);
  if (!client.ok()) return client.status();
  effects_.friend_requests.clear();
  absl::Status status = LoadFriends({*client, request.user});
  if (!status.ok()) engine.Disconnect(*client, &effects_).IgnoreError();
  Settle();
  return status;
}

absl::Status Lockstep::Disconnect(UserId user) {
  Engine& engine = engine_of(user);
  const std::optional<ClientHandle> client = engine.Find(user);
  if (!client) return absl::NotFoundError(absl::StrCat("user ", ToInt(user), " is not connected"));
  absl::Status status = engine.Disconnect(*client, &effects_);
  Settle();
  return status;
}

ReportOutcome Lockstep::Report(UserId user, LatLng location, Time reported_at) {
  Engine& engine = engine_of(user);
  const std::optional<ClientHandle> client = engine.Find(user);
  const ReportOutcome outcome =
      engine.Report({client.value_or(ClientHandle()), location, reported_at}, &effects_);
  Settle();
  return outcome;
}

absl::Status Lockstep::Befriend(UserId a, UserId b) {
  return ApplyEverywhere(graph_.Befriend(a, b));
}
absl::Status Lockstep::Unfriend(UserId a, UserId b) {
  return ApplyEverywhere(graph_.Unfriend(a, b));
}
absl::Status Lockstep::Hide(Viewing viewing) { return ApplyEverywhere(graph_.Hide(viewing)); }
absl::Status Lockstep::Share(Viewing viewing) { return ApplyEverywhere(graph_.Share(viewing)); }
absl::Status Lockstep::Subscribe(Viewing viewing) {
  return ApplyEverywhere(graph_.Subscribe(viewing));
}
absl::Status Lockstep::Unsubscribe(Viewing viewing) {
  return ApplyEverywhere(graph_.Unsubscribe(viewing));
}

absl::Status Lockstep::ApplyEverywhere(const absl::StatusOr<FriendGraph::Outcome>& outcome) {
  if (!outcome.ok()) return outcome.status();
  if (!outcome->changed) return absl::OkStatus();
  const FriendshipChange& change = outcome->change;
  Engine& one = engine_of(change.user);
  Engine& other = engine_of(change.friend_id);
  absl::Status status = one.Apply(change, &effects_);
  if (&other != &one) status.Update(other.Apply(change, &effects_));
  Settle();
  return status;
}

absl::Status Lockstep::SetRadius(UserId user, double radius_m) {
  if (absl::Status status = ValidateRadius(radius_m); !status.ok()) return status;
  radii_[user] = radius_m;
  Engine& engine = engine_of(user);
  const std::optional<ClientHandle> client = engine.Find(user);
  if (!client) return absl::OkStatus();
  absl::Status status = engine.SetRadius(*client, radius_m, &effects_);
  Settle();
  return status;
}

absl::StatusOr<NearbyPage> Lockstep::Nearby(UserId user, PageToken after, std::size_t page_size) {
  Engine& engine = engine_of(user);
  const std::optional<ClientHandle> client = engine.Find(user);
  if (!client) return absl::NotFoundError(absl::StrCat("user ", ToInt(user), " is not connected"));
  return engine.Nearby(*client, after, page_size, &effects_);
}

EngineStats Lockstep::stats() const {
  EngineStats sum;
  for (const auto& engine : engines_) sum += engine->stats();
  return sum;
}

absl::Status Lockstep::CheckInvariants() const {
  for (const auto& engine : engines_) {
    if (absl::Status status = engine->CheckInvariants(); !status.ok()) return status;
  }
  return graph_.CheckInvariants();
}

Engine& Lockstep::engine_of(UserId user) { return *engines_[ToInt(options_.HomeOf(user))]; }

const Engine& Lockstep::engine_of(UserId user) const {
  return *engines_[ToInt(options_.HomeOf(user))];
}

void Lockstep::Settle() {
  while (!effects_.messages.empty() || !effects_.friend_requests.empty()) {
    in_flight_.clear();
    in_flight_.swap(effects_.messages);
    for (const PeerMessage& message : in_flight_) {
      engines_[ToInt(message.to)]->Receive({&message, 1}, &effects_);
    }
    AnswerRequests();
  }
  // Only deliveries are for the caller. The rest asks nothing of a host without sessions to close
  // or stores to write.
  effects_.answers.clear();
  effects_.replaced.clear();
  effects_.locations.clear();
}

// Engines ask again where a list turned out too old. The graph's own cannot be refused.
void Lockstep::AnswerRequests() {
  const std::vector<FriendsRequest> requests = std::move(effects_.friend_requests);
  effects_.friend_requests.clear();
  for (const FriendsRequest& request : requests) LoadFriends(request).IgnoreError();
}

absl::Status Lockstep::LoadFriends(const FriendsRequest& request) {
  friends_.clear();
  graph_.List(request.user, &friends_);
  return engine_of(request.user)
      .FriendsLoaded(request.client, graph_.version(), friends_, &effects_);
}

}  // namespace nearby
