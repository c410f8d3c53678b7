#include <algorithm>
#include <utility>
#include <vector>

#include "absl/numeric/bits.h"
#include "absl/time/time.h"
#include "src/base/planted_bugs.h"
#include "src/cluster/gateway.h"

namespace nearby::internal {
namespace {

// How long, and of how many guests who were dropped, it is remembered what was known of them:
// letters that were under way for longer, the directory has to judge.
constexpr std::int64_t kRememberedForMs = 60'000;
constexpr std::size_t kMaxPasts = std::size_t{1} << 16;

// To a metre a millisecond. What an engine believes is one of some round figures, which come out as
// the same floating-point number on either side.
constexpr double kMmPerSecond = 1e6;

}  // namespace

Gateway::Guest* Gateway::FindGuest(UserId user) {
  const auto found = guests_.find(user);
  return found == guests_.end() ? nullptr : &found->second;
}

void Gateway::SetLease(Guest* guest, const NodeLease& lease) {
  guest->lease = lease;
  ++guest_leases_[lease];
}

void Gateway::LeaveLease(const Guest& guest) {
  const auto found = guest_leases_.find(guest.lease);
  if (--found->second == 0) guest_leases_.erase(found);
}

void Gateway::Locate(Guest* guest, const AcceptedLocation& location) {
  guest->has_location = true;
  guest->position = location.position;
  guest->accepted_at = location.accepted_at;
  guest->reported_at = location.reported_at;
  guest->speed_bound_mm_s = location.speed_bound_mm_s;
  guest->located_in = location.session;
}

void Gateway::Tell(UserId user, Guest* guest, std::uint64_t shards, PeerMessage::Kind kind) {
  if (shards == 0) return;
  guest->told = ++last_told_;
  guest->waiting &= ~shards;
  PeerMessage message = About(user, kind, ShardId{0});
  message.position = guest->position;
  message.accepted_at = guest->accepted_at;
  message.reported_at = guest->reported_at;
  message.sequence = guest->told;
  message.speed_bound = static_cast<float>(guest->speed_bound_mm_s / kMmPerSecond);
  for (; shards != 0; shards &= shards - 1) {
    message.to = ShardId{static_cast<std::uint32_t>(absl::countr_zero(shards))};
    services_.deliver(message);
  }
}

void Gateway::Drop(UserId user) {
  const auto found = guests_.find(user);
  if (found == guests_.end()) return;
  channels_.Unwant(user);
  const Guest& guest = found->second;
  Past past;
  past.located_in = guest.located_in;
  past.accepted_at = guest.accepted_at;
  past.reported_at = guest.reported_at;
  Remember(user, past);
  std::uint64_t shards = guest.listeners;
  LeaveLease(guest);
  guests_.erase(found);
  for (; shards != 0; shards &= shards - 1) {
    services_.deliver(About(user, PeerMessage::Kind::kOffline,
                            ShardId{static_cast<std::uint32_t>(absl::countr_zero(shards))}));
  }
}

void Gateway::DropEnded(UserId user, Epoch session) {
  Drop(user);
  const auto past = pasts_.find(user);
  if (past != pasts_.end()) past->second.ended = std::max(past->second.ended, session);
}

void Gateway::Remember(UserId user, const Past& past) {
  if (pasts_until_.size() >= kMaxPasts) return;
  Past& held = pasts_[user];
  held.ended = std::max(held.ended, past.ended);
  if (past.located_in > held.located_in ||
      (past.located_in == held.located_in && past.accepted_at > held.accepted_at)) {
    held.located_in = past.located_in;
    held.accepted_at = past.accepted_at;
  }
  held.reported_at = std::max(held.reported_at, past.reported_at);
  held.until = Time{now_.ms + kRememberedForMs};
  pasts_until_.emplace_back(held.until, user);
}

void Gateway::ForgetPasts() {
  for (; !pasts_until_.empty() && pasts_until_.front().first <= now_; pasts_until_.pop_front()) {
    const auto past = pasts_.find(pasts_until_.front().second);
    // Otherwise they have been here again since.
    if (past != pasts_.end() && past->second.until <= now_) pasts_.erase(past);
  }
}

bool Gateway::IsNewer(const Guest& guest, Epoch session, Time accepted_at) {
  if (session != guest.located_in) return session > guest.located_in;
  return accepted_at > guest.accepted_at ||
         (accepted_at == guest.accepted_at && !guest.has_location);
}

bool Gateway::IsNewerByAnyClock(const Guest& guest, const AcceptedLocation& location) {
  return location.reported_at >= guest.reported_at &&
         IsNewer(guest, location.session, location.accepted_at);
}

void Gateway::LookAgain(UserId user, Guest* guest, Time at) {
  if (at >= guest->look_at) return;
  guest->look_at = at;
  looks_.Add(at, user);
  looks_.DropOld(guests_.size(), [this](const Looks::Look& look) {
    const auto found = guests_.find(look.second);
    return found != guests_.end() && found->second.look_at == look.first;
  });
}

void Gateway::LookAtGuests() {
  Looks::Look look;
  while (looks_.PopDue(now_, &look)) {
    const auto& [at, user] = look;
    Guest* guest = FindGuest(user);
    // A later look has been brought forward, or it is another guest by now.
    if (guest == nullptr || guest->look_at != at) continue;
    guest->look_at = kNever;
    LookAt(user, guest);
  }
}

void Gateway::LookAt(UserId user, Guest* guest) {
  const std::int64_t probe_ms = absl::ToInt64Milliseconds(options_.probe_interval);
  if (guest->listeners == 0) {
    // Nobody here may see them, as it turned out.
    const Time until{guest->idle_since.ms + probe_ms};
    if (now_ >= until) return Drop(user);
    return LookAgain(user, guest, until);
  }
  if (guest->is_refreshing) {
    if (now_ < guest->settle_at) return LookAgain(user, guest, guest->settle_at);
    EndRefresh(user, guest);
  }
  if (guest->parked != 0 && now_ >= guest->parked_until) {
    if (IsPlanted(PlantedBug::kParkWithoutEnd)) return;
    if (guest->parked == guest->listeners) return FindAgain(user, guest);
    Tell(user, guest, std::exchange(guest->parked, 0), PeerMessage::Kind::kHere);
  }
  if (guest->parked != 0) LookAgain(user, guest, guest->parked_until);
  if (guest->parked == guest->listeners) return;
  if (now_.ms >= guest->heard.ms + probe_ms) Probe(user, guest);
  LookAgain(user, guest, Time{guest->heard.ms + probe_ms});
}

// Silent for so long, they have gone and the news was lost, or their reports do not reach us; or
// there were none.
void Gateway::Probe(UserId user, Guest* guest) {
  guest->heard = now_;
  ++counts_.probes;
  AskDirectory(user);
  AskStore(user);
}

std::uint64_t Gateway::EndParks(UserId user, Guest* guest, std::int64_t within_ms) {
  const std::uint64_t parked = std::exchange(guest->parked, 0);
  guest->waiting |= parked;
  if (guest->listeners == 0 || guest->is_refreshing || channels_.IsWanted(user)) return parked;
  guest->is_refreshing = true;
  guest->heard = now_;
  guest->settle_at = Time{now_.ms + within_ms};
  LookAgain(user, guest, guest->settle_at);
  return parked;
}

// Where nobody is near, the store says where they are, and the park is renewed: that is cheaper
// than to subscribe for it.
void Gateway::FindAgain(UserId user, Guest* guest) {
  EndParks(user, guest, kFindWithinMs);
  AskStore(user);
}

void Gateway::EndRefresh(UserId user, Guest* guest) {
  guest->is_refreshing = false;
  if (guest->parked != guest->listeners) channels_.Want(user);
}

void Gateway::OnRead(std::uint64_t number,
                     absl::StatusOr<std::vector<std::optional<AcceptedLocation>>> answer) {
  if (!reads_.IsUnderWay(number)) return;
  if (!answer.ok()) {
    ++counts_.query_failures;
    reads_.Fail(now_);
    return;
  }
  const std::vector<UserId> users = reads_.End();
  counts_.reads += users.size();
  for (std::size_t i = 0; i < users.size() && i < answer->size(); ++i) {
    OnLocationRead(users[i], (*answer)[i]);
  }
}

void Gateway::OnLocationRead(UserId user, const std::optional<AcceptedLocation>& found) {
  Guest* guest = FindGuest(user);
  if (guest == nullptr) return;
  if (guest->is_refreshing) {
    guest->settle_at = std::min(guest->settle_at, Time{now_.ms + kParkAgainWithinMs});
    LookAgain(user, guest, guest->settle_at);
  }
  // What an earlier session has left behind says nothing of this one. Nor does that of a later one:
  // it may have ended with its node, and this one goes on.
  const bool is_there = found && found->user == user && found->session == guest->session &&
                        found->accepted_at.ms + ttl_ms_ > now_.ms;
  if (!is_there) {
    // That the store has nothing is no news of their leaving. But who waits for an answer waits for
    // what the directory says.
    if (guest->waiting != 0) AskDirectory(user);
    return;
  }
  const bool is_newer = IsNewerByAnyClock(*guest, *found);
  if (is_newer) Locate(guest, *found);
  if (!guest->has_location) return;  // The store is behind what has been told already.
  const std::uint64_t shards =
      is_newer ? guest->listeners & ~guest->parked : guest->waiting & guest->listeners;
  // An answer, for an engine knows what to make of one that it has had before.
  Tell(user, guest, shards, PeerMessage::Kind::kHere);
}

void Gateway::JudgeGuest(UserId user, std::uint64_t number,
                         const std::vector<SessionHolder>& holders) {
  Guest* guest = FindGuest(user);
  // The directory was asked before their session was known.
  if (guest == nullptr || number <= guest->asked_in) return;
  // A later session of the same lease may be a connect that failed without anybody's knowing
  // whether it was entered.
  const bool is_held = std::any_of(holders.begin(), holders.end(), [guest](const auto& holder) {
    if (IsPlanted(PlantedBug::kFailedConnectEndsGuest) && holder.epoch > guest->session) {
      return false;
    }
    return holder.lease == guest->lease && holder.epoch >= guest->session;
  });
  if (!is_held) {
    // If they have begun another session, it announces itself.
    ++counts_.guests_lost;
    DropEnded(user, guest->session);
    return;
  }
  if (IsInDoubt(*guest)) {
    const bool is_elsewhere = std::any_of(holders.begin(), holders.end(), [guest](const auto& h) {
      return h.lease != guest->lease && h.epoch >= guest->located_in;
    });
    // The later one has ended without its node's having told the earlier one's of it.
    if (!is_elsewhere) guest->located_in = guest->session;
  }
  const std::uint64_t waiting = std::exchange(guest->waiting, 0);
  const bool is_there = guest->has_location && guest->located_in == guest->session &&
                        guest->accepted_at.ms + ttl_ms_ > now_.ms;
  if (is_there) Tell(user, guest, waiting, PeerMessage::Kind::kHere);
}

void Gateway::AskDirectory(UserId user) {
  if (!lookups_.Ask(user)) ++counts_.queries_refused;
}

void Gateway::AskStore(UserId user) {
  if (!reads_.Ask(user)) ++counts_.queries_refused;
}

void Gateway::BeginQueries() {
  if (const auto users = lookups_.Begin(now_); !users.empty()) {
    outside_.look_up(lookups_.number(), users);
  }
  if (const auto users = reads_.Begin(now_); !users.empty()) {
    outside_.read(reads_.number(), users);
  }
  if (to_reload_.empty() || lookups_.waiting() > options_.max_queries / 2) return;
  const UserId user = *to_reload_.begin();
  to_reload_.erase(to_reload_.begin());
  services_.reload(user);
}

void Gateway::FindEndedLeases() {
  if (now_ < find_ended_at_ || !has_lease()) return;
  find_ended_at_ = Time{now_.ms + absl::ToInt64Milliseconds(options_.lease_duration) / 2};
  absl::btree_set<NodeLease> in_use = std::exchange(written_to_, {});
  for (const auto& [lease, guests] : guest_leases_) in_use.insert(lease);
  const std::vector<NodeLease> leases(in_use.begin(), in_use.end());
  if (!leases.empty()) outside_.find_ended(++ended_number_, leases);
}

void Gateway::OnEnded(std::uint64_t number, const absl::StatusOr<std::vector<NodeLease>>& ended) {
  if (number != ended_number_ || IsPlanted(PlantedBug::kGuestsOfDeadKept)) return;
  if (!ended.ok()) {
    ++counts_.query_failures;
    return;
  }
  if (ended->empty()) return;
  const auto has_ended = [&ended](const NodeLease& lease) {
    return std::find(ended->begin(), ended->end(), lease) != ended->end();
  };
  std::vector<UserId> gone;
  for (const auto& [user, guest] : guests_) {
    if (has_ended(guest.lease)) gone.push_back(user);
  }
  for (auto& [user, local] : locals_) {
    auto& known_to = local.known_to;
    known_to.erase(std::remove_if(known_to.begin(), known_to.end(), has_ended), known_to.end());
  }
  std::sort(gone.begin(), gone.end());
  counts_.guests_lost += gone.size();
  for (const UserId user : gone) Drop(user);
}

}  // namespace nearby::internal
