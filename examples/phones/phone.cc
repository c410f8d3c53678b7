#include "examples/phones/phone.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {
namespace {

using nearby::BatchStart;
using nearby::ClientCall;
using nearby::ClientEvent;
using nearby::DeliveryKind;
using nearby::NearbyFriend;
using nearby::Time;
using nearby::UserId;

constexpr Time kLongAgo = Time::Millis(-nearby::kMaxTimeMs);

// Nobody has more friends than fit on so many pages of any size; a server that goes on is broken,
// and would keep the phone asking for ever.
constexpr int kMaxPages = 5000;

// Errors that a later attempt may not meet.
bool IsNotNow(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status);
}

}  // namespace

Phone::Phone(UserId user, absl::Span<const UserId> friends) : user_(user) {
  sightings_.reserve(friends.size());
  for (const UserId friend_id : friends) {
    sightings_.emplace_back();
    sightings_.back().friend_id = friend_id;
  }
  histories_.resize(friends.size());
}

// --- calls ---------------------------------------------------------------------------------------

ClientCall Phone::Init(const std::optional<nearby::ReportCall>& location) {
  Close();
  ClientCall call = Begin(CallKind::kInit, UserId{});
  call.call = nearby::InitCall{location, std::nullopt};
  return call;
}

ClientCall Phone::Subscribe(UserId friend_id) {
  if (const std::optional<std::size_t> index = Find(friend_id)) {
    histories_[*index].is_unsubscribed = false;
  }
  ClientCall call = Begin(CallKind::kSubscribe, friend_id);
  call.call = nearby::SubscribeCall{friend_id};
  return call;
}

ClientCall Phone::Unsubscribe(UserId friend_id) {
  ClientCall call = Begin(CallKind::kUnsubscribe, friend_id);
  call.call = nearby::UnsubscribeCall{friend_id};
  return call;
}

ClientCall Phone::Begin(CallKind kind, UserId friend_id) {
  calls_.push_back({++last_request_id_, kind, friend_id});
  ClientCall call;
  call.request_id = last_request_id_;
  return call;
}

std::optional<Phone::Call> Phone::End(std::uint64_t request_id) {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [request_id](const Call& call) {
    return call.request_id == request_id;
  });
  if (found == calls_.end()) return std::nullopt;
  const Call call = *found;
  calls_.erase(found);
  return call;
}

bool Phone::EndAs(std::uint64_t request_id, CallKind kind, const Context& context) {
  const std::optional<Call> call = End(request_id);
  if (call.has_value() && call->kind == kind) return true;
  Complain(ViolationKind::kUnaskedAnswer, std::nullopt, context);
  return false;
}

// --- answers -------------------------------------------------------------------------------------

Phone::Reaction Phone::Take(const nearby::ServerMessage& message, Time now, Tally* tally) {
  Reaction reaction;
  const Context context{now, tally};
  std::visit([&](const auto& kind) { Answer(message.request_id, kind, context, &reaction); },
             message.message);
  return reaction;
}

void Phone::Close() {
  ForgetSightings();
  for (History& history : histories_) history = History();
  calls_.clear();
  is_online_ = false;
}

void Phone::Answer(std::uint64_t request_id, const nearby::InitAnswer& answer,
                   const Context& context, Reaction* reaction) {
  if (!EndAs(request_id, CallKind::kInit, context)) return;
  is_online_ = true;
  pages_ = 1;
  for (const NearbyFriend& listed : answer.page.friends) {
    // The answer does not say since when.
    ClientEvent event;
    event.friend_id = listed.friend_id;
    event.time = context.now;
    event.reported_at = listed.reported_at;
    event.position = listed.position;
    event.distance_mm = listed.distance_mm;
    ++context.tally->enters;
    if (const std::optional<std::size_t> index = Find(listed.friend_id)) {
      Enter(*index, event, context);
    } else {
      Complain(ViolationKind::kNoFriend, listed.friend_id, context);
    }
  }
  AskForMore(answer.page, reaction);
}

void Phone::Answer(std::uint64_t request_id, const nearby::SubscribeAnswer& answer,
                   const Context& context, Reaction* /*reaction*/) {
  if (!EndAs(request_id, CallKind::kSubscribe, context)) return;
  // Whoever is in sight enters by an event.
  if (answer.in_sight.has_value()) CheckListed(*answer.in_sight, context);
}

void Phone::Answer(std::uint64_t request_id, const nearby::UnsubscribeAnswer& /*answer*/,
                   const Context& context, Reaction* /*reaction*/) {
  const std::optional<Call> call = End(request_id);
  if (!call.has_value() || call->kind != CallKind::kUnsubscribe) {
    return Complain(ViolationKind::kUnaskedAnswer, std::nullopt, context);
  }
  const bool is_wanted_again =
      std::any_of(calls_.begin(), calls_.end(), [&call](const Call& later) {
        return later.kind == CallKind::kSubscribe && later.friend_id == call->friend_id;
      });
  const std::optional<std::size_t> index = Find(call->friend_id);
  if (index.has_value()) histories_[*index].is_unsubscribed = !is_wanted_again;
}

void Phone::Answer(std::uint64_t request_id, const nearby::NearbyAnswer& answer,
                   const Context& context, Reaction* reaction) {
  if (!EndAs(request_id, CallKind::kNearby, context)) return;
  // Whoever is listed and was not in sight enters by an event, before this or after it.
  for (const NearbyFriend& listed : answer.page.friends) CheckListed(listed, context);
  AskForMore(answer.page, reaction);
}

