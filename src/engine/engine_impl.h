#ifndef NEARBY_SRC_ENGINE_ENGINE_IMPL_H_
#define NEARBY_SRC_ENGINE_ENGINE_IMPL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nearby/engine.h"
#include "nearby/location_cache.h"
#include "nearby/radius_filter.h"
#include "nearby/subscription_registry.h"
#include "src/base/large_vector.h"
#include "src/base/slot_lines.h"
#include "src/engine/approach.h"
#include "src/engine/change_log.h"
#include "src/engine/timers.h"
#include "src/parts/due_ticks.h"
#include "src/parts/motions.h"
#include "src/parts/separations.h"
#include "src/parts/speed_bound.h"
#include "src/parts/subscription_rows.h"

namespace nearby {

// One shard's state and the rules over it. The rules are divided over files by what sets them off:
//   sessions.cc   connect, disconnect, radius
//   friend_lists.cc   friend lists that arrive
//   reports.cc    reports, time, expiry
//   groups.h      many locations at once, so that their memory is waited for together
//   sight.cc      pairs: who begins or ceases to see whom, and the deliveries that follow
//   far_pairs.cc  pairs too far apart to have met
//   friends.cc    changes of the friend graph, links between entities
//   peers.cc      messages of and to other shards
//   parking.cc    channels of remotes who are too far from everybody here
//   pages.cc      pages of nearby friends
//   check.cc      the invariants
//
// Words: an *entity* is a user with a slot: a *client* (a session here) or a *remote* (at home on
// another shard, or connected to another node, known because a client here may see them). An edge
// to a remote exists exactly while the client at its other end may see them; that client's shard
// alone decides about that direction. Between two clients an edge exists while they are friends.
class Engine::Impl {
 public:
  explicit Impl(const EngineOptions& options);

  absl::Status Advance(Time now, Effects* effects);
  Time now() const { return now_; }
  Time next_event() const;
  absl::StatusOr<ClientHandle> Connect(const ConnectRequest& request, Effects* effects);
  absl::Status FriendsLoaded(ClientHandle handle, FriendVersion version,
                             absl::Span<const FriendEntry> friends, Effects* effects);
  absl::Status Recheck(ClientHandle handle, FriendVersion version,
                       absl::Span<const FriendEntry> friends, Effects* effects);
  absl::Status Answer(ClientHandle handle, Effects* effects);
  absl::Status Disconnect(ClientHandle handle, Effects* effects);
  ReportOutcome Report(const LocationReport& report, Effects* effects);
  void ReportAll(absl::Span<const LocationReport> reports, ReportOutcome* outcomes,
                 Effects* effects);
  absl::Status Apply(const FriendshipChange& change, Effects* effects);
  absl::Status SetRadius(ClientHandle handle, double radius_m, Effects* effects);
  absl::StatusOr<NearbyPage> Nearby(ClientHandle client, PageToken after, std::size_t page_size,
                                    Effects* effects);
  std::optional<NearbyFriend> InSight(ClientHandle client, UserId friend_id) const;
  void ReceiveAll(absl::Span<const PeerMessage> messages, Effects* effects);
  bool IsSeen(UserId user) const;
  std::optional<ClientHandle> Find(UserId user) const;
  EngineStats stats() const;
  absl::Status CheckInvariants() const;

 private:
  // What an entity is to this shard.
  using Entity = internal::SlotLine::Session;

  // Somebody in the walk of pages.
  struct Sighting {
    std::int64_t distance_mm = 0;
    UserId friend_id{};
    Slot slot = kNoSlot;
  };

  // The pace of moves of one (subscriber, friend) pair in sight. It stays while a timer looks after
  // it, so that a pair that flickers has one timer, not one for each flicker.
  struct MovePace {
    Time next_allowed;
    bool withheld = false;
    bool has_timer = false;
  };

  // A report that came too soon. It stays until its timer comes, live or not, for the same reason.
  struct HeldReport {
    Position position;
    Time reported_at;
    Time due;
    bool is_live = false;
  };

