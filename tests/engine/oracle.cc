#include "tests/engine/oracle.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/base/sphere_reference.h"

namespace nearby::test {

// --- Calls ---------------------------------------------------------------------------------------

void EngineOracle::Advance(const Observed& observed, Time now) {
  Open(observed);
  for (std::optional<Due> due = NextDue(); due && due->time <= now; due = NextDue()) Happen(*due);
  now_ = now;
  Close();
}

void EngineOracle::Connect(const Observed& observed, const ConnectRequest& request) {
  Open(observed);
  User& user = users_[request.user];
  user.connected = true;
  user.loaded = false;
  user.cookie = request.cookie;
  user.radius_m = request.radius_m.value_or(options_.radius_m);
  user.list_version = FriendVersion{};
  Settle({Cause::kConnect, request.user});
  Close();
}

void EngineOracle::FriendsLoaded(const Observed& observed, UserId user_id, FriendVersion version,
                                 absl::Span<const FriendEntry> friends) {
  Open(observed);
  User& user = users_[user_id];
  const Cause cause = user.loaded ? Cause::kReload : Cause::kAnswer;
  user.loaded = true;
  user.list_version = version;
  std::map<PairKey, Friendship> listed;  // seen from the first; an id listed twice: the last counts
  for (const FriendEntry& entry : friends) {
    const PairKey key = KeyOf(user_id, entry.friend_id);
    listed[key] = key.first == user_id ? entry.friendship : entry.friendship.Flipped();
    pairs_[key];
  }
  for (auto& [key, pair] : pairs_) {
    if (key.first != user_id && key.second != user_id) continue;
    // What changed after the list was read stands.
    const auto found = listed.find(key);
    if (pair.changed_at <= version) {
      pair.friendship = found == listed.end() ? Friendship() : found->second;
    }
    LinkIfOnline(key, &pair);
  }
  Settle({cause, user_id});
  if (cause == Cause::kAnswer) CheckFirstPage(user_id, observed.answer);
  Close();
}

void EngineOracle::Disconnect(const Observed& observed, UserId user) {
  Open(observed);
  users_[user] = User();
  for (auto& [key, pair] : pairs_) {
    if (key.first == user || key.second == user) pair.linked = false;
  }
  Settle({Cause::kDisconnect, user});
  Close();
}

void EngineOracle::Report(const Observed& observed, UserId user_id, const Fix& fix,
                          ReportOutcome outcome) {
  Open(observed);
  if (!IsExpected(outcome, FindUser(user_id), fix)) {
    Complain(absl::StrCat("the report of user ", ToInt(user_id), " must not have outcome ",
                          static_cast<int>(outcome)));
  }
  if (outcome == ReportOutcome::kAccepted) {
    Accept(user_id, fix);
  } else if (outcome == ReportOutcome::kConflated) {
    User& user = users_[user_id];
    if (!user.conflated) user.conflated_order = next_order_++;
    user.conflated = fix;
  }
  Close();
}

void EngineOracle::Apply(const Observed& observed, const FriendshipChange& change) {
  Open(observed);
  const PairKey key = KeyOf(change.user, change.friend_id);
  Pair& pair = pairs_[key];
  // Old news if it is older than the pair's last change, or if both have later lists.
  FriendVersion known = pair.changed_at;
  const User* first = FindUser(key.first);
  const User* second = FindUser(key.second);
  if (first != nullptr && first->loaded && second != nullptr && second->loaded) {
    known = std::max(known, std::min(first->list_version, second->list_version));
  }
  if (change.version > known) {
    pair.friendship = key.first == change.user ? change.friendship : change.friendship.Flipped();
    pair.changed_at = change.version;
    LinkIfOnline(key, &pair);
    Settle({Cause::kApply, change.user, change.friend_id});
  }
  Close();
}

void EngineOracle::SetRadius(const Observed& observed, UserId user, double radius_m) {
  Open(observed);
  users_[user].radius_m = radius_m;
  Settle({Cause::kRadius, user});
  Close();
}

void EngineOracle::Nothing(const Observed& observed) {
  Open(observed);
  Close();
}

// --- What happens --------------------------------------------------------------------------------

std::optional<EngineOracle::Due> EngineOracle::NextDue() {
  std::optional<Due> next;
  const auto consider = [&next](const Due& due) {
    const auto rank = [](const Due& d) { return std::make_tuple(d.time, d.phase, d.order); };
    if (!next || rank(due) < rank(*next)) next = due;
  };
  const std::int64_t ttl_ms = absl::ToInt64Milliseconds(options_.ttl);
  const std::int64_t report_ms = absl::ToInt64Milliseconds(options_.min_report_interval);
  const std::int64_t move_ms = absl::ToInt64Milliseconds(options_.min_move_interval);
  for (const auto& [id, user] : users_) {
    const std::int64_t accepted_ms = user.accepted_at.ms;
    if (user.active) consider({Time{accepted_ms + ttl_ms}, 0, ToInt(id), {Cause::kExpiry, id, {}}});
    if (user.conflated) {
      consider({Time{accepted_ms + report_ms}, 1, user.conflated_order, {Cause::kReport, id, {}}});
    }
  }
  if (move_ms == 0) return next;
  for (const Look& look : AllLooks()) {
    if (!look.view->sees || !look.view->withheld) continue;
    consider({Time{look.view->last_sent.ms + move_ms},
              1,
              look.view->withheld_order,
              {Cause::kWithheldMove, look.subscriber, look.friend_id}});
  }
  return next;
}

void EngineOracle::Happen(const Due& due) {
  // Moves whose intervals end at one time may be sent in any order.
  const bool goes_on = due.time == now_ && last_cause_ == Cause::kWithheldMove;
  now_ = std::max(now_, due.time);
  User& user = users_[due.event.user];
  if (due.event.cause == Cause::kReport) {
    Accept(due.event.user, *user.conflated);
  } else if (due.event.cause == Cause::kExpiry) {
    user.active = false;
    Settle(due.event);
    // Until the friends are loaded the client is told nothing.
    if (user.loaded) TakeReset(due.event.user);
  } else {
    if (!goes_on) ++event_;
    last_cause_ = due.event.cause;
    for (const Look& look : LooksOf(due.event.user)) {
      if (look.friend_id == due.event.other) TakeMove(look);
    }
  }
}

void EngineOracle::Accept(UserId user_id, const Fix& fix) {
  User& user = users_[user_id];
  user.active = true;
  user.reported = true;
  user.fix = fix;
  user.accepted_at = now_;
  user.conflated.reset();
  Settle({Cause::kReport, user_id});
}

bool EngineOracle::MustWait(const User& user) const {
  const std::int64_t interval_ms = absl::ToInt64Milliseconds(options_.min_report_interval);
  return interval_ms > 0 && user.active && now_.ms < user.accepted_at.ms + interval_ms;
}

// With several things wrong, any of them may be named.
bool EngineOracle::IsExpected(ReportOutcome outcome, const User* user, const Fix& fix) const {
  if (user == nullptr || !user->connected) return outcome == ReportOutcome::kUnknownClient;
  const std::int64_t skew_ms = absl::ToInt64Milliseconds(options_.max_future_skew);
  std::vector<ReportOutcome> wrong;
  if (!nearby::Validate(fix.location).ok()) wrong.push_back(ReportOutcome::kInvalidLocation);
  if (!IsValid(fix.reported_at)) {
    wrong.push_back(ReportOutcome::kInvalidTime);
  } else if (fix.reported_at.ms > now_.ms + skew_ms) {
    wrong.push_back(ReportOutcome::kFuture);
  }
  if ((user->reported && fix.reported_at < user->fix.reported_at) ||
      (user->conflated && fix.reported_at < user->conflated->reported_at)) {
    wrong.push_back(ReportOutcome::kStale);
  }
  if (!wrong.empty()) return std::find(wrong.begin(), wrong.end(), outcome) != wrong.end();
  return outcome == (MustWait(*user) ? ReportOutcome::kConflated : ReportOutcome::kAccepted);
}

void EngineOracle::LinkIfOnline(const PairKey& key, Pair* pair) {
  pair->linked = pair->friendship.friends && is_connected(key.first) && is_connected(key.second);
}

void EngineOracle::Settle(const Event& event) {
  ++event_;
  ++counts_.events;
  last_cause_ = event.cause;
  for (const Look& look : AllLooks()) SettleView(event, look);
}

// --- Accounts ------------------------------------------------------------------------------------

void EngineOracle::Close() {
  for (const std::string& fault : ledger_.Faults()) Complain(fault);
}

std::vector<std::string> EngineOracle::TakeComplaints() {
  return std::exchange(complaints_, std::vector<std::string>());
}

const EngineOracle::User* EngineOracle::FindUser(UserId user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second;
}

bool EngineOracle::is_connected(UserId user) const {
  const User* found = FindUser(user);
  return found != nullptr && found->connected;
}

bool EngineOracle::is_active(UserId user) const {
  const User* found = FindUser(user);
  return found != nullptr && found->active;
}

bool EngineOracle::Sees(UserId subscriber, UserId friend_id) const {
  const PairKey key = KeyOf(subscriber, friend_id);
  const auto found = pairs_.find(key);
  return found != pairs_.end() && found->second.views[key.first == subscriber ? 0 : 1].sees;
}

void EngineOracle::Complain(absl::string_view what) {
  complaints_.push_back(absl::StrCat("at ", now_.ms, " ms: ", what));
}

void EngineOracle::Complain(const Look& look, absl::string_view what) {
  Complain(absl::StrCat(ToInt(look.subscriber), "<-", ToInt(look.friend_id), " at ", look.meters,
                        " m, radius ", look.s->radius_m, " m: ", what));
}

}  // namespace nearby::test
