#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/friend_store.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"
#include "src/runtime/shard.h"

namespace nearby::internal {

void Shard::BeginLoads() {
  // While lists wait for other shards, loading more would only make them wait longer.
  while (waiting_lists_.empty()) {
    const std::optional<ListLoads::Load> load = loads_.Begin(now_);
    if (!load) return;
    if (sessions_.Find(load->client) == SessionTable::kNone) {
      loads_.End(load->number);
      continue;
    }
    services_.load_list(load->number, load->user);
  }
}

void Shard::RefreshLists() {
  if (gateway_ == nullptr || options_.list_refresh_interval == absl::InfiniteDuration()) return;
  const auto passed = static_cast<double>(std::max<std::int64_t>(0, now_.ms - refresh_time_.ms));
  const double per_ms = static_cast<double>(sessions_.size()) /
                        absl::ToDoubleMilliseconds(options_.list_refresh_interval);
  // Time in which nobody polled is not made up for in a burst.
  refresh_credit_ = std::min(refresh_credit_ + passed * per_ms, std::max(1.0, per_ms * 1000));
  refresh_time_ = now_;
  for (std::size_t i = 0; i < sessions_.limit() && refresh_credit_ >= 1 && loads_.has_room(); ++i) {
    refresh_next_ = refresh_next_ + 1 < sessions_.limit() ? refresh_next_ + 1 : 0;
    const Session& session = sessions_[refresh_next_];
    if (session.state != Session::State::kOpen) continue;
    loads_.AddRecheck(session.client, session.user);
    refresh_credit_ -= 1;
  }
}

void Shard::TimeOutLoads() {
  while (const std::optional<ListLoads::Load> load = loads_.TimeOut(now_)) {
    LoadFailed(*load, absl::DeadlineExceededError("the friend store did not answer in time"),
               /*may_help=*/true);
  }
}

void Shard::InstallLists() {
  while (!waiting_lists_.empty()) {
    if (OthersAreBehind()) {
      ++counts_.calls_deferred;
      return;
    }
    const WaitingList next = std::move(waiting_lists_.front());
    waiting_lists_.pop_front();
    Install(next.load, next.list);
    // So that the others' mailboxes show what this list has cost.
    FlushAll();
  }
}

void Shard::Install(const ListLoads::Load& load, const FriendList& list) {
  const Index index = sessions_.Find(load.client);
  if (index == SessionTable::kNone) return;
  const absl::Status status =
      load.is_recheck ? engine_->Recheck(load.client, list.version, list.friends, &effects_)
                      : engine_->FriendsLoaded(load.client, list.version, list.friends, &effects_);
  if (!status.ok()) {
    CarryOut();
    // One that was too old when it came is worth another look: the next is not. One that is too
    // long or malformed would only be so again.
    LoadFailed(load, status, /*may_help=*/absl::IsFailedPrecondition(status));
    return;
  }
  ++counts_.lists_loaded;
  Fencing fencing;
  for (const PeerMessage& message : effects_.messages) {
    if (!IsElsewhere(message)) fencing.shards |= std::uint64_t{1} << ToInt(message.to);
  }
  CarryOut();
  if (sessions_[index].state != Session::State::kConnecting) return;
  connecting_.find(index)->second.has_friends = true;
  if (fencing.shards == 0) {
    Answer(load.client);
  } else {
    fencing.then = load.client;
    BeginFence(std::move(fencing));
  }
}

void Shard::LoadFailed(ListLoads::Load load, const absl::Status& status, bool may_help) {
  ++counts_.loads_failed;
  const Index index = sessions_.Find(load.client);
  if (index == SessionTable::kNone) return;
  const bool connect_waits = load.deadline != kNever && NeedsFriends(index);
  // Where the connect has been helped by another list, this one still has to come.
  if (!connect_waits) load.deadline = kNever;
  if (may_help && loads_.Retry(load, now_)) return;
  if (connect_waits) FailConnect(index, status);
}

bool Shard::NeedsFriends(Index index) const {
  return sessions_[index].state == Session::State::kConnecting &&
         !connecting_.find(index)->second.has_friends;
}

void Shard::FailConnect(Index index, const absl::Status& status) {
  ++counts_.connects_failed;
  const auto found = connecting_.find(index);
  Connecting connecting = std::move(found->second);
  connecting_.erase(found);
  engine_->Disconnect(sessions_[index].client, &effects_).IgnoreError();  // It is a client.
  CarryOut();
  EraseLocation(sessions_[index].user);
  Forget(index);
  connecting.done(status);
}

void Shard::EraseLocation(UserId user) {
  if (!services_.erase_locations) return;
  locations_.Drop(user);
  erasures_.Add(user);
}

void Shard::FlushStorage() {
  if (services_.write_locations && location_call_.number == 0) FlushLocations();
  if (services_.append_history) {
    if (const auto batch = history_.Begin(now_); !batch.empty()) {
      services_.append_history(Begin(&history_call_), batch);
    }
  }
}

// One call of a store is under way at a time. Writes and erasures take turns, or a steady flow of
// disconnects would keep all writes waiting. The order of what concerns one user is safe: what
// waited to be written when they went has been dropped, and what was accepted once they were back
// has done away with an erasure that was still waiting.
void Shard::FlushLocations() {
  if (is_writes_turn_) {
    if (!WriteNext()) EraseNext();
  } else {
    if (!EraseNext()) WriteNext();
  }
}

bool Shard::WriteNext() {
  const absl::Span<const AcceptedLocation> locations = locations_.Begin(now_);
  if (locations.empty()) return false;
  is_writes_turn_ = false;
  services_.write_locations(Begin(&location_call_), locations);
  return true;
}

bool Shard::EraseNext() {
  const absl::Span<const LocationStore::Erasure> erasures = erasures_.Begin();
  if (erasures.empty()) return false;
  is_writes_turn_ = true;
  services_.erase_locations(Begin(&location_call_), erasures);
  return true;
}

std::uint64_t Shard::Begin(StoreCall* call) {
  call->number = next_store_call_++;
  call->timeout = Time{now_.ms + absl::ToInt64Milliseconds(options_.load_timeout)};
  return call->number;
}

void Shard::EndStoreCall(std::uint64_t number, const absl::Status& status) {
  if (number == location_call_.number) {
    location_call_ = StoreCall();
    if (erasures_.is_under_way()) {
      // One that failed is not repeated: the location expires by itself.
      if (!status.ok()) ++counts_.store_failures;
      erasures_.End();
    } else {
      locations_.End(status, now_);
    }
  } else if (number == history_call_.number) {
    history_call_ = StoreCall();
    history_.End(status, now_);
  }
}

// Or a store that loses an answer would never be called again.
void Shard::TimeOutStoreCalls() {
  for (const StoreCall* call : {&location_call_, &history_call_}) {
    if (call->number == 0 || now_ < call->timeout) continue;
    ++counts_.store_timeouts;
    EndStoreCall(call->number, absl::DeadlineExceededError("the store did not answer in time"));
  }
}

}  // namespace nearby::internal
