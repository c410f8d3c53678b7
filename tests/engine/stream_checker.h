#ifndef NEARBY_TESTS_ENGINE_STREAM_CHECKER_H_
#define NEARBY_TESTS_ENGINE_STREAM_CHECKER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/friend_graph.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::test {

/// A broken promise: the number of the invariant, or 0 for a rule of the semantics without one.
struct Violation {
  int invariant = 0;
  std::string what;
};

/// Reads everything that engines deliver and holds it against what is known to be true: who is
/// connected, who is whose friend, who reported where and when. It knows nothing of how engines
/// work, and decides by the haversine formula in double precision.
///
/// Tell it of each call before handing it the effects of that call.
///
/// Thread-compatible. Borrows the graph, which must outlive it.
class StreamChecker {
 public:
  struct Options {
    absl::Duration ttl = absl::Minutes(10);
    double radius_m = 8046.72;
    double hysteresis_m = 0;
    /// Facts may reach a subscriber's shard late: what is delivered may then be true no longer, and
    /// is held against what was true within the last TTL.
    bool delayed_messages = false;
    /// All deliveries of a call come from one engine, so that expiries are in order of (deadline,
    /// user).
    bool one_engine = false;
  };

  StreamChecker(const Options& options, const FriendGraph* graph)
      : options_(options), graph_(graph) {}

  void OnConnect(UserId user, std::uint64_t cookie, std::optional<double> radius_m);
  void OnFriendsLoaded(UserId user);
  void OnDisconnect(UserId user);
  void OnRadius(UserId user, double radius_m);
  enum class Call : std::uint8_t { kAdvance, kOther };
  /// Effects of one call: accepted locations and deliveries, each in order.
  void OnEffects(Call call, const std::vector<AcceptedLocation>& locations,
                 const std::vector<Delivery>& deliveries);

  enum class Completeness {
    kNothingWrong,    ///< Nobody in a set who may not be there.
    kNothingMissing,  ///< And everybody who should be.
  };
  /// Holds every client's set against a look at every pair.
  void CompareWithOracle(Time now, Completeness completeness);

  const std::vector<Violation>& violations() const { return violations_; }
  /// The friends that the user's client has been told of, in this session.
  std::set<UserId> InSight(UserId user) const;
  /// Deliveries read so far, by kind, and leaves by reason: a test that saw none of what it is
  /// about has proved nothing.
  std::size_t seen(DeliveryKind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }
  std::size_t seen(LeaveReason reason) const { return reasons_[static_cast<std::size_t>(reason)]; }

 private:
  struct Session {
    std::uint64_t cookie = 0;
    bool loaded = false;
    Time last_delivery{-kMaxTimeMs};
    std::set<UserId> in_sight;
    std::map<UserId, Time> reported_at;  // newest shown, by friend
  };
  struct User {
    std::optional<Session> session;
    std::optional<double> radius_m;
    Position position;
    Position position_before;  // that the last report replaced
    Time accepted_at{-2 * kMaxTimeMs};
    Time accepted_before{-2 * kMaxTimeMs};
    std::map<Time, Time> accepted_by_report;  // latest acceptance, by client time
  };

  void OnAccepted(const AcceptedLocation& location);
  void OnDelivery(const Delivery& delivery);
  void OnSighting(const Delivery& delivery, Session& session);
  void CheckSightIsTrue(const Delivery& delivery);
  void CheckDistance(const Delivery& delivery);
  void OnLeave(const Delivery& delivery, Session& session);
  void OnReset(const Delivery& delivery, Session& session);
  void CheckExpiryOrder(const Delivery& delivery);
  void CheckPair(UserId subscriber, UserId friend_id, Time now, Completeness completeness);

  bool IsActive(const User& user, Time at) const;
  // Where the user may have been at that moment of the call.
  std::vector<Position> Whereabouts(const User& user, Time at) const;
  bool ExpiredExactly(const User& user, Time at) const;
  double radius_of(const User& user) const { return user.radius_m.value_or(options_.radius_m); }
  void Fail(int invariant, const Delivery& delivery, const char* what);

  Options options_;
  const FriendGraph* graph_;
  std::map<UserId, User> users_;
  std::vector<Violation> violations_;
  std::array<std::size_t, 4> kinds_{};
  std::array<std::size_t, 7> reasons_{};
  Call call_ = Call::kOther;
  std::optional<std::pair<Time, UserId>> last_expiry_;  // within the effects of one call
};

/// One line for a person, or for comparing two streams: every field.
std::string ToString(const Delivery& delivery);

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_STREAM_CHECKER_H_
