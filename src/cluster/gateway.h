#ifndef NEARBY_SRC_CLUSTER_GATEWAY_H_
#define NEARBY_SRC_CLUSTER_GATEWAY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nearby/cluster_options.h"
#include "nearby/cluster_stats.h"
#include "nearby/internal/other_nodes.h"
#include "nearby/node_batch.h"
#include "nearby/node_codec.h"
#include "nearby/options.h"
#include "nearby/ring_source.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "src/cluster/channels.h"
#include "src/cluster/lease_state.h"
#include "src/cluster/looks.h"
#include "src/cluster/office.h"
#include "src/cluster/outside.h"
#include "src/cluster/user_queries.h"

namespace nearby::internal {

// The other nodes, as one shard sees them: speaks for the users at home on this shard who are not
// connected to this node. To the engines it is the shard elsewhere; to other nodes it is this
// shard. The rules are divided over files by what sets them off:
//   gateway.cc           time, leases, and what is common
//   gateway_sessions.cc  clients of this shard: claims, releases, what they publish
//   gateway_engines.cc   messages of engines
//   gateway_nodes.cc     payloads and letters of other nodes
//   gateway_guests.cc    what is known of users elsewhere, and when to ask about them
//
// Words: a *local* is a user with a session here, a *guest* one with a session elsewhere whom an
// engine here wants to hear about.
//
// Thread-compatible, but for stats: belongs to the thread that polls the shard.
class Gateway : public NodeGateway {
 public:
  // `office` is driven along, if there is one.
  Gateway(const ClusterOptions& options, const EngineOptions& engine, ShardId shard,
          Services services, Outside outside, const LeaseState* lease_state, Office* office);

  // --- for the shard ---
  void Advance(Time now, std::int64_t steady_ms) override;
  void Take(const PeerMessage& message) override;
  void Claim(UserId user, Time deadline, ClaimDone done) override;
  void Begin(UserId user, Epoch session) override;
  void End(UserId user, Epoch session) override;
  void Located(AcceptedLocation* location) override;
  void Flush() override;
  bool may_deliver() const override;
  Time next_event() const override;

  // --- for the office ---
  void BeginLease(const NodeLease& lease);
  // A letter about `event.user`, who is at home on this shard.
  void OnLetter(const NodeLease& from, const NodeEvent& event);
  void WantInbox();
  void ReloadList(UserId user) { services_.reload(user); }

  // --- what comes in ---
  void SetRing(RingSource::Ring ring) { channels_.SetRing(std::move(ring)); }
  void OnPayload(absl::string_view server, Channel channel, absl::string_view payload);
  void OnLinkLost(absl::string_view server);
  void OnSubscribed(std::uint64_t number, const absl::Status& status);
  void OnLookedUp(std::uint64_t number,
                  absl::StatusOr<std::vector<std::vector<SessionHolder>>> answer);
  void OnRead(std::uint64_t number,
              absl::StatusOr<std::vector<std::optional<AcceptedLocation>>> answer);
  void OnClaimed(std::uint64_t number,
                 absl::StatusOr<std::vector<SessionDirectory::Claimed>> answer);
  void OnReleased(std::uint64_t number, const absl::Status& status);
  void OnEnded(std::uint64_t number, const absl::StatusOr<std::vector<NodeLease>>& ended);

  // Thread-safe.
  ClusterStats stats() const;

 private:
  struct Guest {
    NodeLease lease;              // where they are
    Epoch session{};              // theirs
    std::uint64_t sequence = 0;   // of the last batch on their channel from there
    std::uint32_t jumps = 0;      // of the session, that have been heard of
    std::uint64_t asked_in = 0;   // an answer of the directory no newer than that says nothing
    std::uint64_t listeners = 0;  // bit s: the engine of shard s
    std::uint64_t parked = 0;     // of these
    std::uint64_t waiting = 0;    // of these: have asked where they are
    Time parked_until;
    Time heard;                  // last, or asked about
    Time look_at = kNever;       // when to look whether something is to be done
    Time idle_since;             // while nobody listens
    Time settle_at;              // while refreshing
    std::uint32_t told = 0;      // the number of the last message that told where they are
    bool is_refreshing = false;  // all parks have ended: they may be renewed once it is known where
                                 // they are
    bool has_location = false;
    Position position;
    Time accepted_at;
    Time reported_at{-kMaxTimeMs};
    std::uint32_t speed_bound_mm_s = AcceptedLocation::kUnknownSpeed;  // their node's, as of then
    Epoch located_in{};  // the session of the location; as the times, also of one of the past
  };

