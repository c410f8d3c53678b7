#include "nearby/engine.h"

#include <utility>

#include "src/engine/engine_impl.h"

namespace nearby {

absl::Status ToStatus(ReportOutcome outcome) {
  switch (outcome) {
    case ReportOutcome::kAccepted:
    case ReportOutcome::kConflated:
      return absl::OkStatus();
    case ReportOutcome::kStale:
      return absl::FailedPreconditionError("the report is older than the user's newest");
    case ReportOutcome::kFuture:
      return absl::InvalidArgumentError("the report is dated too far in the future");
    case ReportOutcome::kInvalidLocation:
      return absl::InvalidArgumentError("the location is not finite or out of range");
    case ReportOutcome::kInvalidTime:
      return absl::InvalidArgumentError("the report's time is out of range");
    case ReportOutcome::kUnknownClient:
      return absl::NotFoundError("no such session, or it has ended");
  }
  return absl::InternalError("unknown outcome");
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(const EngineOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(options)));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

absl::Status Engine::Advance(Time now, Effects* effects) { return impl_->Advance(now, effects); }
Time Engine::now() const { return impl_->now(); }
Time Engine::next_event() const { return impl_->next_event(); }

absl::StatusOr<ClientHandle> Engine::Connect(const ConnectRequest& request, Effects* effects) {
  return impl_->Connect(request, effects);
}

absl::Status Engine::FriendsLoaded(ClientHandle client, FriendVersion version,
                                   absl::Span<const FriendEntry> friends, Effects* effects) {
  return impl_->FriendsLoaded(client, version, friends, effects);
}

absl::Status Engine::Recheck(ClientHandle client, FriendVersion version,
                             absl::Span<const FriendEntry> friends, Effects* effects) {
  return impl_->Recheck(client, version, friends, effects);
}

absl::Status Engine::Answer(ClientHandle client, Effects* effects) {
  return impl_->Answer(client, effects);
}

absl::Status Engine::Disconnect(ClientHandle client, Effects* effects) {
  return impl_->Disconnect(client, effects);
}

ReportOutcome Engine::Report(const LocationReport& report, Effects* effects) {
  return impl_->Report(report, effects);
}

void Engine::ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                       Effects* effects) {
  impl_->ReportAll(reports, outcomes, effects);
}

absl::Status Engine::Apply(const FriendshipChange& change, Effects* effects) {
  return impl_->Apply(change, effects);
}

absl::Status Engine::SetRadius(ClientHandle client, double radius_m, Effects* effects) {
  return impl_->SetRadius(client, radius_m, effects);
}

absl::StatusOr<NearbyPage> Engine::Nearby(ClientHandle client, PageToken after,
                                          std::size_t page_size, Effects* effects) {
  return impl_->Nearby(client, after, page_size, effects);
}

void Engine::Receive(absl::Span<const PeerMessage> messages, Effects* effects) {
  impl_->ReceiveAll(messages, effects);
}

std::optional<NearbyFriend> Engine::InSight(ClientHandle client, UserId friend_id) const {
  return impl_->InSight(client, friend_id);
}

bool Engine::IsSeen(UserId user) const { return impl_->IsSeen(user); }

std::optional<ClientHandle> Engine::Find(UserId user) const { return impl_->Find(user); }
EngineStats Engine::stats() const { return impl_->stats(); }
absl::Status Engine::CheckInvariants() const { return impl_->CheckInvariants(); }

}  // namespace nearby