void Phone::Answer(std::uint64_t request_id, const nearby::ServerError& error,
                   const Context& context, Reaction* reaction) {
  if (IsNotNow(error.status)) {
    ++context.tally->refusals;
  } else {
    context.tally->AddError(
        absl::StrCat("user ", nearby::ToInt(user_), ": ", error.status.ToString()));
  }
  if (request_id == 0) return;
  const std::optional<Call> call = End(request_id);
  if (!call.has_value()) {
    return Complain(ViolationKind::kUnaskedAnswer, std::nullopt, context);
  }
  if (call->kind != CallKind::kInit) return;
  reaction->reconnect_after = error.retry_after;
  reaction->hangs_up = true;
}

void Phone::Answer(std::uint64_t /*request_id*/, const nearby::DrainNotice& drain,
                   const Context& context, Reaction* reaction) {
  ++context.tally->drains;
  reaction->reconnect_after = drain.reconnect_after;
}

void Phone::CheckListed(const NearbyFriend& listed, const Context& context) const {
  if (!Find(listed.friend_id).has_value()) {
    Complain(ViolationKind::kNoFriend, listed.friend_id, context);
  }
}

void Phone::AskForMore(const nearby::NearbyPage& page, Reaction* reaction) {
  if (!page.next.has_value() || pages_ >= kMaxPages) return;
  ++pages_;
  reaction->call = Begin(CallKind::kNearby, UserId{});
  reaction->call->call = nearby::NearbyCall{*page.next, 0};
}

// --- the friends in sight ------------------------------------------------------------------------

void Phone::Answer(std::uint64_t /*request_id*/, const nearby::ClientUpdate& update,
                   const Context& context, Reaction* /*reaction*/) {
  if (!is_online_) return Complain(ViolationKind::kBeforeInit, std::nullopt, context);
  if (update.start != BatchStart::kGoesOn) {
    ++(update.start == BatchStart::kReset ? context.tally->resets : context.tally->resyncs);
    ForgetSightings();
    // Those who enter anew may have been in sight for long.
    for (History& history : histories_) history.last_event = kLongAgo;
  }
  ++last_update_;
  for (const ClientEvent& event : update.events) Apply(event, context);
}

void Phone::Apply(const ClientEvent& event, const Context& context) {
  Tally* const tally = context.tally;
  ++(event.kind == DeliveryKind::kEnter  ? tally->enters
     : event.kind == DeliveryKind::kMove ? tally->moves
                                         : tally->leaves);
  const std::optional<std::size_t> index = Find(event.friend_id);
  if (!index.has_value()) {
    return Complain(ViolationKind::kNoFriend, event.friend_id, context);
  }
  History& history = histories_[*index];
  if (history.last_update == last_update_) {
    Complain(ViolationKind::kTwiceInUpdate, event.friend_id, context);
  }
  if (event.time < history.last_event) {
    Complain(ViolationKind::kTimeBackward, event.friend_id, context);
  }
  history.last_update = last_update_;
  history.last_event = event.time;
  if (event.kind == DeliveryKind::kLeave) return Leave(*index, event, context);
  if (history.is_unsubscribed) {
    Complain(ViolationKind::kUnsubscribed, event.friend_id, context);
  }
  if (event.kind == DeliveryKind::kEnter) return Enter(*index, event, context);
  Move(*index, event, context);
}

void Phone::Enter(std::size_t index, const ClientEvent& event, const Context& context) {
  Sighting& sighting = sightings_[index];
  if (sighting.is_in_sight) {
    Complain(ViolationKind::kEnterTwice, event.friend_id, context);
  } else {
    sighting.is_in_sight = true;
    ++in_sight_;
  }
  sighting.since = event.time;
  sighting.updated = event.time;
  sighting.reported_at = event.reported_at;
  sighting.position = event.position;
  sighting.distance_mm = event.distance_mm;
}

void Phone::Move(std::size_t index, const ClientEvent& event, const Context& context) {
  Sighting& sighting = sightings_[index];
  if (!sighting.is_in_sight) {
    return Complain(ViolationKind::kMoveUnseen, event.friend_id, context);
  }
  if (event.reported_at < sighting.reported_at) {
    Complain(ViolationKind::kTimeBackward, event.friend_id, context);
  }
  sighting.updated = event.time;
  sighting.reported_at = event.reported_at;
  sighting.position = event.position;
  sighting.distance_mm = event.distance_mm;
}

void Phone::Leave(std::size_t index, const ClientEvent& event, const Context& context) {
  Sighting& sighting = sightings_[index];
  if (!sighting.is_in_sight) {
    return Complain(ViolationKind::kLeaveUnseen, event.friend_id, context);
  }
  sighting.is_in_sight = false;
  --in_sight_;
}

void Phone::ForgetSightings() {
  for (Sighting& sighting : sightings_) sighting.is_in_sight = false;
  in_sight_ = 0;
}

std::optional<std::size_t> Phone::Find(UserId friend_id) const {
  const auto found = std::lower_bound(
      sightings_.begin(), sightings_.end(), friend_id,
      [](const Sighting& sighting, UserId wanted) { return sighting.friend_id < wanted; });
  if (found == sightings_.end() || found->friend_id != friend_id) return std::nullopt;
  return static_cast<std::size_t>(found - sightings_.begin());
}

void Phone::Complain(ViolationKind kind, std::optional<UserId> friend_id,
                     const Context& context) const {
  context.tally->violations.Add({kind, user_, friend_id, context.now});
}

}  // namespace phones