  // What was known of a guest or a local who is neither any more, for letters and stores that are
  // behind.
  struct Past {
    Epoch ended{};       // that session is over, and so those before it should be
    Epoch located_in{};  // as of Guest
    Time accepted_at;
    Time reported_at{-kMaxTimeMs};  // the latest of all sessions
    Time until;                     // when to forget it
  };

  struct Local {
    Epoch session{};
    AcceptedLocation location;  // if it is of this session
    std::uint32_t jumps = 0;    // of this session
    // Where they have been announced in this session: of each node the last life.
    std::vector<NodeLease> known_to;
  };

  // A client here who wants to know whether a user is elsewhere.
  struct Question {
    PeerMessage announcement;
    std::uint64_t after = 0;  // an answer of the directory no newer than that is too old
  };

  struct WaitingClaim {
    UserId user{};
    Time deadline = kNever;
    ClaimDone done;  // null: only to find out what is to be released
  };

  bool has_lease() const { return lease_.life != Epoch{}; }
  void LoseLease();
  ShardId HomeOf(UserId user) const { return engine_.HomeOf(user); }
  // A message from elsewhere about a user.
  PeerMessage About(UserId user, PeerMessage::Kind kind, ShardId to) const;
  void PublishStats();

  // --- sessions (gateway_sessions.cc) ---
  // Has those claimed anew whose claims may have been carried out, to be released.
  void ClaimUnknown();
  void BeginClaims();
  void FailClaims(const absl::Status& status);
  void TimeOutClaims();
  void OnClaimedLate(std::uint64_t number);
  void BeginReleases();
  void Publish(const NodeEvent& event);
  // Where they are; requires that they have said it in this session.
  static NodeEvent LocationEvent(const Local& local);
  // Whether somebody who is parked elsewhere may have come nearer than is believed there, by two of
  // their locations in a row.
  bool IsJump(const AcceptedLocation& from, const AcceptedLocation& to) const;
  static AcceptedLocation LocationOf(const NodeEvent& event);

  // --- engines (gateway_engines.cc) ---
  void TakeAnnouncement(const PeerMessage& message);
  void TakeSubscribe(const PeerMessage& message);
  void TakeUnsubscribe(const PeerMessage& message);
  void TakePark(const PeerMessage& message);
  // Unsubscribes from the channel where all who listen have parked the guest.
  void LeaveIfParked(UserId user, Guest* guest);
  // Sends the announcement to the node where the one it is for has been found.
  void Forward(const PeerMessage& announcement, const SessionHolder& to);
  static void NoteKnown(std::vector<NodeLease>* known_to, const NodeLease& lease);

  // --- nodes (gateway_nodes.cc) ---
  void OnAnnounced(const NodeLease& from, const NodeEvent& event);
  void OnTaken(const NodeEvent& event);
  // Where somebody is who has just been announced, or has jumped.
  void OnLocated(const NodeEvent& event);
  void OnChannelEvent(const NodeBatch& batch, const NodeEvent& event);
  // Whether the guest has, or now is given, that session; false if it has a newer one.
  bool Follow(UserId user, Guest* guest, const NodeLease& lease, Epoch session);
  // Whether it is a jump not heard of, in the millisecond of the last that was: it came later.
  static bool JumpsWithinInstant(const Guest& guest, const NodeEvent& event);
  // Ends their parks if the event says that they have jumped since these were granted; whose it
  // were.
  std::uint64_t HearOfJumps(Guest* guest, const NodeEvent& event);

