#ifndef NEARBY_TESTS_RUNTIME_SIGHT_TRUTH_H_
#define NEARBY_TESTS_RUNTIME_SIGHT_TRUTH_H_

#include <map>
#include <optional>
#include <set>

#include "absl/time/time.h"
#include "nearby/friend_graph.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"
#include "tests/base/sphere_reference.h"

namespace nearby::test {

/// Who is in sight of whom, by the definition and nothing else: for tests that ask only for the
/// sets that are left when all is quiet. (EngineOracle also knows each event on the way there.)
/// Nobody may stand within a metre of a boundary, nor may a page hold anybody back.
class SightTruth {
 public:
  explicit SightTruth(const EngineOptions& options) : options_(options) {}

  void Connected(UserId user, std::optional<double> radius_m = std::nullopt) {
    users_[user].is_connected = true;
    users_[user].radius_m = radius_m.value_or(options_.radius_m);
  }
  void Disconnected(UserId user) { users_.erase(user); }
  void Reported(UserId user, LatLng location, Time now) {
    users_[user].location = location;
    users_[user].expires = Time{now.ms + absl::ToInt64Milliseconds(options_.ttl)};
  }
  void SetRadius(UserId user, double radius_m) { users_[user].radius_m = radius_m; }

  std::set<UserId> InSight(UserId viewer, const FriendGraph& graph, Time now) const {
    std::set<UserId> in_sight;
    const auto found = users_.find(viewer);
    if (found == users_.end() || !IsActive(found->second, now)) return in_sight;
    for (const auto& [user, state] : users_) {
      if (user == viewer || !IsActive(state, now)) continue;
      if (!graph.Get(viewer, user).i_may_see()) continue;
      const double meters = testing::TrueMeters(*found->second.location, *state.location);
      if (meters <= found->second.radius_m) in_sight.insert(user);
    }
    return in_sight;
  }

 private:
  struct State {
    bool is_connected = false;
    double radius_m = 0;
    std::optional<LatLng> location;
    Time expires;
  };

  static bool IsActive(const State& state, Time now) {
    return state.is_connected && state.location && now < state.expires;
  }

  EngineOptions options_;
  std::map<UserId, State> users_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_RUNTIME_SIGHT_TRUTH_H_
