#ifndef NEARBY_ENGINE_H_
#define NEARBY_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/export.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/stats.h"
#include "nearby/time.h"

namespace nearby {

/// A client's report, by handle: the path that needs no hash look-up.
struct LocationReport {
  ClientHandle client;
  LatLng location;
  Time reported_at;  ///< Client time.
};

/// What became of a report. Anything but kAccepted and kConflated changed nothing.
enum class ReportOutcome : std::uint8_t {
  kAccepted,
  kConflated,  ///< Too soon after the last; the newest of these is applied when its time comes.
  kStale,      ///< Older, by client time, than the newest report of this user.
  kFuture,     ///< Dated farther ahead than max_future_skew.
  kInvalidLocation,  ///< Not finite, or out of range.
  kInvalidTime,      ///< Beyond kMaxTimeMs.
  kUnknownClient,    ///< No such session, or one that has ended.
};

/// Ok for kAccepted and kConflated, otherwise a status that says what is wrong.
NEARBY_API absl::Status ToStatus(ReportOutcome outcome);

struct ConnectRequest {
  UserId user{};
  /// Whatever the host wants back with every delivery: a connection's number, a pointer.
  std::uint64_t cookie = 0;
  /// The subscriber's own radius; the engine's default if absent.
  std::optional<double> radius_m = std::nullopt;
};

/// A friend in sight, as a page lists them.
struct NearbyFriend {
  UserId friend_id{};
  Position position;
  std::int64_t distance_mm = 0;
  Time reported_at;
};

struct NearbyPage {
  std::vector<NearbyFriend> friends;  ///< Nearest first; equal distances by ascending id.
  std::size_t in_sight = 0;           ///< Friends in sight in all.
  std::optional<PageToken> next;      ///< Present if there are more.
};

/// One shard of "nearby friends": events and a time in, effects out. It sees which friends are
/// within sight of each other, and says so to those who may know.
///
///   std::unique_ptr<Engine> engine = Engine::Create(EngineOptions()).value();
///   Effects effects;
///   absl::Status status = engine->Advance(now, &effects);
///   ClientHandle alice = engine->Connect({UserId{1}, /*cookie=*/77}, &effects).value();
///   status.Update(engine->FriendsLoaded(alice, version, friends_of_alice, &effects));
///   ReportOutcome outcome = engine->Report({alice, {48.137, 11.575}, reported_at}, &effects);
///   for (const Delivery& delivery : effects.deliveries) Send(delivery);
///
/// The engine is a state machine. It reads no clock, starts no thread, draws no random number and
/// does no I/O: the same options and the same calls in the same order give byte-identical effects.
///
/// Every call happens at the time of the last Advance. A call that fails changes nothing, but for
/// what Apply takes away, and its status says what was wrong. No call throws or aborts on bad
/// input.
///
/// Thread-compatible: one caller at a time.
/// Ownership: owns all its state; borrows nothing beyond a call.
/// Cost: a report is one pass over the row of the user's online friends, without allocation once
/// tables have reached their size; about 300 bytes a user with 40 friends online.
class NEARBY_API Engine {
 public:
  /// `InvalidArgument` for options that Validate refuses.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Moves time on: expiries, withheld moves and conflated reports due by `now` happen, each at its
  /// own time, in order. Call it at least every second, and before each batch of other calls.
  /// `InvalidArgument` if `now` is out of range or earlier than before.
  absl::Status Advance(Time now, Effects* effects);
  Time now() const;
  /// Advance to any time before this one does nothing. A lower bound: early where a
  /// location that was due to expire then has been renewed. kNever if nothing is pending.
  Time next_event() const;

  /// Begins a session and asks for the user's friends (`Effects::friend_requests`). Until they have
  /// been loaded the client is told nothing. A second connect of the same user replaces the first
  /// session; the user's location, and what friends see of it, stay.
  /// `InvalidArgument`: an invalid radius, or a user who is not at home here.
  /// `ResourceExhausted`: the shard is full.
  absl::StatusOr<ClientHandle> Connect(const ConnectRequest& request, Effects* effects);

