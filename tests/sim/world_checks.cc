// What must be true of a world: at any time, and in the end.

#include <cstdlib>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {

void World::CheckNodes() {
  for (const auto& node : nodes_) {
    if (!node->is_up()) continue;
    if (absl::Status status = node->runtime().CheckInvariants(); !status.ok()) {
      ledger_.Violate(absl::StrCat("node ", ToInt(node->id()), ": ", status.message()));
    }
  }
}

bool World::MayBeSeen(const Phone& viewer, const Phone& owner, bool* is_borderline) {
  bool may_see = false;
  scenery_.friends.List(viewer.user, [&](absl::StatusOr<FriendList> list) {
    for (const FriendEntry& entry : list->friends) {
      if (entry.friend_id == owner.user) may_see = entry.friendship.i_may_see();
    }
  });
  if (!may_see || !IsAlive(owner) || !owner.has_reported || !viewer.has_reported) return false;
  const std::int64_t apart_mm =
      DistanceMillimeters(*ledger_.PositionOf(viewer.user), *ledger_.PositionOf(owner.user));
  *is_borderline = std::abs(apart_mm - static_cast<std::int64_t>(kRadiusM * 1000)) < 100;
  return apart_mm <= static_cast<std::int64_t>(kRadiusM * 1000);
}

void World::CheckConverged() {
  for (const Phone& viewer : phones_) {
    if (!IsAlive(viewer)) {
      return ledger_.Violate(absl::StrCat("user ", ToInt(viewer.user), " is not connected"));
    }
    const std::set<UserId>& told = ledger_.InSight(viewer.cookie);
    for (const Phone& owner : phones_) {
      if (owner.user == viewer.user) continue;
      bool is_borderline = false;
      const bool is_near = MayBeSeen(viewer, owner, &is_borderline);
      const bool is_told = told.count(owner.user) != 0;
      if (is_near == is_told || is_borderline) continue;
      // What an edit without a happy end has granted, the next connect of either finds out.
      const bool may_be_unknown = is_near || !refreshes_lists_;
      if (may_be_unknown && ledger_.IsOpen(viewer.user, owner.user)) continue;
      ledger_.Violate(absl::StrCat("I10: user ", ToInt(viewer.user), " (node ", viewer.node + 1,
                                   ") ", is_told ? "still sees" : "does not see", " user ",
                                   ToInt(owner.user), " (node ", owner.node + 1, ")"));
      return;
    }
  }
}

}  // namespace nearby::sim
