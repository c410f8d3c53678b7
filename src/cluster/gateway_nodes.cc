#include <algorithm>

#include "src/base/planted_bugs.h"
#include "src/cluster/gateway.h"

namespace nearby::internal {

void Gateway::OnLetter(const NodeLease& from, const NodeEvent& event) {
  if (!has_lease()) return;
  switch (event.kind) {
    case NodeEvent::Kind::kAnnounce:
    case NodeEvent::Kind::kAnnounceBack:
      OnAnnounced(from, event);
      break;
    case NodeEvent::Kind::kLocation:
      OnLocated(event);
      break;
    case NodeEvent::Kind::kTaken:
      OnTaken(event);
      break;
    default:
      break;  // The rest is not about one user's session, and the office's own.
  }
}

void Gateway::OnTaken(const NodeEvent& event) {
  if (IsPlanted(PlantedBug::kTakenIgnored)) return;
  const auto local = locals_.find(event.user);
  if (local == locals_.end() || local->second.session >= event.session) return;
  const Epoch session = local->second.session;
  services_.end_session(event.user, session, /*is_taken=*/true);
}

void Gateway::OnLocated(const NodeEvent& event) {
  Guest* guest = FindGuest(event.user);
  if (guest == nullptr || guest->session != event.session) return;
  const AcceptedLocation location = LocationOf(event);
  const bool is_newer = IsNewerByAnyClock(*guest, location) || JumpsWithinInstant(*guest, event);
  std::uint64_t shards = HearOfJumps(guest, event);
  if (is_newer) {
    Locate(guest, location);
    shards = guest->listeners & ~guest->parked;
  } else if (IsInDoubt(*guest)) {
    return;
  }
  Tell(event.user, guest, shards, PeerMessage::Kind::kHere);
}

bool Gateway::JumpsWithinInstant(const Guest& guest, const NodeEvent& event) {
  if (event.jumps <= guest.jumps || guest.located_in != event.session) return false;
  if (event.accepted_at != guest.accepted_at) return false;
  // The store does not count jumps: by its word this very location may be known.
  return event.reported_at != guest.reported_at ? event.reported_at > guest.reported_at
                                                : event.position != guest.position;
}

std::uint64_t Gateway::HearOfJumps(Guest* guest, const NodeEvent& event) {
  if (event.jumps <= guest->jumps || IsPlanted(PlantedBug::kJumpIgnored)) return 0;
  guest->jumps = event.jumps;
  return EndParks(event.user, guest, kParkAgainWithinMs);
}

void Gateway::OnAnnounced(const NodeLease& from, const NodeEvent& event) {
  if (const auto local = locals_.find(event.user); local != locals_.end()) {
    if (local->second.session > event.session) return;  // They are here since.
    OnTaken(event);
  }
  const auto past = pasts_.find(event.user);
  if (past != pasts_.end() && event.session == past->second.ended) return;
  if (guests_.size() >= options_.max_guests && !guests_.contains(event.user)) {
    ++counts_.guests_refused;
    return;
  }
  const auto [it, is_new] = guests_.try_emplace(event.user);
  Guest& guest = it->second;
  if (is_new) {
    SetLease(&guest, from);
    guest.session = event.session;
    guest.asked_in = lookups_.number();
    guest.heard = now_;
    guest.idle_since = now_;
    if (past != pasts_.end()) {
      guest.located_in = std::max(past->second.located_in, past->second.ended);
      guest.accepted_at = past->second.accepted_at;
      guest.reported_at = past->second.reported_at;
    }
    if (IsInDoubt(guest)) AskDirectory(event.user);
    LookAgain(event.user, &guest,
              Time{now_.ms + absl::ToInt64Milliseconds(options_.probe_interval)});
  } else {
    // If it is an earlier session, they are friends all the same: when the later one ends, the
    // engine asks anew for those whom it knows to be.
    Follow(event.user, &guest, from, event.session);
  }
  PeerMessage message =
      About(event.user,
            event.kind == NodeEvent::Kind::kAnnounce ? PeerMessage::Kind::kAnnounce
                                                     : PeerMessage::Kind::kAnnounceBack,
            HomeOf(event.friend_id));
  message.friend_id = event.friend_id;
  message.friendship = event.friendship;
  message.version = event.version;
  services_.deliver(message);
}

bool Gateway::Follow(UserId user, Guest* guest, const NodeLease& lease, Epoch session) {
  if (session < guest->session) return false;
  if (session == guest->session) return true;
  LeaveLease(*guest);
  SetLease(guest, lease);
  guest->session = session;
  if (!IsPlanted(PlantedBug::kSequenceKeptOverSessions)) guest->sequence = 0;
  guest->asked_in = lookups_.number();
  // They may have come from anywhere. Where to is said next, if they know.
  guest->jumps = 0;
  if (IsPlanted(PlantedBug::kParkOutlivesMove)) return true;
  EndParks(user, guest, kParkAgainWithinMs);
  // And parks that are under way are of before.
  guest->told = ++last_told_;
  return true;
}

void Gateway::OnPayload(absl::string_view server, Channel channel, absl::string_view payload) {
  ++counts_.batches_received;
  if (!decoder_.Decode(payload, &incoming_).ok()) {
    ++counts_.batches_malformed;
    return;
  }
  if (FindGuest(channel.user()) == nullptr) {
    ++counts_.batches_unwanted;
    channels_.OnStray(server, channel);
    return;
  }
  for (const NodeEvent& event : incoming_.events) {
    if (event.user == channel.user()) OnChannelEvent(incoming_, event);
  }
}

void Gateway::OnChannelEvent(const NodeBatch& batch, const NodeEvent& event) {
  Guest* guest = FindGuest(event.user);
  if (guest == nullptr) return;
  if (IsPlanted(PlantedBug::kRepeatedBatchTaken)) guest->sequence = 0;
  if (!Follow(event.user, guest, batch.from, event.session) || batch.sequence <= guest->sequence) {
    ++counts_.batches_repeated;
    return;
  }
  guest->sequence = batch.sequence;
  guest->heard = now_;
  if (event.kind == NodeEvent::Kind::kOffline) {
    DropEnded(event.user, event.session);
    return;
  }
  if (event.kind != NodeEvent::Kind::kLocation) return;
  if (IsPlanted(PlantedBug::kRepeatedBatchTaken)) guest->has_location = false;
  const bool jumps_within_instant = JumpsWithinInstant(*guest, event);
  const std::uint64_t woken = HearOfJumps(guest, event);
  const bool is_past = guest->located_in > event.session ||
                       (!guest->has_location && !IsNewer(*guest, event.session, event.accepted_at));
  // Of reports within one millisecond each counts.
  const bool is_known = guest->has_location && guest->located_in == event.session &&
                        event.accepted_at <= guest->accepted_at &&
                        event.reported_at <= guest->reported_at && !jumps_within_instant;
  if (is_past) return;
  // The store, or a letter, was quicker.
  if (is_known) return Tell(event.user, guest, woken, PeerMessage::Kind::kHere);
  Locate(guest, LocationOf(event));
  guest->waiting = 0;
  Tell(event.user, guest, guest->listeners & ~guest->parked, PeerMessage::Kind::kLocation);
}

}  // namespace nearby::internal