  struct LinkOptions {
    bool silent_for_a = false;     // what `a` comes to see will be in an answer
    bool only_takes_away = false;  // nobody comes to see, or may see, what they did not
    bool is_new = false;           // there is no edge between the two
    std::uint32_t row_to_be = 0;   // how long the row of `a` is about to be
  };

  // Who listens to a client on other shards. Whether all of them have parked the channel, so that
  // a report need not look here, the session says.
  struct Listeners {
    std::uint64_t shards = 0;    // bit s: shard s subscribes
    std::uint64_t parked = 0;    // of these
    std::uint32_t sequence = 0;  // of the last message sent that tells where the client is
  };

  enum class LinkResult { kUnchanged, kChanged, kRefused };  // refused: a row is full

  // Why each end of a pair ceases to see the other, if it does.
  struct Reasons {
    LeaveReason for_a = LeaveReason::kNone;
    LeaveReason for_b = LeaveReason::kNone;
  };

  // --- entities (sessions.cc) ---
  Entity& entity(Slot slot) { return lines_[slot].session; }
  const Entity& entity(Slot slot) const { return lines_[slot].session; }
  bool IsClient(ClientHandle client) const {
    return lines_.Has(client.slot) && entity(client.slot).is_client &&
           entity(client.slot).generation == client.generation;
  }
  bool MayKnowRemotes() const { return options_.shard_count > 1 || options_.spans_nodes; }
  // What a call with a handle that names no session answers.
  static absl::Status NoSession();
  bool IsHome(UserId user) const { return options_.HomeOf(user) == options_.shard; }
  // The user's slot if they are a client here, or kNoSlot.
  Slot FindClient(UserId user) const;
  absl::StatusOr<Slot> NewEntity(UserId user, LocationCache::Kind kind);
  // Forgets an entity whose row is empty.
  void ReleaseEntity(Slot slot);
  void EndSession(Slot client, Effects* effects);
  double radius_m(Slot client) const {
    return entity(client).has_radius ? OwnRadius(client) : options_.radius_m;
  }
  double OwnRadius(Slot client) const;
  void WriteRadius(Slot client, double radius_m, Effects* effects);

  // --- friend lists (friend_lists.cc) ---
  absl::Status CheckList(Slot client, FriendVersion version,
                         absl::Span<const FriendEntry> friends) const;
  // `friends` ascend, each once.
  void InstallFriends(Slot client, FriendVersion version, absl::Span<const FriendEntry> friends,
                      Effects* effects);
  // Looks all of them up: their slots, in found_, and how many have one.
  std::size_t FindFriends(absl::Span<const FriendEntry> friends);
  // Asks the processor for what linking the client to those in found_ will touch; says how many
  // they are.
  std::size_t PrefetchFound() const;
  // On which shard each is at home, in homes_.
  void FindHomes(absl::Span<const FriendEntry> friends);
  struct Whereabouts {
    Slot slot = kNoSlot;  // kNoSlot: not known here
    ShardId home{};
  };
  // Brings the pair of the client and a friend, who is there, to what a list or a newer change says
  // (seen from the client).
  void InstallFriend(Slot client, Whereabouts whereabouts, FriendshipChange pair, LinkOptions link,
                     Effects* effects);
  // Whether a friend who is a client here has brought newer word about the two of them.
  bool KnowsBetter(Slot friend_slot, FriendVersion version) const {
    return entity(friend_slot).has_friends && entity(friend_slot).list_version > version;
  }
  // Whether what the client's edge says is not what the friendship says.
  bool IsOtherwise(Slot client, Edge edge, const Friendship& friendship) const;
  void DropUnlisted(Slot client, absl::Span<const FriendEntry> friends,
                    absl::Span<const FriendshipChange> newer, Effects* effects);

  // --- reports and time (reports.cc) ---
  void SetNow(Time now);
  ReportOutcome Judge(const LocationReport& report) const;
  bool MustWait(Slot client) const;
  void Hold(Slot client, Position position, Time reported_at);
  void Accept(Slot client, Position position, Time reported_at, Effects* effects);
  void Expire(Slot slot, Effects* effects);
  void ExpireUntil(Time until, Effects* effects);
  // Carries out one timer or idle channel due at or before `until`; false if there is none.
  bool FireNext(Time until, Effects* effects);
  void CancelHeldReport(Slot client);
  void ReleaseHeldReport(Slot client, Effects* effects);

