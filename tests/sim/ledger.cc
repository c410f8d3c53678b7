#include "tests/sim/ledger.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace nearby::sim {
namespace {

constexpr std::uint64_t kDelivered = Simulation::kFirstHostKind;
constexpr std::uint64_t kEnded = Simulation::kFirstHostKind + 1;
// Between them are those of events.
constexpr std::uint64_t kAskedToMove = Simulation::kFirstHostKind + 16;

}  // namespace

void Ledger::Violate(const std::string& what) {
  if (!violation_.empty()) return;
  violation_ = absl::StrCat("at ", simulation_->now().ms, " ms, ", scene_, ": ", what);
  simulation_->Stop();
}

void Ledger::OnReported(UserId user, Position position, Time reported_at) {
  ++report_counts_[user];
  std::deque<Reported>& reports = reports_[user];
  reports.push_back({position, reported_at});
  if (reports.size() > kRemembered) reports.pop_front();
}

void Ledger::OnConnecting(std::uint64_t cookie, UserId user) { clients_[cookie].user = user; }

void Ledger::OnConnected(std::uint64_t cookie, const ConnectResult& result) {
  Client* client = Find(cookie, "an answer");
  if (client == nullptr) return;
  if (client->is_answered) return Violate("a connect was answered twice");
  client->is_answered = true;
  for (const NearbyFriend& friend_here : result.friends) {
    client->in_sight.insert(friend_here.friend_id);
    CheckSighting(client, friend_here.friend_id, friend_here.position, friend_here.reported_at,
                  friend_here.distance_mm);
  }
}

void Ledger::OnLeft(std::uint64_t cookie) {
  const auto found = clients_.find(cookie);
  if (found != clients_.end()) found->second.is_over = true;
}

Ledger::Client* Ledger::Find(std::uint64_t cookie, const char* what) {
  const auto found = clients_.find(cookie);
  if (found != clients_.end()) return &found->second;
  Violate(absl::StrCat(what, " for a connection that never was"));
  return nullptr;
}

void Ledger::OnEnded(std::uint64_t cookie) {
  simulation_->Note(kEnded, cookie, 0);
  Client* client = Find(cookie, "an end");
  if (client == nullptr) return;
  if (!client->is_answered) Violate("a session ended before it was answered");
  client->is_over = true;
  client->has_ended = true;
}

void Ledger::OnAskedToMove(std::uint64_t cookie) {
  simulation_->Note(kAskedToMove, cookie, 0);
  const Client* client = Find(cookie, "a request to move");
  if (client == nullptr) return;
  if (!client->is_answered) Violate("a request to move before the connect was answered");
  if (client->has_ended) Violate("a request to move after the session has ended");
}

void Ledger::OnDelivered(const ClientBatch& batch) {
  Client* client = Find(batch.cookie, "a delivery");
  if (client == nullptr) return;
  if (client->is_over) return OnGone(*client, batch);
  if (!client->is_answered) return Violate("a delivery before the connect was answered");
  if (client->user != batch.user) return Violate("a delivery for somebody else");
  if (batch.start != BatchStart::kGoesOn) client->in_sight.clear();
  for (const ClientEvent& event : batch.events) OnEvent(client, event);
  client->was_busy = false;
}

void Ledger::OnGone(const Client& client, const ClientBatch& batch) {
  for (const ClientEvent& event : batch.events) {
    if (event.kind == DeliveryKind::kLeave || !IsForbidden(client.user, event.friend_id)) continue;
    Violate(absl::StrCat("I4: somebody who must not be seen: ", ToInt(event.friend_id),
                         " told to an earlier client of ", ToInt(client.user)));
  }
}

// Nobody is told twice in the same session where a friend was. (What a client is not ready for is
// put together: a leave and an enter become a move. And of several reports at one instant, say to
// two nodes, each counts.)
void Ledger::CheckNews(Client* client, const ClientEvent& event) {
  Told& told = client->told[event.friend_id];
  const Told now{event.reported_at, report_counts_[client->user],
                 pairs_[Key(client->user, event.friend_id)].edits};
  const bool is_same = told.reported_at == now.reported_at && told.own_reports == now.own_reports &&
                       told.edits == now.edits;
  const std::deque<Reported>& theirs = reports_[event.friend_id];
  const bool is_one = 1 == std::count_if(theirs.begin(), theirs.end(), [&](const Reported& r) {
                        return r.reported_at == event.reported_at;
                      });
  const bool may_be_merged = client->was_busy || IsOpen(client->user, event.friend_id);
  if (is_same && event.kind == DeliveryKind::kMove && is_one && !may_be_merged) {
    Violate(absl::StrCat("told twice: ", ToInt(event.friend_id), " to ", ToInt(client->user)));
  }
  told = now;
}

