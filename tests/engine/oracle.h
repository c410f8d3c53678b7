#ifndef NEARBY_TESTS_ENGINE_ORACLE_H_
#define NEARBY_TESTS_ENGINE_ORACLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"
#include "tests/engine/delivery_ledger.h"

namespace nearby::test {

/// Either answer is right for a pair this close to the boundary of a radius.
inline constexpr double kBoundaryToleranceMeters = 0.02;
/// What rounding both positions, and then the distance to the millimetre, may do to a distance.
inline constexpr double kDistanceToleranceMeters = 0.015;
/// What rounding may do to a position.
inline constexpr double kPositionToleranceMeters = 0.01;

/// What an engine must deliver, worked out the slow way. The oracle holds each user's raw location
/// and each pair's settings; after every event it goes over every pair, in both directions, to find
/// who must see whom by the haversine formula, and from what changed follow the deliveries. It
/// shares nothing with the engine but the types of its interface.
///
/// For each call on an engine, or on several in lockstep, make the same call here with what was
/// delivered, then look at the complaints:
///
///   ReportOutcome outcome = engine.Report({handle, location, reported_at}, &effects);
///   oracle.Report({effects.deliveries}, user, {location, reported_at}, outcome);
///   ASSERT_THAT(oracle.TakeComplaints(), IsEmpty());
///
/// Where the contract leaves the answer open (a pair on the boundary, an enter that a page held
/// back) the oracle takes the engine's answer as its own and goes on from there.
///
/// Thread-compatible.
class EngineOracle {
 public:
  /// What one call delivered.
  struct Observed {
    absl::Span<const Delivery> deliveries;
    /// The answer to a connect, where the driver can see it.
    const ConnectAnswer* answer = nullptr;
  };

  /// A report as a phone sends it.
  struct Fix {
    LatLng location;
    Time reported_at;
  };

  /// Counts of what the oracle has gone through: a test that saw none of it has proved nothing.
  struct Counts {
    std::size_t events = 0;
    std::size_t enters = 0;
    std::size_t moves = 0;
    std::size_t resets = 0;
    std::size_t held_back = 0;  ///< Enters that a full page held back.
    std::size_t withheld = 0;   ///< Moves that waited for an interval to end.
    std::size_t adopted = 0;    ///< Pairs on the boundary.
    std::array<std::size_t, 7> leaves{};
  };

  explicit EngineOracle(const EngineOptions& options) : options_(options) {}

  // The calls, as the engine accepted them. Those it refused change nothing: don't tell them here.

  void Advance(const Observed& observed, Time now);
  void Connect(const Observed& observed, const ConnectRequest& request);
  void FriendsLoaded(const Observed& observed, UserId user, FriendVersion version,
                     absl::Span<const FriendEntry> friends);
  void Disconnect(const Observed& observed, UserId user);
  /// Reports are told whatever the outcome: it is checked as well.
  void Report(const Observed& observed, UserId user, const Fix& fix, ReportOutcome outcome);
  void Apply(const Observed& observed, const FriendshipChange& change);
  /// A change that the engine could not judge any more (FailedPrecondition): what it takes away is
  /// taken, and nothing given.
  void ApplyTooOld(const Observed& observed, const FriendshipChange& change);
  void SetRadius(const Observed& observed, UserId user, double radius_m);
  void Nearby(const Observed& observed, UserId user, PageToken after, std::size_t page_size,
              const NearbyPage& page);
  /// Any call that was refused, or a page of nobody: nothing may have been delivered.
  void Nothing(const Observed& observed);

  /// What was wrong since the last time, in words. Empty: nothing was.
  std::vector<std::string> TakeComplaints();

  Time now() const { return now_; }
  bool is_connected(UserId user) const;
  bool is_active(UserId user) const;
  bool Sees(UserId subscriber, UserId friend_id) const;
  const Counts& counts() const { return counts_; }

 private:
  struct User {
    bool connected = false;
    bool loaded = false;  // the friend list is there, the connect answered
    bool active = false;
    bool reported = false;  // `fix` and `accepted_at` mean something
    std::uint64_t cookie = 0;
    double radius_m = 0;
    Fix fix;
    Time accepted_at;
    FriendVersion list_version{};
    std::optional<Fix> conflated;
  };

  // One user looking at another.
  struct View {
    bool sees = false;
    bool held_back = false;  // in sight, but the page of the connect's answer was full
    bool withheld = false;   // a move waits for the interval to end
    Time last_sent;
  };