  // --- many locations at once (groups.h, groups.cc) ---
  // Those whose memory is asked for together: enough to keep the memory busy, few enough that what
  // was asked for is still cached when it is read. Fewer where all their neighbours are looked at.
  std::size_t GroupSize() const { return options_.skip_far_pairs ? 16 : 8; }
  // Of one row's neighbours; Walk asks for the others of a long row.
  static constexpr std::size_t kMaxPrefetched = 64;
  template <typename SlotOf, typename WillWalk, typename Handle>
  void InGroups(std::size_t count, SlotOf slot_of, WillWalk will_walk, Handle handle);
  // What a location reads before it looks at its neighbours, but for the line of its slot.
  void PrefetchRow(Slot slot) const;
  // Finds out which edges of the row are due, all if none is ever passed by, and asks for the lines
  // of these neighbours.
  void PrefetchNeighbours(Slot slot);

  // --- pairs (sight.cc) ---
  // Settles both directions of every pair of an entity that has just reported, but for those that
  // cannot have met since they were last looked at.
  void Walk(Slot mover, Effects* effects);
  // The edges of the mover's row to look at: their numbers, ascending.
  absl::Span<const std::uint32_t> SelectToSettle(Slot mover, RowView row);
  // What a viewer who goes on seeing the mover is told, but for what is the viewer's own.
  Delivery MoveOf(Slot mover) const;
  // `apart` is the separation of the pair.
  void SettleMoved(Slot mover, Edge& edge, const Separation& apart, Effects* effects);
  // Delivers what a move made of a view, where the owner has moved or the view has changed.
  void Tell(Slot viewer, Slot owner, bool saw, bool sees, const Separation& apart,
            Effects* effects);
  // Settles whether `viewer` sees the neighbour of this edge in its row, after anything but a move.
  void SettleView(Slot viewer, Edge& edge, LeaveReason reason, Effects* effects);
  void SettleView(Slot viewer, Edge& edge, const Separation& apart, LeaveReason reason,
                  Effects* effects);
  // Settles whether the neighbour of this edge sees `owner`, in whose row it stands.
  void SettleViewOf(Slot owner, Edge& edge, LeaveReason reason, Effects* effects);
  void SettleViewOf(Slot owner, Edge& edge, const Separation& apart, LeaveReason reason,
                    Effects* effects);
  // Whether a client may be told anything yet: only once its connect has been answered.
  bool IsReady(Slot client) const { return entity(client).is_answered; }
  Separation Between(Slot a, Slot b) const {
    return Separation::Between(cache_.position(a), cache_.position(b));
  }
  // Whether the viewer's radius reaches so far; `sees_now` selects the leave radius.
  bool Reaches(Slot viewer, const Separation& apart, bool viewer_has_radius, bool sees_now) const;
  // Sets or clears flags on both edges of a pair; `edge` is the one in `row`'s row.
  void SetBoth(Slot row, Edge& edge, EdgeFlags flags);
  void ClearBoth(Slot row, Edge& edge, EdgeFlags flags);
  // Ends seeing without a word: the viewer was told otherwise, or is gone.
  void ForgetView(Slot viewer, Edge& edge);
  // Of its moves none is withheld any more.
  void ForgetPace(Slot viewer, Slot owner);
  void Enter(Slot viewer, Slot owner, std::int64_t distance_mm, Effects* effects);
  void Move(Slot viewer, Slot owner, std::int64_t distance_mm, Effects* effects);
  void Leave(Slot viewer, Slot owner, LeaveReason reason, std::int64_t distance_mm,
             Effects* effects);
  void Reset(Slot client, Effects* effects);
  void SendWithheldMove(Slot viewer, Slot owner, Effects* effects);
  void DeliverSight(DeliveryKind kind, Slot viewer, Slot owner, std::int64_t distance_mm,
                    Effects* effects);

  // --- far pairs (far_pairs.cc) ---
  // Lines of 64 bytes that hold an ordinary row; the processor's own prefetcher follows a longer
  // one.
  static constexpr std::size_t kRowLines = 4;

