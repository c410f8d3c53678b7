// Pages: the answer to a connect, and those asked for.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "tests/base/sphere_reference.h"
#include "tests/engine/oracle.h"

namespace nearby::test {
namespace {

// Two friends whose measured distances differ by less may come in either order.
constexpr double kOrderToleranceMeters = 2 * kDistanceToleranceMeters;

template <typename Entry>
auto Rank(const Entry& entry) {
  return std::make_tuple(entry.distance_mm, entry.friend_id);
}

}  // namespace

void EngineOracle::CheckFirstPage(UserId user, const ConnectAnswer* answer) {
  std::size_t entered = 0;
  std::size_t held_back = 0;
  std::size_t either = 0;
  double farthest_entered = 0;
  double nearest_held_back = std::numeric_limits<double>::infinity();
  for (const Look& look : LooksOf(user)) {
    const Sight sight = SightOf(look);
    if (sight == Sight::kOut) continue;
    const Delivery* actual = ledger_.Peek(now_, user, look.friend_id);
    if (actual != nullptr && actual->kind == DeliveryKind::kEnter) {
      TakeEnter(look);
      ++entered;
      farthest_entered = std::max(farthest_entered, look.meters);
    } else if (sight == Sight::kIn) {
      look.view->held_back = true;
      ++held_back;
      nearest_held_back = std::min(nearest_held_back, look.meters);
    } else {
      ++either;
    }
  }
  counts_.held_back += held_back;
  const std::size_t page = options_.connect_page_size;
  if (page > 0 && entered > page) {
    Complain(absl::StrCat("the answer to user ", ToInt(user), " holds ", entered, " friends"));
  }
  if (held_back > 0 && (page == 0 || entered < page)) {
    Complain(absl::StrCat("the answer to user ", ToInt(user), " holds ", entered, " friends, and ",
                          held_back, " more are in sight"));
  }
  if (farthest_entered > nearest_held_back + kOrderToleranceMeters) {
    Complain(absl::StrCat("the answer to user ", ToInt(user), " is not of the nearest"));
  }
  if (answer != nullptr) CheckAnswer(user, *answer, entered, entered + held_back, either);
}

void EngineOracle::CheckAnswer(UserId user, const ConnectAnswer& answer, std::size_t entered,
                               std::size_t in_sight, std::size_t either) {
  const absl::Span<const Delivery> all = ledger_.deliveries();
  const bool fits = answer.user == user && answer.cookie == users_[user].cookie &&
                    answer.count == entered && answer.first <= all.size() &&
                    answer.count <= all.size() - answer.first && answer.in_sight >= in_sight &&
                    answer.in_sight <= in_sight + either;
  if (!fits) {
    Complain(absl::StrCat("the answer to user ", ToInt(answer.user), " has ", answer.count, " of ",
                          answer.in_sight, " from ", answer.first, "; entered ", entered, " of ",
                          in_sight));
    return;
  }
  const absl::Span<const Delivery> page = all.subspan(answer.first, answer.count);
  for (const Delivery& delivery : page) {
    if (delivery.subscriber != user || delivery.kind != DeliveryKind::kEnter) {
      Complain(absl::StrCat("not an enter of user ", ToInt(user), ": ", Describe(delivery)));
    }
  }
  const auto farther = [](const Delivery& a, const Delivery& b) { return Rank(a) >= Rank(b); };
  if (std::adjacent_find(page.begin(), page.end(), farther) != page.end()) {
    Complain(absl::StrCat("the answer to user ", ToInt(user), " is not nearest first"));
  }
  if (answer.count < answer.in_sight && !page.empty() && Rank(answer.next) != Rank(page.back())) {
    Complain(absl::StrCat("the next page of user ", ToInt(user), " begins elsewhere"));
  }
}

// On the boundary, a friend who has not entered may be out of sight, or held back by a full page.
bool EngineOracle::MayBeHeldBack(const Look& look) const {
  return !look.view->sees && !look.view->held_back && SightOf(look) == Sight::kEither;
}

void EngineOracle::Nearby(const Observed& observed, UserId user, PageToken after,
                          std::size_t page_size, const NearbyPage& page) {
  Open(observed);
  ++event_;
  const double after_m = static_cast<double>(after.distance_mm) / 1000;
  const double last_m = page.next ? static_cast<double>(page.next->distance_mm) / 1000
                                  : std::numeric_limits<double>::infinity();
  std::set<UserId> listed;
  for (const NearbyFriend& entry : page.friends) listed.insert(entry.friend_id);
  std::size_t in_sight = 0;
  std::size_t either = 0;
  for (const Look& look : LooksOf(user)) {
    if (MayBeHeldBack(look)) ++either;
    if (!look.view->sees && !look.view->held_back) continue;
    ++in_sight;
    const bool must_list = look.meters > after_m + kDistanceToleranceMeters &&
                           look.meters < last_m - kDistanceToleranceMeters;
    if (must_list && listed.count(look.friend_id) == 0) Complain(look, "must be on the page");
  }
  if (page.in_sight < in_sight || page.in_sight > in_sight + either) {
    Complain(absl::StrCat("user ", ToInt(user), " sees ", in_sight, ", not ", page.in_sight));
  }
  if (page.friends.size() > page_size || (page.next && page.friends.size() < page_size)) {
    Complain(absl::StrCat("the page of user ", ToInt(user), " has ", page.friends.size()));
  }
  const NearbyFriend before{after.friend_id, Position(), after.distance_mm, Time()};
  const NearbyFriend* last = &before;
  for (const NearbyFriend& entry : page.friends) {
    if (Rank(*last) >= Rank(entry)) Complain("a page is not nearest first, from its token on");
    last = &entry;
    CheckEntry(user, entry);
  }
  if (page.next && Rank(*page.next) != Rank(*last)) Complain("the next page begins elsewhere");
  Close();
}

void EngineOracle::CheckEntry(UserId user, const NearbyFriend& entry) {
  for (const Look& look : LooksOf(user)) {
    if (look.friend_id != entry.friend_id) continue;
    if (!look.view->sees && !look.view->held_back && !MayBeHeldBack(look)) break;
    if (!look.view->sees) TakeEnter(look);
    const double meters = static_cast<double>(entry.distance_mm) / 1000;
    const bool is_right = std::abs(meters - look.meters) <= kDistanceToleranceMeters &&
                          entry.reported_at == look.f->fix.reported_at &&
                          entry.position.is_somewhere() &&
                          testing::TrueMeters(entry.position.ToLatLng(), look.f->fix.location) <=
                              kPositionToleranceMeters;
    if (!is_right) Complain(look, absl::StrCat("listed at ", entry.distance_mm, " mm"));
    return;
  }
  Complain(absl::StrCat("user ", ToInt(user), " must not be shown ", ToInt(entry.friend_id)));
}

}  // namespace nearby::test