  // --- guests (gateway_guests.cc) ---
  Guest* FindGuest(UserId user);
  void SetLease(Guest* guest, const NodeLease& lease);
  void LeaveLease(const Guest& guest);
  void Locate(Guest* guest, const AcceptedLocation& location);
  // Tells these shards where the guest is.
  void Tell(UserId user, Guest* guest, std::uint64_t shards, PeerMessage::Kind kind);
  // Forgets a guest, and tells the listeners, if there are any, that they have gone.
  void Drop(UserId user);
  // The same, and what is announced of that session later is not believed.
  void DropEnded(UserId user, Epoch session);
  void Remember(UserId user, const Past& past);
  void ForgetPasts();
  // Whether a later session of theirs has been heard of, so that this one may be over: until the
  // directory has said that it is not, nothing of it is believed.
  static bool IsInDoubt(const Guest& guest) { return guest.located_in > guest.session; }
  // Whether a location is later than all that has been heard of the guest.
  static bool IsNewer(const Guest& guest, Epoch session, Time accepted_at);
  // The same of what may have waited for long, in a letter or the store: a session that was taken
  // may have reported for longer than the one that took it. (A phone whose clock was put back is
  // believed when it reports.)
  static bool IsNewerByAnyClock(const Guest& guest, const AcceptedLocation& location);
  void LookAgain(UserId user, Guest* guest, Time at);
  void LookAtGuests();
  void LookAt(UserId user, Guest* guest);
  void Probe(UserId user, Guest* guest);
  // How long after the end of all parks the channel is left alone: until the guest has been found,
  // and then until engines that still find nobody near have parked it again.
  static constexpr std::int64_t kFindWithinMs = 2000;
  static constexpr std::int64_t kParkAgainWithinMs = 500;
  // Ends their parks: those listeners, which are returned, wait to be told where they are. If
  // nobody listened, the channel is subscribed to after `within_ms`, unless they have been parked
  // again.
  std::uint64_t EndParks(UserId user, Guest* guest, std::int64_t within_ms);
  void FindAgain(UserId user, Guest* guest);
  void EndRefresh(UserId user, Guest* guest);
  void JudgeGuest(UserId user, std::uint64_t number, const std::vector<SessionHolder>& holders);
  void OnLocationRead(UserId user, const std::optional<AcceptedLocation>& found);
  void AskDirectory(UserId user);
  void AskStore(UserId user);
  void BeginQueries();
  void FindEndedLeases();

  const ClusterOptions& options_;
  const EngineOptions& engine_;
  const Services services_;
  const Outside outside_;
  const LeaseState& lease_state_;
  Office* const office_;
  const std::int64_t ttl_ms_;

  Time now_{-kMaxTimeMs};
  std::int64_t steady_ms_ = 0;
  NodeLease lease_;
  absl::flat_hash_map<UserId, Local> locals_;
  std::deque<WaitingClaim> claims_;
  Time claims_due_ = kNever;            // none of them has an earlier deadline
  std::vector<WaitingClaim> claiming_;  // the batch under way
  std::uint64_t claim_number_ = 0;
  Time claim_timeout_ = kNever;
  absl::btree_map<std::uint64_t, std::vector<UserId>> late_claims_;  // by number
  absl::btree_set<UserId> unknown_claims_;  // that may have been carried out, for all one knows
  Time unknown_retry_{-kMaxTimeMs};
  std::uint32_t claim_failures_ = 0;
  Backoff claim_backoff_;
  std::deque<SessionDirectory::Session> releases_;
  std::vector<SessionDirectory::Session> releasing_;
  std::uint64_t release_number_ = 0;
  Time release_timeout_ = kNever;
  Time release_retry_{-kMaxTimeMs};
  std::uint32_t release_failures_ = 0;
  Backoff release_backoff_;

  Channels channels_;
  absl::flat_hash_map<UserId, Guest> guests_;
  absl::btree_map<NodeLease, std::size_t> guest_leases_;  // and how many guests are there
  absl::flat_hash_map<UserId, Past> pasts_;
  std::deque<std::pair<Time, UserId>> pasts_until_;
  absl::btree_set<NodeLease> written_to_;  // of jumps, since it was last asked who has ended
  absl::btree_map<UserId, std::vector<Question>> questions_;  // by whom they are about
  absl::btree_set<UserId> to_reload_;  // clients whose questions found no room
  UserQueries lookups_;
  UserQueries reads_;
  Looks looks_;
  Time find_ended_at_ = kNever;
  std::uint64_t ended_number_ = 0;

  std::uint64_t next_sequence_ = 1;  // of batches on channels of users
  std::uint32_t last_told_ = 0;
  NodeEncoder encoder_;
  NodeDecoder decoder_;
  NodeBatch outgoing_;
  NodeBatch incoming_;
  std::string payload_;

  ClusterStats counts_;
  mutable std::mutex stats_mutex_;
  ClusterStats published_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_GATEWAY_H_