  /// Installs the friends that a connect asked for, or a fresh copy at any later time, and answers
  /// the connect. Changes that were applied with a version above `version` stand, whatever the list
  /// says. An id listed twice counts as its last entry. `NotFound`: the session has ended.
  /// `InvalidArgument`: the user is on their own list. `ResourceExhausted`: more than max_friends
  /// entries. `FailedPrecondition`: the list is older than one that this session has loaded, or
  /// than changes that had to be forgotten; load it again.
  absl::Status FriendsLoaded(ClientHandle client, FriendVersion version,
                             absl::Span<const FriendEntry> friends, Effects* effects);

  /// The same for a list that was loaded again without a reason, to find out whether the store was
  /// changed and nobody said so: where the list and what is in force here differ for a friend who
  /// is online, the list is applied as a change of that version. It asks for nobody and announces
  /// nobody, so a friendship that is new to this shard waits for the next connect of either.
  /// `FailedPrecondition` as well for a client whose friends have not been loaded yet.
  absl::Status Recheck(ClientHandle client, FriendVersion version,
                       absl::Span<const FriendEntry> friends, Effects* effects);

  /// Answers a connect that EngineOptions::hold_connect_answers held back; until then the client is
  /// told nothing. `NotFound`: the session has ended. `FailedPrecondition`: its friends have not
  /// been loaded, or it has been answered.
  absl::Status Answer(ClientHandle client, Effects* effects);

  /// Ends a session. Friends who saw the user are told `leave{offline}`; the client is told
  /// nothing. `NotFound`: it has ended already.
  absl::Status Disconnect(ClientHandle client, Effects* effects);

  /// Applies a report.
  ReportOutcome Report(const LocationReport& report, Effects* effects);
  /// Applies reports in order; `outcomes`, if not null, receives one outcome each.
  void ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                 Effects* effects);

  /// Applies a change of the friend graph: befriend, unfriend, hide, share, subscribe, unsubscribe.
  /// To be called on the home shards of both users, whether or not they are online. A change with a
  /// version not above that of the pair's last is a repetition and is ignored.
  /// `InvalidArgument`: a user with themselves, or neither at home here.
  /// `FailedPrecondition`: the change is not newer than changes that had to be forgotten, so that
  /// it cannot be judged: what it takes away is taken, and for the rest the friends of those of the
  /// two who are connected are asked for again.
  ///
  /// `ResourceExhausted`: a row is full. The change is remembered, and what it takes away is taken,
  /// but the two are not linked until one of them connects again; a friend store that keeps to
  /// max_friends never meets this.
  absl::Status Apply(const FriendshipChange& change, Effects* effects);

  /// Changes a subscriber's radius. `NotFound`; `InvalidArgument`.
  absl::Status SetRadius(ClientHandle client, double radius_m, Effects* effects);

  /// The friends whom the client sees (nobody until its friends are loaded), nearest first,
  /// `page_size` of them from behind `after` on. Whoever is listed and had not entered yet (see
  /// connect_page_size) enters now, as a delivery. O(friends online). `NotFound`; `InvalidArgument`
  /// for a page size of 0 or above max_page_size.
  absl::StatusOr<NearbyPage> Nearby(ClientHandle client, PageToken after, std::size_t page_size,
                                    Effects* effects);

  /// One friend, if the client sees them now and has been told so. O(friends online).
  std::optional<NearbyFriend> InSight(ClientHandle client, UserId friend_id) const;

  /// Whether any client here sees the user now. O(friends online).
  bool IsSeen(UserId user) const;

  /// Takes messages of other shards, which must not lie in `effects`. Those that cannot be for this
  /// shard are dropped and counted.
  void Receive(absl::Span<const PeerMessage> messages, Effects* effects);

  /// The user's session here, if there is one. One hash look-up.
  std::optional<ClientHandle> Find(UserId user) const;

  EngineStats stats() const;

  /// Checks the invariants that hold between calls over all tables: `Internal` naming the first
  /// that does not. For tests and for debugging; a pass over everything.
  absl::Status CheckInvariants() const;

 private:
  class NEARBY_LOCAL Impl;
  NEARBY_LOCAL explicit Engine(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_ENGINE_H_