void Ledger::OnEvent(Client* client, const ClientEvent& event) {
  ++delivered_;
  simulation_->Note(kDelivered + 2 + static_cast<std::uint64_t>(event.kind), ToInt(client->user),
                    ToInt(event.friend_id));
  const bool was_in_sight = client->in_sight.count(event.friend_id) != 0;
  const std::string who = absl::StrCat(" of ", ToInt(event.friend_id), " to ", ToInt(client->user));
  switch (event.kind) {
    case DeliveryKind::kEnter:
      if (was_in_sight) return Violate(absl::StrCat("I8: a second enter", who));
      client->in_sight.insert(event.friend_id);
      break;
    case DeliveryKind::kMove:
      if (!was_in_sight) return Violate(absl::StrCat("I8: a move without an enter", who));
      break;
    case DeliveryKind::kLeave:
      if (!was_in_sight) return Violate(absl::StrCat("I8: a leave without an enter", who));
      client->in_sight.erase(event.friend_id);
      return CheckLeave(*client, event);
    case DeliveryKind::kReset:
      return Violate("a reset as an event");
  }
  CheckNews(client, event);
  CheckSighting(client, event.friend_id, event.position, event.reported_at, event.distance_mm);
}

void Ledger::CheckSighting(Client* client, UserId friend_id, Position position, Time reported_at,
                           std::int64_t distance_mm) {
  const std::string who = absl::StrCat(": ", ToInt(friend_id), " told to ", ToInt(client->user));
  if (IsForbidden(client->user, friend_id)) {
    return Violate(absl::StrCat("I4: somebody who must not be seen", who));
  }
  const std::deque<Reported>& theirs = reports_[friend_id];
  const bool is_true = std::any_of(theirs.begin(), theirs.end(), [&](const Reported& reported) {
    return reported.reported_at == reported_at && reported.position == position;
  });
  if (!is_true) return Violate(absl::StrCat("a location that was never reported", who));
  if (simulation_->now().ms - reported_at.ms > limits_.max_age_ms) {
    return Violate(
        absl::StrCat("I3: a location of ", simulation_->now().ms - reported_at.ms, " ms ago", who));
  }
  Time& newest = client->newest[friend_id];
  if (reported_at < newest) return Violate(absl::StrCat("I5: time went backward", who));
  newest = reported_at;
  const double told_m = static_cast<double>(distance_mm) / 1000;
  if (told_m > limits_.radius_m + 0.02) {
    return Violate(absl::StrCat("farther away than the radius", who));
  }
  // The viewer may have moved on since: from one of the places where they were it is true.
  const std::deque<Reported>& own = reports_[client->user];
  const bool is_right = std::any_of(own.begin(), own.end(), [&](const Reported& reported) {
    return std::abs(DistanceMillimeters(reported.position, position) - distance_mm) <= 30;
  });
  if (!is_right) Violate(absl::StrCat("a distance of ", told_m, " m from nowhere", who));
}

void Ledger::CheckLeave(const Client& client, const ClientEvent& event) {
  if (event.reason != LeaveReason::kRange) return;
  const auto told = client.told.find(event.friend_id);
  const Time newest = told == client.told.end() ? Time{-kMaxTimeMs} : told->second.reported_at;
  const std::deque<Reported>& own = reports_[client.user];
  const std::deque<Reported>& theirs = reports_[event.friend_id];
  const auto is_far = [&](const Reported& a, const Reported& b) {
    return static_cast<double>(DistanceMillimeters(a.position, b.position)) / 1000 >
           limits_.radius_m - 0.02;
  };
  const bool is_true = std::any_of(theirs.begin(), theirs.end(), [&](const Reported& b) {
    return b.reported_at >= newest &&
           std::any_of(own.begin(), own.end(), [&](const Reported& a) { return is_far(a, b); });
  });
  if (is_true) return;
  Violate(absl::StrCat("out of range without having been: ", ToInt(event.friend_id), " told to ",
                       ToInt(client.user)));
}

