#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "src/base/planted_bugs.h"
#include "src/runtime/calls.h"
#include "src/runtime/shard.h"

namespace nearby::internal {

void Shard::Join(OtherNodes* nodes) {
  NodeGateway::Services services;
  services.deliver = [this](const PeerMessage& message) { from_elsewhere_.emplace_back(message); };
  services.end_session = [this](UserId user, Epoch session, bool is_taken) {
    from_elsewhere_.emplace_back(LostSession{user, session, is_taken});
  };
  services.reload = [this](UserId user) {
    const std::optional<ClientHandle> client = engine_->Find(user);
    if (client) loads_.Add(*client, user, kNever);
  };
  services.is_seen = [this](UserId user) { return engine_->IsSeen(user); };
  gateway_ = nodes->MakeGateway(id_, std::move(services));
}

// First into the directory, then the friends: whoever changes a friendship afterwards finds the
// session there, and whoever has changed one before has stored it before.
void Shard::Claim(ConnectRequested call, Time deadline) {
  const std::uint64_t number = next_claim_++;
  const UserId user = call.call.user;
  claiming_.emplace(number, WaitingConnect{std::move(call), deadline});
  gateway_->Claim(user, deadline,
                  [this, number](const absl::StatusOr<Epoch>& epoch) { OnClaimed(number, epoch); });
}

void Shard::OnClaimed(std::uint64_t number, const absl::StatusOr<Epoch>& epoch) {
  const auto found = claiming_.find(number);
  if (found == claiming_.end()) return;
  WaitingConnect claimed = std::move(found->second);
  claiming_.erase(found);
  if (!epoch.ok()) {
    mailbox_.FinishCalls(1);
    ++counts_.connects_failed;
    claimed.call.done(epoch.status());
    return;
  }
  claimed.call.epoch = *epoch;
  BeginConnect(std::move(claimed.call), claimed.deadline);
  CarryOut();
}

void Shard::SendElsewhere(const PeerMessage& message) {
  const ShardId home = options_.engine.HomeOf(message.user);
  if (home == id_) {
    gateway_->Take(message);
  } else {
    outgoing_[ToInt(home)].Add(message);
  }
}

void Shard::TakeElsewhere() {
  // What is taken may bring more.
  while (!from_elsewhere_.empty()) {
    const std::variant<PeerMessage, LostSession> item = std::move(from_elsewhere_.front());
    from_elsewhere_.pop_front();
    if (const auto* lost = std::get_if<LostSession>(&item)) {
      EndLost(*lost);
      continue;
    }
    if (is_draining_ && IsPlanted(PlantedBug::kDrainedHearsNothing)) continue;
    const auto& message = std::get<PeerMessage>(item);
    if (message.to == id_) {
      engine_->Receive({&message, 1}, &effects_);
      CarryOut();
    } else {
      outgoing_[ToInt(message.to)].Add(message);
    }
  }
}

void Shard::EndLost(const LostSession& lost) {
  const std::optional<ClientHandle> client = engine_->Find(lost.user);
  if (!client) return;
  const Index index = sessions_.Find(*client);
  const Session& session = sessions_[index];
  if (session.epoch > lost.epoch) return;
  if (session.state == Session::State::kOpen) {
    host_.sink->Ended(
        ToId(*client), session.cookie,
        lost.is_taken ? ClientSink::EndReason::kReplaced : ClientSink::EndReason::kNodeLost);
  } else {
    const auto found = connecting_.find(index);
    Connecting connecting = std::move(found->second);
    connecting_.erase(found);
    connecting.done(lost.is_taken ? absl::AbortedError("the same user has connected elsewhere")
                                  : absl::UnavailableError("this node has lost its lease"));
  }
  engine_->Disconnect(*client, &effects_).IgnoreError();  // It is a client: just found.
  CarryOut();
  EraseLocation(lost.user);
  Forget(index);
}

}  // namespace nearby::internal
