#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "nearby/time.h"
#include "src/base/planted_bugs.h"
#include "src/runtime/calls.h"
#include "src/runtime/shard.h"

namespace nearby::internal {

void Shard::CarryOut() {
  TakeDeliveries();
  for (const ConnectAnswer& answer : effects_.answers) AnswerConnect(answer);
  for (const SessionReplaced& replaced : effects_.replaced) EndReplaced(replaced);
  for (const FriendsRequest& request : effects_.friend_requests) LoadFriends(request);
  for (const PeerMessage& message : effects_.messages) {
    if (IsElsewhere(message)) {
      SendElsewhere(message);
    } else {
      outgoing_[ToInt(message.to)].Add(message);
    }
  }
  for (AcceptedLocation& location : effects_.locations) {
    const bool is_silent = is_draining_ && IsPlanted(PlantedBug::kDrainedTellsNothing);
    if (gateway_ != nullptr && !is_silent) gateway_->Located(&location);
    if (services_.write_locations) {
      locations_.Add(location);
      const bool is_any = IsPlanted(PlantedBug::kNewerLocationErased);
      erasures_.Accepted(location.user, is_any ? Time{kMaxTimeMs} : location.accepted_at,
                         is_any ? Epoch{~0ULL} : location.session);
    }
    if (services_.append_history) history_.Add(location);
  }
  effects_.Clear();
}

// The enters of an answer are told by the answer.
void Shard::TakeDeliveries() {
  std::size_t next = 0;
  for (const ConnectAnswer& answer : effects_.answers) {
    for (; next < answer.first; ++next) AddDelivery(effects_.deliveries[next]);
    next = answer.first + answer.count;
  }
  for (; next < effects_.deliveries.size(); ++next) AddDelivery(effects_.deliveries[next]);
}

void Shard::AddDelivery(const Delivery& delivery) {
  const auto index = static_cast<Index>(delivery.cookie);
  Session& session = sessions_[index];
  if (session.outbox == nullptr) {
    if (spare_outboxes_.empty()) {
      session.outbox = std::make_unique<Outbox>();
    } else {
      session.outbox = std::move(spare_outboxes_.back());
      spare_outboxes_.pop_back();
    }
  }
  pending_events_ -= session.outbox->size();
  switch (session.outbox->Add(delivery, options_.max_pending_events)) {
    case Outbox::Added::kMerged:
      ++counts_.events_merged;
      break;
    case Outbox::Added::kCancelled:
      counts_.events_cancelled += 2;
      break;
    case Outbox::Added::kOverflow:
      ++counts_.resyncs;
      break;
    case Outbox::Added::kWaits:
    case Outbox::Added::kCovered:
      break;
  }
  pending_events_ += session.outbox->size();
  MarkDirty(index);
}

void Shard::AnswerConnect(const ConnectAnswer& answer) {
  const auto index = static_cast<Index>(answer.cookie);
  Session& session = sessions_[index];
  session.state = Session::State::kOpen;
  const auto found = connecting_.find(index);
  Connecting connecting = std::move(found->second);
  connecting_.erase(found);
  ConnectResult result;
  result.session = ToId(answer.client);
  result.in_sight = answer.in_sight;
  if (answer.count < answer.in_sight) result.next = answer.next;
  result.location_outcome = connecting.location_outcome;
  result.friends.reserve(answer.count);
  for (std::size_t i = answer.first; i < answer.first + answer.count; ++i) {
    const Delivery& enter = effects_.deliveries[i];
    result.friends.push_back(
        {enter.friend_id, enter.position, enter.distance_mm, enter.reported_at});
  }
  connecting.done(std::move(result));
  // Whoever was passed over, because not answered yet, when the others were asked.
  const bool is_passed_over = is_draining_ && index < drain_next_;
  if (is_passed_over && !IsPlanted(PlantedBug::kDrainForgetsConnecting)) AskToMove(session);
}

void Shard::EndReplaced(const SessionReplaced& replaced) {
  const auto index = static_cast<Index>(replaced.cookie);
  const Session& session = sessions_[index];
  if (session.state == Session::State::kOpen) {
    host_.sink->Ended(ToId(replaced.client), session.cookie, ClientSink::EndReason::kReplaced);
  } else {
    connecting_.find(index)->second.done(
        absl::AbortedError("the same user has connected again in the meantime"));
  }
  Forget(index);
}

void Shard::LoadFriends(const FriendsRequest& request) {
  const Index index = sessions_.Find(request.client);
  if (index == SessionTable::kNone) return;
  loads_.Add(request.client, request.user,
             NeedsFriends(index) ? connecting_.find(index)->second.deadline : kNever);
}

}  // namespace nearby::internal
