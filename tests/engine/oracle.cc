#include "tests/engine/oracle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/base/sphere_reference.h"

namespace nearby::test {

// --- Calls ---------------------------------------------------------------------------------------

void EngineOracle::Advance(const Observed& observed, Time now) {
  Open(observed);
  for (;;) {
    const std::optional<Due> expiry = NextExpiry();
    const std::vector<Due> due = NextDue();
    const Time next_due = due.empty() ? kNever : due.front().time;
    // At one time expiries come first.
    if (expiry && expiry->time <= next_due) {
      if (expiry->time > now) break;
      Happen(*expiry);
      continue;
    }
    if (next_due > now) break;
    std::size_t budget = 2000;
    // If no order explains it, any will do to say what is wrong.
    if (!HappenInSomeOrder(next_due, &budget)) {
      for (const Due& one : due) Happen(one);
    }
  }
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
    users_[user_id].conflated = fix;
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

void EngineOracle::ApplyTooOld(const Observed& observed, const FriendshipChange& change) {
  Open(observed);
  const PairKey key = KeyOf(change.user, change.friend_id);
  const Friendship said =
      key.first == change.user ? change.friendship : change.friendship.Flipped();
  Pair& pair = pairs_[key];
  Friendship& held = pair.friendship;
  held.friends = held.friends && said.friends;
  held.i_hide = held.i_hide || said.i_hide;
  held.friend_hides = held.friend_hides || said.friend_hides;
  held.i_unsubscribed = held.i_unsubscribed || said.i_unsubscribed;
  held.friend_unsubscribed = held.friend_unsubscribed || said.friend_unsubscribed;
  pair.linked = pair.linked && held.friends;
  Settle({Cause::kApply, change.user, change.friend_id});
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

std::optional<EngineOracle::Due> EngineOracle::NextExpiry() const {
  std::optional<Due> next;
  for (const auto& [id, user] : users_) {
    const Time deadline{user.accepted_at.ms + absl::ToInt64Milliseconds(options_.ttl)};
    if (user.active && (!next || deadline < next->time)) {
      next = Due{deadline, {Cause::kExpiry, id, {}}};
    }
  }
  return next;
}

std::vector<EngineOracle::Due> EngineOracle::NextDue() {
  const std::int64_t report_ms = absl::ToInt64Milliseconds(options_.min_report_interval);
  const std::int64_t move_ms = absl::ToInt64Milliseconds(options_.min_move_interval);
  std::vector<Due> next;
  const auto consider = [&next](const Due& due) {
    if (!next.empty() && due.time < next.front().time) next.clear();
    if (next.empty() || due.time == next.front().time) next.push_back(due);
  };
  for (const auto& [id, user] : users_) {
    if (!user.conflated) continue;
    consider({Time{user.accepted_at.ms + report_ms}, {Cause::kReport, id, {}}});
  }
  if (move_ms == 0) return next;
  for (const Look& look : AllLooks()) {
    if (!look.view->sees || !look.view->withheld) continue;
    consider({Time{look.view->last_sent.ms + move_ms},
              {Cause::kWithheldMove, look.subscriber, look.friend_id}});
  }
  return next;
}

std::vector<EngineOracle::Due> EngineOracle::LikelyNext(std::vector<Due> due) const {
  const Delivery* first = ledger_.FirstLeft(due.front().time);
  // A withheld move delivers itself, and a report what concerns its user; a report that delivers
  // nothing may come at any point.
  const auto rank = [this, first](const Due& one) {
    const bool is_move = one.event.cause == Cause::kWithheldMove;
    if (first == nullptr) return is_move ? 4 : 3;
    if (is_move) {
      const bool is_it = one.event.user == first->subscriber && one.event.other == first->friend_id;
      return is_it ? 0 : 4;
    }
    if (one.event.user == first->friend_id) {
      // Whoever is told where the friend is may have come themselves, while this report was still
      // to be taken.
      const Fix& fix = *users_.at(one.event.user).conflated;
      const bool is_told_of =
          first->kind == DeliveryKind::kLeave || first->reported_at == fix.reported_at;
      return is_told_of ? 1 : 3;
    }
    return one.event.user == first->subscriber ? 2 : 3;
  };
  due.erase(
      std::remove_if(due.begin(), due.end(), [&rank](const Due& one) { return rank(one) == 4; }),
      due.end());
  std::stable_sort(due.begin(), due.end(),
                   [&rank](const Due& a, const Due& b) { return rank(a) < rank(b); });
  return due;
}

bool EngineOracle::HappenInSomeOrder(Time time, std::size_t* budget) {
  const std::vector<Due> due = NextDue();
  if (due.empty() || due.front().time != time) return ledger_.FirstLeft(time) == nullptr;
  const EngineOracle before = *this;
  for (const Due& first : LikelyNext(due)) {
    if (*budget == 0) return false;
    --*budget;
    Happen(first);
    if (complaints_.size() == before.complaints_.size() && HappenInSomeOrder(time, budget)) {
      return true;
    }
    *this = before;
  }
  return false;
}

void EngineOracle::Happen(const Due& due) {
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
    ++event_;
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
  for (const Look& look : AllLooks()) SettleView(event, look);
}

// --- Accounts ------------------------------------------------------------------------------------

void EngineOracle::Close() {
  for (const Delivery* delivery : ledger_.Left()) {
    Complain(absl::StrCat("must not be delivered: ", Describe(*delivery)));
  }
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
