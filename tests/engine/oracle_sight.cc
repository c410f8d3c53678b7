// What follows for one pair from what happened: the rules of sight.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/base/sphere_reference.h"
#include "tests/engine/oracle.h"

namespace nearby::test {

EngineOracle::Look EngineOracle::LookAt(const PairKey& key, Pair* pair, std::size_t side) {
  Look look;
  look.subscriber = side == 0 ? key.first : key.second;
  look.friend_id = side == 0 ? key.second : key.first;
  look.s = &users_[look.subscriber];
  look.f = &users_[look.friend_id];
  look.friendship = side == 0 ? pair->friendship : pair->friendship.Flipped();
  look.linked = pair->linked;
  look.view = &pair->views[side];
  if (look.s->active && look.f->active) {
    look.meters = testing::TrueMeters(look.s->fix.location, look.f->fix.location);
  }
  return look;
}

std::vector<EngineOracle::Look> EngineOracle::AllLooks() {
  std::vector<Look> looks;
  looks.reserve(2 * pairs_.size());
  for (auto& [key, pair] : pairs_) {
    for (const std::size_t side : {0, 1}) looks.push_back(LookAt(key, &pair, side));
  }
  return looks;
}

std::vector<EngineOracle::Look> EngineOracle::LooksOf(UserId subscriber) {
  std::vector<Look> looks;
  for (auto& [key, pair] : pairs_) {
    if (key.first == subscriber) looks.push_back(LookAt(key, &pair, 0));
    if (key.second == subscriber) looks.push_back(LookAt(key, &pair, 1));
  }
  return looks;
}

EngineOracle::Sight EngineOracle::SightOf(const Look& look) const {
  if (!look.s->connected || !look.s->loaded || !look.s->active) return Sight::kOut;
  if (!look.f->connected || !look.f->active) return Sight::kOut;
  if (!look.linked || !look.friendship.i_may_see()) return Sight::kOut;
  const double limit = look.s->radius_m + (look.view->sees ? options_.hysteresis_m : 0);
  if (look.meters <= limit - kBoundaryToleranceMeters) return Sight::kIn;
  if (look.meters > limit + kBoundaryToleranceMeters) return Sight::kOut;
  return Sight::kEither;
}

void EngineOracle::SettleView(const Event& event, const Look& look) {
  // Whoever is gone, or has expired, or knows no friends yet, is told nothing.
  if (!look.s->connected || !look.s->loaded || !look.s->active) {
    *look.view = View();
    return;
  }
  const Sight sight = SightOf(look);
  if (look.view->sees) {
    SettleSeen(event, look, sight);
  } else {
    SettleUnseen(event, look, sight);
  }
}

void EngineOracle::SettleSeen(const Event& event, const Look& look, Sight sight) {
  const Delivery* actual = ledger_.Peek(now_, look.subscriber, look.friend_id);
  if (sight == Sight::kEither) {
    ++counts_.adopted;
    const bool left =
        Concerns(event, look) && IsHere(look, actual) && actual->reason == LeaveReason::kRange;
    sight = left ? Sight::kOut : Sight::kIn;
  }
  if (sight == Sight::kOut) {
    TakeLeave(look);
    *look.view = View();
    return;
  }
  if (event.cause != Cause::kReport || event.user != look.friend_id) return;
  const std::int64_t interval_ms = absl::ToInt64Milliseconds(options_.min_move_interval);
  if (now_.ms >= look.view->last_sent.ms + interval_ms) {
    TakeMove(look);
  } else if (!look.view->withheld) {
    ++counts_.withheld;
    look.view->withheld = true;
  }
}

void EngineOracle::SettleUnseen(const Event& event, const Look& look, Sight sight) {
  // An answer is a page of its own.
  if (event.cause == Cause::kAnswer && event.user == look.subscriber) return;
  if (sight == Sight::kOut) {
    look.view->held_back = false;
    return;
  }
  const Delivery* actual = ledger_.Peek(now_, look.subscriber, look.friend_id);
  const bool entered = actual != nullptr && actual->kind == DeliveryKind::kEnter;
  if (sight == Sight::kEither) {
    ++counts_.adopted;
    look.view->held_back = false;
    if (entered && Concerns(event, look) && IsHere(look, actual)) TakeEnter(look);
    return;
  }
  const Duty duty = EnterDuty(event, look);
  if (duty == Duty::kMust || (duty == Duty::kMay && entered)) {
    TakeEnter(look);
  } else {
    look.view->held_back = true;
  }
}

// Of several events of a pair at one time, the distance tells which of them a delivery is about.
bool EngineOracle::IsHere(const Look& look, const Delivery* delivery) {
  if (delivery == nullptr) return false;
  const double meters = static_cast<double>(delivery->distance_mm) / 1000;
  return std::abs(meters - look.meters) <= kDistanceToleranceMeters;
}

// Whether the event can have changed what this pair is to each other. Of several events at one time
// only those may account for what was delivered about it.
bool EngineOracle::Concerns(const Event& event, const Look& look) {
  const bool is_end = event.user == look.subscriber || event.user == look.friend_id;
  if (event.cause != Cause::kApply) return is_end;
  return is_end && (event.other == look.subscriber || event.other == look.friend_id);
}

EngineOracle::Duty EngineOracle::EnterDuty(const Event& event, const Look& look) {
  if (event.cause == Cause::kReload && event.user == look.subscriber) return Duty::kMay;
  if (!look.view->held_back) return Duty::kMust;
  if (!Concerns(event, look)) return Duty::kMustNot;
  switch (event.cause) {
    case Cause::kReport:
      return Duty::kMust;
    case Cause::kAnswer:
    case Cause::kReload:
    case Cause::kApply:
    case Cause::kRadius:
      return Duty::kMay;
    default:
      return Duty::kMustNot;
  }
}

std::vector<LeaveReason> EngineOracle::ReasonsOf(const Look& look) {
  if (!look.f->connected) return {LeaveReason::kOffline};
  if (!look.f->active) return {LeaveReason::kExpired};
  if (!look.linked) return {LeaveReason::kUnfriended};
  std::vector<LeaveReason> reasons;
  if (look.friendship.friend_hides) reasons.push_back(LeaveReason::kHidden);
  if (look.friendship.i_unsubscribed) reasons.push_back(LeaveReason::kUnsubscribed);
  if (reasons.empty()) reasons.push_back(LeaveReason::kRange);
  return reasons;
}

const Delivery* EngineOracle::TakeKind(const Look& look, DeliveryKind kind) {
  const auto [delivery, is_in_order] = ledger_.Take(now_, look.subscriber, look.friend_id, event_);
  if (delivery == nullptr) {
    Complain(look, absl::StrCat("must be delivered, and was not: ", ToString(kind)));
    return nullptr;
  }
  if (!is_in_order) {
    Complain(look, absl::StrCat("delivered before what it followed: ", Describe(*delivery)));
  }
  if (delivery->kind != kind) {
    Complain(look, absl::StrCat("must be ", ToString(kind), ", not ", Describe(*delivery)));
    return nullptr;
  }
  if (delivery->cookie != look.s->cookie) {
    Complain(look, absl::StrCat("cookie must be ", look.s->cookie, ": ", Describe(*delivery)));
  }
  return delivery;
}

void EngineOracle::TakeEnter(const Look& look) {
  ++counts_.enters;
  *look.view = View();
  look.view->sees = true;
  look.view->last_sent = now_;
  const Delivery* delivery = TakeKind(look, DeliveryKind::kEnter);
  if (delivery != nullptr) CheckSighting(look, *delivery);
}

void EngineOracle::TakeMove(const Look& look) {
  ++counts_.moves;
  look.view->withheld = false;
  look.view->last_sent = now_;
  const Delivery* delivery = TakeKind(look, DeliveryKind::kMove);
  if (delivery != nullptr) CheckSighting(look, *delivery);
}

void EngineOracle::CheckSighting(const Look& look, const Delivery& delivery) {
  const bool is_there = delivery.position.is_somewhere() &&
                        testing::TrueMeters(delivery.position.ToLatLng(), look.f->fix.location) <=
                            kPositionToleranceMeters;
  if (!is_there) Complain(look, absl::StrCat("wrong position: ", Describe(delivery)));
  const double meters = static_cast<double>(delivery.distance_mm) / 1000;
  if (std::abs(meters - look.meters) > kDistanceToleranceMeters) {
    Complain(look, absl::StrCat("wrong distance: ", Describe(delivery)));
  }
  if (delivery.reported_at != look.f->fix.reported_at) {
    Complain(look, absl::StrCat("must be reported at ", look.f->fix.reported_at.ms, ": ",
                                Describe(delivery)));
  }
  if (delivery.reason != LeaveReason::kNone) {
    Complain(look, absl::StrCat("must bear no reason: ", Describe(delivery)));
  }
}

void EngineOracle::TakeLeave(const Look& look) {
  const Delivery* delivery = TakeKind(look, DeliveryKind::kLeave);
  if (delivery == nullptr) return;
  ++counts_.leaves[static_cast<std::size_t>(delivery->reason)];
  const std::vector<LeaveReason> reasons = ReasonsOf(look);
  if (std::find(reasons.begin(), reasons.end(), delivery->reason) == reasons.end()) {
    const auto name = [](std::string* out, LeaveReason reason) { *out += ToString(reason); };
    Complain(look, absl::StrCat("reason must be ", absl::StrJoin(reasons, " or ", name), ": ",
                                Describe(*delivery)));
  }
  if (delivery->position.is_somewhere() || delivery->reported_at != Time()) {
    Complain(look, absl::StrCat("a leave bears no position: ", Describe(*delivery)));
  }
  const double meters = static_cast<double>(delivery->distance_mm) / 1000;
  const double expected = delivery->reason == LeaveReason::kRange ? look.meters : 0;
  if (std::abs(meters - expected) > kDistanceToleranceMeters) {
    Complain(look, absl::StrCat("wrong distance: ", Describe(*delivery)));
  }
}

void EngineOracle::TakeReset(UserId user) {
  ++counts_.resets;
  const auto [delivery, is_in_order] = ledger_.Take(now_, user, user, event_);
  if (delivery == nullptr) {
    Complain(absl::StrCat("user ", ToInt(user), " must be told of the reset"));
  } else if (!is_in_order || delivery->kind != DeliveryKind::kReset ||
             delivery->cookie != users_[user].cookie || delivery->position.is_somewhere()) {
    Complain(absl::StrCat("must be a reset: ", Describe(*delivery)));
  }
}

}  // namespace nearby::test