  // The tick beside an edge says when the owner of the row has to look at it next. It says nothing
  // about the other end's row, whose edge has its own.
  //
  // Writes an entity's location, and makes due what it leaves without ground.
  LocationCache::Motion Relocate(Slot slot, const LocationCache::Record& record, Effects* effects);
  // Whether ticks say which pairs to look at when this entity moves. Where nothing is known of its
  // speed they could not spare any, and a look at all positions is cheaper than at each pair.
  bool UsesTicks(Slot mover) const {
    return options_.skip_far_pairs && SpeedBound::IsBounded(motions_.speed_class(mover));
  }
  // How soon the entity can come within sight of the neighbours in its row.
  internal::Approach ApproachOf(Slot slot) const { return {motions_, now_, slot, radius_m(slot)}; }
  // For the pair of this edge in the row of the entity that approaches.
  std::uint8_t NotBefore(const internal::Approach& approach, Edge edge,
                         const Separation& apart) const {
    if ((edge.flags() & (kISee | kFriendSees)) != 0) return now_tick_;
    return approach.NotBefore(edge.neighbour(), RadiusOfNeighbour(edge), apart);
  }
  // How soon the two of an edge in the approaching entity's row can meet: judged by the chord,
  // which no way within their bounds can make earlier. Requires that both are somewhere.
  double MillisecondsToMeet(const internal::Approach& approach, Slot owner, Edge edge) const {
    return approach.MillisecondsToMeet(edge.neighbour(), RadiusOfNeighbour(edge),
                                       Between(owner, edge.neighbour()));
  }
  double RadiusOfNeighbour(Edge edge) const {
    return edge.has(kFriendHasRadius) ? radius_m(edge.neighbour()) : options_.radius_m;
  }
  void TicksVoided() {
    ++ticks_voided_;
    known_due_.reset();
  }
  void MakeRowDue(Slot slot);
  // The same for what the others say about the slot in their rows.
  void MakeDueForOthers(Slot slot, Effects* effects);

  // Appends one with what all kinds have in common.
  Delivery& AddDelivery(Slot viewer, UserId friend_id, DeliveryKind kind, Effects* effects) const;
  static std::uint64_t PairKey(Slot viewer, Slot owner) {
    return std::uint64_t{ToInt(viewer)} << 32 | ToInt(owner);
  }

  // --- friendships (friends.cc) ---
  absl::Status CheckPair(const FriendshipChange& change) const;
  absl::Status ApplyTooOld(const FriendshipChange& change, Effects* effects);
  bool ListsCover(const FriendshipChange& change) const;
  void RequestFriendsOf(const FriendshipChange& change, Effects* effects);
  // Brings the pair to what the change says, as far as this shard is concerned. This and what it
  // rests on say whether anything changed.
  bool SettlePair(const FriendshipChange& change, LinkOptions link, Effects* effects);
  // The same for two clients here, and for a client here and a user at home elsewhere who is known
  // here; the friendship is seen from the first.
  bool SettleClients(Slot a, Slot b, const Friendship& friendship, LinkOptions link,
                     Effects* effects);
  bool SettleRemote(Slot client, UserId remote, const Friendship& friendship, LinkOptions link,
                    Effects* effects);
  // Why seeing ends when the friendship (seen from a) forbids it.
  static Reasons ReasonsFor(const Friendship& friendship);
  EdgeFlags FlagsFor(Slot a, Slot b, const Friendship& friendship) const;
  // Makes the edge between two entities what the friendship (seen from a) says, and settles it.
  LinkResult LinkPair(Slot a, Slot b, const Friendship& friendship, LinkOptions link,
                      Effects* effects);
  bool UnlinkPair(Slot a, Slot b, Reasons reasons, Effects* effects);
  // Empties an entity's row; the neighbours that saw it are told why.
  void UnlinkAll(Slot slot, LeaveReason reason, Effects* effects);
  void DropRemote(Slot remote, LeaveReason reason, Effects* effects);

