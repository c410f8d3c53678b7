#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/time.h"
#include "src/base/planted_bugs.h"
#include "src/runtime/calls.h"
#include "src/runtime/shard.h"

namespace nearby::internal {
namespace {

absl::Status Draining() { return absl::UnavailableError("this node is being drained"); }

absl::Status Destroyed() { return absl::CancelledError("the runtime was destroyed"); }

}  // namespace

bool Shard::TakesClients() const {
  return !is_draining_ || IsPlanted(PlantedBug::kDrainedTakesClients);
}

void Shard::On(ConnectRequested& call) {
  const Time deadline{now_.ms + absl::ToInt64Milliseconds(options_.load_timeout)};
  if (gateway_ != nullptr && TakesClients()) {
    Claim(std::move(call), deadline);
  } else {
    BeginConnect(std::move(call), deadline);
  }
}

void Shard::BeginConnect(ConnectRequested call, Time deadline) {
  if (!is_draining_ && (!loads_.has_room() || !waiting_connects_.empty())) {
    waiting_connects_.push_back({std::move(call), deadline});
    return;
  }
  mailbox_.FinishCalls(1);
  Connect(call, deadline);
}

void Shard::ConnectWaiting() {
  while (!waiting_connects_.empty()) {
    const bool is_late = !is_draining_ && waiting_connects_.front().deadline <= now_;
    if (!is_late && !is_draining_ && !loads_.has_room()) return;
    WaitingConnect next = std::move(waiting_connects_.front());
    waiting_connects_.pop_front();
    mailbox_.FinishCalls(1);
    if (is_late) {
      ++counts_.connects_failed;
      Refuse(next.call, absl::DeadlineExceededError("too many friend lists are being loaded"));
      continue;
    }
    Connect(next.call, next.deadline);
    CarryOut();
  }
}

void Shard::Connect(ConnectRequested& call, Time deadline) {
  if (!TakesClients()) {
    ++counts_.calls_refused;
    Refuse(call, Draining());
    return;
  }
  if (gateway_ != nullptr) {
    // What is known of the user as somebody elsewhere goes first.
    gateway_->Begin(call.call.user, call.epoch);
    TakeElsewhere();
  }
  const Index index = sessions_.Add(call.call.user, call.call.cookie);
  sessions_[index].epoch = call.epoch;
  ConnectRequest request;
  request.user = call.call.user;
  request.cookie = index;
  request.radius_m = call.call.radius_m;
  const absl::StatusOr<ClientHandle> client = engine_->Connect(request, &effects_);
  if (!client.ok()) {
    sessions_.Remove(index);
    Refuse(call, client.status());
    return;
  }
  sessions_.Bind(index, *client);
  Connecting connecting;
  connecting.done = std::move(call.done);
  connecting.deadline = deadline;
  if (call.call.location) {
    const auto& [location, reported_at] = *call.call.location;
    connecting.location_outcome = engine_->Report({*client, location, reported_at}, &effects_);
  }
  connecting_.insert_or_assign(index, std::move(connecting));
}

void Shard::Refuse(ConnectRequested& call, absl::Status status) {
  if (gateway_ != nullptr && call.epoch != Epoch{}) gateway_->End(call.call.user, call.epoch);
  call.done(std::move(status));
}

void Shard::On(RadiusRequested& call) {
  mailbox_.FinishCalls(1);
  absl::Status status = engine_->SetRadius(call.client, call.radius_m, &effects_);
  CarryOut();
  call.done(std::move(status));
}

void Shard::On(PageRequested& call) {
  mailbox_.FinishCalls(1);
  const std::optional<ClientHandle> client = engine_->Find(call.user);
  // To the host, a session that has not been answered is none yet.
  if (!client || sessions_[sessions_.Find(*client)].state != Session::State::kOpen) {
    call.done(absl::NotFoundError(absl::StrCat("user ", ToInt(call.user), " is not connected")));
    return;
  }
  absl::StatusOr<NearbyPage> page = engine_->Nearby(*client, call.after, call.page_size, &effects_);
  CarryOut();
  call.done(std::move(page));
}

void Shard::On(DisconnectRequested& call) {
  const Index index = sessions_.Find(call.client);
  // To the host, a session that has not been answered is none yet: this handle is not of its
  // making.
  if (index == SessionTable::kNone || sessions_[index].state != Session::State::kOpen) return;
  engine_->Disconnect(call.client, &effects_).IgnoreError();  // It is a client: just found.
  CarryOut();
  EraseLocation(sessions_[index].user);
  Forget(index);
}

void Shard::Forget(Index index) {
  Session& session = sessions_[index];
  if (session.is_busy) --busy_sessions_;
  RecycleOutbox(&session);
  if (gateway_ != nullptr) gateway_->End(session.user, session.epoch);
  connecting_.erase(index);
  sessions_.Remove(index);
}

void Shard::On(ReadyAgain& call) {
  const Index index = sessions_.Find(call.client);
  if (index == SessionTable::kNone || !sessions_[index].is_busy) return;
  sessions_[index].is_busy = false;
  --busy_sessions_;
  if (sessions_[index].outbox != nullptr) MarkDirty(index);
}

void Shard::On(ChangeCommitted& call) {
  absl::Status status = engine_->Apply(call.change, &effects_);
  CarryOut();
  // It came too late to be judged: what it takes away has been taken; what it grants, fresh lists
  // will tell, which the engine has asked for. Or there was no room: the friendship stands, and
  // that the two are not linked here is in the statistics.
  if (absl::IsFailedPrecondition(status) || absl::IsResourceExhausted(status)) {
    status = absl::OkStatus();
  }
  call.joint->Finish(status);
  call.joint.reset();
}

void Shard::On(EditFailed& call) {
  call.joint->Finish(call.status);
  call.joint.reset();
}

void Shard::On(SubscriptionCommitted& call) {
  const ShardId friends_shard = options_.engine.HomeOf(call.edit.friend_id);
  if (friends_shard == id_) {
    AnswerSubscription(call);
    return;
  }
  Fencing fencing;
  fencing.shards = std::uint64_t{1} << ToInt(friends_shard);
  fencing.then = std::move(call);
  BeginFence(std::move(fencing));
}

void Shard::AnswerSubscription(SubscriptionCommitted& call) {
  std::optional<NearbyFriend> in_sight;
  if (const std::optional<ClientHandle> client = engine_->Find(call.edit.user)) {
    in_sight = engine_->InSight(*client, call.edit.friend_id);
  }
  call.done(in_sight);
}

void Shard::On(ReloadRequested& call) {
  const std::optional<ClientHandle> client = engine_->Find(call.user);
  if (client) loads_.Add(*client, call.user, kNever);
}

void Shard::On(ListArrived& call) {
  const std::optional<ListLoads::Load> load = loads_.End(call.load);
  // Too late: it has been given up, or asked for again.
  if (!load) return;
  if (call.list.ok()) {
    waiting_lists_.push_back({*load, *std::move(call.list)});
  } else {
    LoadFailed(*load, call.list.status(), IsRetryable(call.list.status().code()));
  }
}

void Shard::On(TaskPosted& call) {
  call.task();
  call.task = nullptr;
}

void Shard::On(StoreAnswered& call) { EndStoreCall(call.call, call.status); }

void Shard::On(DrainRequested& call) {
  draining_.push_back(std::move(call.joint));
  if (is_draining_) return;
  is_draining_ = true;
  drain_time_ = now_;
}

void Shard::Cancel() {
  const std::lock_guard<std::mutex> lock(poll_mutex_);
  mailbox_.Take(&contents_);
  for (Call& call : contents_.calls) {
    if (auto* connect = std::get_if<ConnectRequested>(&call)) connect->done(Destroyed());
    if (auto* radius = std::get_if<RadiusRequested>(&call)) radius->done(Destroyed());
    if (auto* page = std::get_if<PageRequested>(&call)) page->done(Destroyed());
    if (auto* subscription = std::get_if<SubscriptionCommitted>(&call)) {
      subscription->done(Destroyed());
    }
  }
  for (WaitingConnect& waiting : waiting_connects_) waiting.call.done(Destroyed());
  for (auto& [number, claiming] : claiming_) claiming.call.done(Destroyed());
  for (auto& [index, connecting] : connecting_) connecting.done(Destroyed());
  for (auto& [number, fencing] : fences_) {
    if (auto* subscription = std::get_if<SubscriptionCommitted>(&fencing.then)) {
      subscription->done(Destroyed());
    }
  }
  contents_.Clear();
  waiting_connects_.clear();
  claiming_.clear();
  connecting_.clear();
  fences_.clear();
  draining_.clear();
}

}  // namespace nearby::internal