bool Ledger::Grants(FriendEdit::Kind kind) {
  return kind == FriendEdit::Kind::kBefriend || kind == FriendEdit::Kind::kShare ||
         kind == FriendEdit::Kind::kSubscribe;
}

void Ledger::SetFriends(UserId a, UserId b) {
  Pair& pair = pairs_[Key(a, b)];
  pair.first_forbidden = false;
  pair.second_forbidden = false;
}

bool Ledger::IsForbidden(UserId viewer, UserId friend_id) const {
  const auto found = pairs_.find(Key(viewer, friend_id));
  if (found == pairs_.end()) return true;
  return viewer < friend_id ? found->second.first_forbidden : found->second.second_forbidden;
}

void Ledger::Forbid(UserId viewer, UserId friend_id) {
  Pair& pair = pairs_[Key(viewer, friend_id)];
  (viewer < friend_id ? pair.first_forbidden : pair.second_forbidden) = true;
}

std::uint64_t Ledger::OnEditing(const FriendEdit& edit) {
  Pair& pair = pairs_[Key(edit.user, edit.friend_id)];
  OpenEdit& open = edits_[next_edit_];
  open.edit = edit;
  if (Grants(edit.kind)) {
    ++pair.grants;
    ++pair.open_grants;
    pair.first_forbidden = false;
    pair.second_forbidden = false;
  }
  ++pair.open_edits;
  ++pair.edits;
  open.grants = pair.grants;
  open.had_open_grants = pair.open_grants > 0;
  return next_edit_++;
}

void Ledger::OnEdited(std::uint64_t number, bool is_ok, bool is_certain) {
  const auto found = edits_.find(number);
  if (found == edits_.end()) return Violate("an edit was completed twice");
  const OpenEdit open = found->second;
  edits_.erase(found);
  const FriendEdit& edit = open.edit;
  Pair& pair = pairs_[Key(edit.user, edit.friend_id)];
  ++pair.edits;
  if (is_ok) --pair.open_edits;
  if (Grants(edit.kind)) {
    // One of which nobody knows the outcome may take effect at any time.
    if (is_certain) --pair.open_grants;
    return;
  }
  if (!is_ok || open.had_open_grants || pair.grants != open.grants) return;
  if (edit.kind == FriendEdit::Kind::kHide) {
    Forbid(edit.friend_id, edit.user);
  } else {
    Forbid(edit.user, edit.friend_id);
    if (edit.kind == FriendEdit::Kind::kUnfriend) Forbid(edit.friend_id, edit.user);
  }
}

void Ledger::OnHealed() {
  for (auto& [users, pair] : pairs_) pair.open_grants = 0;
}

bool Ledger::IsOpen(UserId a, UserId b) const {
  const auto found = pairs_.find(Key(a, b));
  return found != pairs_.end() && found->second.open_edits > 0;
}

const std::set<UserId>& Ledger::InSight(std::uint64_t cookie) const {
  return clients_.at(cookie).in_sight;
}

std::optional<Time> Ledger::NewestTold(std::uint64_t cookie, UserId friend_id) const {
  const auto& newest = clients_.at(cookie).newest;
  const auto found = newest.find(friend_id);
  return found == newest.end() ? std::nullopt : std::optional<Time>(found->second);
}

std::optional<UserId> Ledger::SomebodyInSight(UserId user, SimulatedRandom* random) const {
  // The one before, if there is one, for whoever is just connecting.
  for (auto it = clients_.rbegin(); it != clients_.rend(); ++it) {
    const std::set<UserId>& in_sight = it->second.in_sight;
    if (it->second.user != user || in_sight.empty()) continue;
    return *std::next(in_sight.begin(),
                      static_cast<std::ptrdiff_t>(random->Below(in_sight.size())));
  }
  return std::nullopt;
}

std::optional<Position> Ledger::PositionOf(UserId user) const {
  const auto found = reports_.find(user);
  if (found == reports_.end() || found->second.empty()) return std::nullopt;
  return found->second.back().position;
}

}  // namespace nearby::sim