  // --- other shards (peers.cc) ---
  void Receive(const PeerMessage& message, Effects* effects);
  // Looks for those whom messages concern that make and end pairs, so that handling these does not
  // wait for memory.
  void PrefetchClients(absl::Span<const PeerMessage> messages);
  // Messages none of which makes or ends a pair.
  void ReceiveLocations(absl::Span<const PeerMessage> messages, Effects* effects);
  static PeerMessage About(UserId user, PeerMessage::Kind kind);
  void Send(PeerMessage message, ShardId to, Effects* effects);
  void Announce(PeerMessage::Kind kind, const FriendshipChange& pair, ShardId to, Effects* effects);
  // Where somebody is who is not a client here.
  ShardId HomeOfOther(UserId user) const { return WhereIfOther(options_.HomeOf(user)); }
  ShardId WhereIfOther(ShardId home) const {
    return home == options_.shard ? options_.elsewhere() : home;
  }
  bool IsElsewhere(ShardId shard) const {
    return options_.spans_nodes && shard == options_.elsewhere();
  }
  // Whether what that shard says of where this user is can be true.
  bool SpeaksFor(ShardId shard, UserId user) const {
    return IsElsewhere(shard) || options_.HomeOf(user) == shard;
  }
  // The entity of a user at home on that shard, made if there is none; or kNoSlot.
  Slot MakeRemote(UserId user, ShardId home, Effects* effects);
  // Announces to other nodes all clients here who are friends of one who is about to leave.
  void AnnounceFriendsOf(Slot leaving, Effects* effects);
  void LinkRemote(Slot client, UserId remote, ShardId home, const Friendship& friendship,
                  Effects* effects);
  void SubscribeIfFirst(Slot remote, Effects* effects);
  // To each of these shards.
  void SendToAll(std::uint64_t shards, const PeerMessage& message, Effects* effects);
  PeerMessage LocationMessage(Slot client, PeerMessage::Kind kind) const;
  bool ReceiveAnnouncement(const PeerMessage& message, Effects* effects);
  // Asks the host for a client's friends.
  void RequestFriends(Slot client, Effects* effects);
  bool ReceiveSubscribe(const PeerMessage& message, Effects* effects);
  bool ReceiveUnsubscribe(const PeerMessage& message);
  bool ReceiveLocation(const PeerMessage& message, Effects* effects);
  bool ReceiveOffline(const PeerMessage& message, Effects* effects);
  bool ReceivePark(const PeerMessage& message);
  Slot FindRemote(UserId user) const;
  ShardId HomeOfRemote(Slot remote) const { return ShardId{entity(remote).home_shard}; }
  void DropIdleChannel(Slot remote, Effects* effects);

  // --- far channels (parking.cc) ---
  //
  // While nobody here can see a remote before some tick, wherever they go at their speed, this
  // shard need not know where they are. It says so to their own, which sends no locations until
  // that tick or until they go faster. As what is held is old meanwhile, nothing is settled by it:
  // when a tick comes due all the same, because somebody here moved towards them, the present
  // location is asked for, and settles it when it comes.
  //
  // Messages cross, and both sides must be of one mind at the end. So each message that tells where
  // a client is has a number that no other has, and the home shard parks only if the one that the
  // request rests on is still the last about the client. Whatever this shard hears of the remote
  // after that request was sent either before the home shard had it, which then refuses, or after
  // the home shard had ended the park.