  using PairKey = std::pair<UserId, UserId>;  // ascending

  struct Pair {
    Friendship friendship;       // seen from the first
    FriendVersion changed_at{};  // of the last change applied
    bool linked = false;         // both are online, and the engine was told of the friendship
    std::array<View, 2> views;   // the first looking at the second, and back
  };

  enum class Cause {
    kReport,
    kExpiry,
    kWithheldMove,
    kDisconnect,
    kConnect,
    kAnswer,
    kReload,
    kApply,
    kRadius,
    kPage
  };

  // One thing that happened, at `now_`.
  struct Event {
    Cause cause;
    UserId user{};
    UserId other{};  // kApply, kWithheldMove
  };

  // One direction of a pair, with all that decides it.
  struct Look {
    UserId subscriber{};
    UserId friend_id{};
    const User* s = nullptr;
    const User* f = nullptr;
    Friendship friendship;  // seen from the subscriber
    bool linked = false;
    View* view = nullptr;
    double meters = 0;  // if both are active
  };

  enum class Sight { kOut, kIn, kEither };
  enum class Duty { kMust, kMay, kMustNot };

  struct Due {
    Time time;
    Event event;
  };

  void Open(const Observed& observed) { ledger_.Open(observed.deliveries); }
  void Close();

  // oracle.cc: what happens
  void Happen(const Due& due);
  // Of those users who expire next, the one with the least id.
  std::optional<Due> NextExpiry() const;
  // The withheld moves and held reports that fall due next, all at one time.
  std::vector<Due> NextDue();
  // Those of them that may come next, the likeliest first, by what has been delivered.
  std::vector<Due> LikelyNext(std::vector<Due> due) const;
  // Lets all that falls due at one time happen in that order of many which explains what was
  // delivered; false if there is none. Stops at `budget`.
  bool HappenInSomeOrder(Time time, std::size_t* budget);
  void Accept(UserId user, const Fix& fix);
  bool IsExpected(ReportOutcome outcome, const User* user, const Fix& fix) const;
  bool MustWait(const User& user) const;
  void LinkIfOnline(const PairKey& key, Pair* pair);
  // Goes over every pair, both ways.
  void Settle(const Event& event);

  // oracle_sight.cc: what follows for one pair
  Look LookAt(const PairKey& key, Pair* pair, std::size_t side);
  // Every direction of every pair, or those in which one user looks.
  std::vector<Look> AllLooks();
  std::vector<Look> LooksOf(UserId subscriber);
  Sight SightOf(const Look& look) const;
  void SettleView(const Event& event, const Look& look);
  void SettleSeen(const Event& event, const Look& look, Sight sight);
  void SettleUnseen(const Event& event, const Look& look, Sight sight);
  static bool Concerns(const Event& event, const Look& look);
  static bool IsHere(const Look& look, const Delivery* delivery);
  // Whether an unseen friend in sight must enter with this event.
  static Duty EnterDuty(const Event& event, const Look& look);
  static std::vector<LeaveReason> ReasonsOf(const Look& look);
  void TakeEnter(const Look& look);
  void TakeMove(const Look& look);
  void TakeLeave(const Look& look);
  void TakeReset(UserId user);
  const Delivery* TakeKind(const Look& look, DeliveryKind kind);
  void CheckSighting(const Look& look, const Delivery& delivery);

  // oracle_pages.cc: answers to connects, and pages
  void CheckFirstPage(UserId user, const ConnectAnswer* answer);
  void CheckAnswer(UserId user, const ConnectAnswer& answer, std::size_t entered,
                   std::size_t in_sight, std::size_t either);
  bool MayBeHeldBack(const Look& look) const;
  void CheckEntry(UserId user, const NearbyFriend& entry);

  const User* FindUser(UserId user) const;
  static PairKey KeyOf(UserId a, UserId b) { return a < b ? PairKey(a, b) : PairKey(b, a); }
  void Complain(absl::string_view what);
  void Complain(const Look& look, absl::string_view what);

  EngineOptions options_;
  Time now_{-kMaxTimeMs};
  std::map<UserId, User> users_;
  std::map<PairKey, Pair> pairs_;

  DeliveryLedger ledger_;  // of the call under way
  std::size_t event_ = 0;
  std::vector<std::string> complaints_;
  Counts counts_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_ORACLE_H_
