// What must be true of a world: at any time, and in the end.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

bool World::IsActive(const Phone& phone) const {
  return IsAlive(phone) && phone.has_reported &&
         scenery_.simulation.now().ms < phone.last_report.ms + kTtlMs;
}

bool World::MayBeSeen(const Phone& viewer, const Phone& owner, bool* is_borderline) {
  bool may_see = false;
  scenery_.friends.List(viewer.user, [&](absl::StatusOr<FriendList> list) {
    for (const FriendEntry& entry : list->friends) {
      if (entry.friend_id == owner.user) may_see = entry.friendship.i_may_see();
    }
  });
  if (!may_see || !IsActive(owner) || !IsActive(viewer)) return false;
  const std::int64_t apart_mm =
      DistanceMillimeters(*ledger_.PositionOf(viewer.user), *ledger_.PositionOf(owner.user));
  *is_borderline = std::abs(apart_mm - static_cast<std::int64_t>(kRadiusM * 1000)) < 100;
  return apart_mm <= static_cast<std::int64_t>(kRadiusM * 1000);
}

void World::CheckConverged() {
  for (const Phone& viewer : phones_) {
    if (viewer.is_away) continue;
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

void World::CheckUpToDate() {
  for (const Phone& viewer : phones_) {
    if (!IsAlive(viewer)) continue;
    for (const Phone& owner : phones_) {
      // What others say may be on its way.
      if (ledger_.InSight(viewer.cookie).count(owner.user) == 0 || !owner.is_silent) continue;
      if (ledger_.NewestTold(viewer.cookie, owner.user) == owner.last_report) continue;
      return ledger_.Violate(absl::StrCat("user ", ToInt(viewer.user), " (node ", viewer.node + 1,
                                          ") does not know the last location of user ",
                                          ToInt(owner.user), " (node ", owner.node + 1, ")"));
    }
  }
}

void World::CheckFollowed(std::size_t index, Time time) {
  const UserId owner = phones_[index].user;
  for (const Phone& viewer : phones_) {
    if (!IsAlive(viewer) || ledger_.InSight(viewer.cookie).count(owner) == 0) continue;
    if (ledger_.NewestTold(viewer.cookie, owner) != time) continue;
    return ledger_.Violate(absl::StrCat("user ", ToInt(viewer.user), " (node ", viewer.node + 1,
                                        ") sees user ", ToInt(owner), " (node ",
                                        phones_[index].node + 1, "), but not how they move"));
  }
}

void World::CheckBalance() {
  // What is said now would still be on its way to the stores.
  for (Phone& phone : phones_) phone.is_silent = true;
  // A park that ends just now, say, sets off a subscription; but not for ever. Where there are many
  // nodes one does somewhere nearly always, so each is looked at until it has been right once.
  std::set<const Node*> right;
  std::string imbalance;
  for (int i = 0; i < 20 && !ledger_.has_violation(); ++i) {
    imbalance.clear();
    for (const auto& node : nodes_) {
      if (right.count(node.get()) != 0) continue;
      const std::string of_node = FindNodeImbalance(*node);
      if (of_node.empty()) {
        right.insert(node.get());
      } else {
        imbalance = of_node;
      }
    }
    if (imbalance.empty()) imbalance = FindStoreImbalance();
    if (imbalance.empty()) return;
    scenery_.simulation.RunFor(500);
  }
  ledger_.Violate(imbalance);
}

std::string World::FindNodeImbalance(const Node& node) {
  const ClusterStats stats = node.is_up() ? node.stats() : ClusterStats();
  const std::size_t subscriptions = scenery_.servers.subscription_count(node.id());
  const std::string of_node = absl::StrCat("node ", ToInt(node.id()), " has ");
  if (stats.channels != stats.channels_live || stats.channels != subscriptions) {
    return absl::StrCat(of_node, subscriptions, " subscriptions at the servers; ", stats.channels,
                        " are wanted, ", stats.channels_live, " of them acknowledged");
  }
  if (stats.fences_open == 0) return "";
  return absl::StrCat(of_node, stats.fences_open, " fences that are still open");
}

std::string World::FindStoreImbalance() {
  // Of a claim whose answer never comes nobody knows whether it was carried out.
  const bool are_answers_lost =
      faults().counts().of(SimulatedStore::kSessions, SimulatedStoreFault::kAnswerLost) != 0;
  const std::string sessions = are_answers_lost ? "" : FindSessionImbalance();
  if (!sessions.empty()) return sessions;
  const std::string locations = FindLocationImbalance();
  return locations.empty() ? FindHistoryImbalance() : locations;
}

// Each user has one session, on the node that their phone is connected to.
std::string World::FindSessionImbalance() {
  std::uint64_t sessions = 0;
  for (const auto& node : nodes_) {
    if (node->is_up()) sessions += node->runtime().stats().sessions;
  }
  std::uint64_t alive = 0;
  for (const Phone& phone : phones_) {
    if (IsAlive(phone)) ++alive;
    std::vector<SessionHolder> holders;
    scenery_.directory.Lookup({phone.user}, [&holders](auto found) { holders = found->front(); });
    const bool is_right = IsAlive(phone) ? holders.size() == 1 && holders.front().lease.node ==
                                                                      nodes_[phone.node]->id()
                                         : holders.empty();
    if (is_right) continue;
    return absl::StrCat("user ", ToInt(phone.user), IsAlive(phone) ? " is connected" : " has gone",
                        ", and the directory names ", holders.size(), " holders");
  }
  if (sessions == alive) return "";
  return absl::StrCat(sessions, " sessions of ", alive, " users who are connected");
}

// Of each user who is active the store has the last location.
std::string World::FindLocationImbalance() {
  for (const Phone& phone : phones_) {
    if (!IsActive(phone)) continue;
    std::optional<AcceptedLocation> held;
    scenery_.locations.Read({phone.user}, [&held](auto found) { held = found->front(); });
    if (held && held->reported_at == phone.last_report) continue;
    return absl::StrCat("the store has ", held ? "an old" : "no", " location of user ",
                        ToInt(phone.user));
  }
  return "";
}

// And so has the history.
std::string World::FindHistoryImbalance() {
  for (const Phone& phone : phones_) {
    if (!IsActive(phone) || history_.Has(phone.user, phone.last_report)) continue;
    return absl::StrCat("the history lacks the last location of user ", ToInt(phone.user));
  }
  return "";
}

}  // namespace nearby::sim