  // For other nodes, and the location store.
  std::uint32_t SpeedBoundToTell(Slot client) const;
  // As messages bear it. All shards round alike, so it is compared with nothing else.
  float SpeedBoundOf(Slot slot) const { return static_cast<float>(cache_.speed_bound(slot)); }
  bool IsParked(Slot slot) const { return entity(slot).is_parked; }
  // As precise as reports are frequent, half a minute, and reaching more than an hour.
  using ParkTicks = ByteTicks<15>;
  // For how long a remote cannot come within sight of anybody here; 0 if that is too short to pay.
  std::int64_t FarForMs(Slot remote) const;
  // Parks the channel of a remote whose location has just come, if it pays.
  void ParkIfFar(Slot remote, const PeerMessage& location, Effects* effects);
  // Before which tick the pair of this edge of a client's row, to a parked remote, need not be
  // looked at. If that is now, the remote's location is asked for.
  std::uint8_t NotBeforeOfParked(const internal::Approach& approach, Edge edge,
                                 const Separation& apart, Effects* effects);
  // A pair with a parked remote is new, or what was said of it has lost its ground: says anew in
  // the remote's row what is true, and asks for the location if the remote could come near while
  // parked.
  void Reconsider(Slot client, Edge edge, Effects* effects);
  // The same for all parked remotes in the client's row.
  void ReconsiderAll(Slot client, Effects* effects);
  void AskFor(Slot remote, Effects* effects);
  // A client's location to the shards that listen, but for those that need not know of it; the one
  // before, if it has not expired, was accepted `silence_ms` ago.
  void PublishLocation(Slot client, LocationCache::Motion motion, std::int64_t silence_ms,
                       Effects* effects);
  void SetListeners(Slot client, std::uint64_t shards, std::uint64_t parked);

  // --- pages (pages.cc) ---
  // Fills in_sight_ with the friends that the client sees, nearest first.
  void CollectInSight(Slot client);
  // Friends on a page that had not entered yet enter now.
  void EnterIfNew(Slot client, Slot friend_slot, Effects* effects);
  void AnswerConnect(Slot client, Effects* effects);
  NearbyFriend Describe(const Sighting& sighting) const;

  // --- checks (check.cc) ---
  absl::Status CheckEntity(Slot slot) const;
  absl::Status CheckParked(Slot slot) const;
  absl::Status CheckEdge(Slot slot, Edge edge) const;
  absl::Status CheckTick(Slot slot, Edge edge, std::uint8_t tick) const;

  const EngineOptions options_;
  const RadiusLimit enter_limit_;  // of subscribers without a radius of their own
  const RadiusLimit leave_limit_;
  const std::int64_t max_future_skew_ms_;
  const std::int64_t min_move_interval_ms_;
  const std::int64_t min_report_interval_ms_;

  Time now_{-kMaxTimeMs};
  std::uint8_t now_tick_ = 0;  // of now_
  LocationCache cache_;
  internal::SlotLines& lines_;  // the cache's
  SubscriptionRegistry registry_;
  SubscriptionRegistry::Rows& rows_;       // the registry's
  const LocationCache::Motions& motions_;  // the cache's
  // Of clients with a radius of their own.
  absl::flat_hash_map<Slot, double> radii_;
  // By slot, of clients. Empty if there is one shard.
  internal::LargeVector<Listeners> listeners_;
  // Of messages that tell where a client is, whoever it is and in whatever session.
  std::uint32_t last_sequence_ = 0;
  internal::ChangeLog changes_;
  internal::Timers timers_;
  // Only while min_move_interval is in use: pairs in sight, or lately.
  absl::flat_hash_map<std::uint64_t, MovePace> move_paces_;
  // Only while min_report_interval is in use: clients with a report held back, or lately.
  absl::flat_hash_map<std::uint32_t, HeldReport> held_reports_;
  EngineStats stats_;

  std::vector<std::uint32_t> selected_;  // scratch of Walk

  // Scratch of InGroups: for each location of a group a range of due_numbers_, the edges that were
  // due when the memory of the group was asked for. Where every pair is checked there are no such
  // numbers, and it is the range of edges of the row whose neighbours have been asked for.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t size() const { return end - begin; }
  };
  std::vector<std::uint32_t> due_numbers_;
  std::size_t due_numbers_used_ = 0;
  std::vector<std::optional<Range>> found_due_;  // none of those that will not be accepted
  // That of the location being handled, if it holds.
  std::optional<Range> known_due_;
  std::uint32_t ticks_voided_ = 0;  // how often ticks have been

  std::vector<UserId> users_;       // scratch of InstallFriends and of messages
  std::vector<Slot> found_;         // the same
  std::vector<ShardId> homes_;      // scratch of InstallFriends
  std::vector<Slot> remotes_;       // scratch of UnlinkAll
  std::vector<Sighting> in_sight_;  // scratch of pages
};

}  // namespace nearby

#endif  // NEARBY_SRC_ENGINE_ENGINE_IMPL_H_
