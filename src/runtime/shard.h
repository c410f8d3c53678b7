#ifndef NEARBY_SRC_RUNTIME_SHARD_H_
#define NEARBY_SRC_RUNTIME_SHARD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/friend_store.h"
#include "nearby/ids.h"
#include "nearby/internal/other_nodes.h"
#include "nearby/location_store.h"
#include "nearby/runtime.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "nearby/time.h"
#include "src/runtime/calls.h"
#include "src/runtime/erasures.h"
#include "src/runtime/list_loads.h"
#include "src/runtime/mailbox.h"
#include "src/runtime/session_table.h"
#include "src/runtime/write_behind.h"

namespace nearby::internal {

// One engine with its mailbox, its sessions and what the host has still to answer. Whoever polls it
// is its thread: but for the mailbox and the statistics, nothing here is shared. The rules are
// divided over files by what sets them off:
//   shard.cc          a poll: what is taken from the mailbox, in which order, and when to come back
//   shard_calls.cc    each kind of call
//   shard_fences.cc   waiting until other shards have caught up
//   shard_effects.cc  each kind of effect of the engine
//   shard_clients.cc  handing batches to the sink; draining
//   shard_storage.cc  friend lists that are loaded, locations that are stored
//   shard_elsewhere.cc  what comes of other nodes, and sessions in their directory
class Shard {
 public:
  // What the runtime does for its shards.
  struct Services {
    // Begins to load a list; the answer comes as ListArrived with this number.
    std::function<void(std::uint64_t load, UserId user)> load_list;
    // Begin to write; the answers come as StoreAnswered with this number. Empty where the host has
    // no such store.
    std::function<void(std::uint64_t call, absl::Span<const AcceptedLocation>)> write_locations;
    std::function<void(std::uint64_t call, absl::Span<const LocationStore::Erasure>)>
        erase_locations;
    std::function<void(std::uint64_t call, absl::Span<const AcceptedLocation>)> append_history;
  };

  // Borrows all but the engine.
  Shard(const RuntimeOptions& options, ShardId id, const RuntimeHost& host,
        std::unique_ptr<Engine> engine, std::vector<Mailbox*> mailboxes, Services services);

  // Before the first poll, if there are other nodes.
  void Join(OtherNodes* nodes);

  // As Runtime::Poll.
  absl::Duration Poll();
  // Completes all that is unanswered with Cancelled; nothing may be called afterwards.
  void Cancel();

  RuntimeStats stats() const;
  absl::Status CheckInvariants() const;

 private:
  using Index = SessionTable::Index;

  // A connect that has not been answered.
  struct Connecting {
    Runtime::ConnectDone done;
    Time deadline;  // for its friends to be loaded
    ReportOutcome location_outcome = ReportOutcome::kAccepted;
    bool has_friends = false;  // they have been loaded; the answer waits for other shards
  };

  // A connect that waits for a place among the loads.
  struct WaitingConnect {
    ConnectRequested call;
    Time deadline;
  };

  // Shards that have been asked to answer, and what is done once all have, twice: the first time
  // they have taken our announcements and announced back; then, in answer to that, we have
  // subscribed; the second time they have sent where those users are.
  struct Fencing {
    std::uint64_t shards = 0;  // bit s: shard s
    int rounds_left = 2;
    int answers_left = 0;
    std::variant<ClientHandle, SubscriptionCommitted>
        then;  // the connect or subscription to answer
  };

  // A call of the location store or of the history that has not been answered, if there is one.
  struct StoreCall {
    std::uint64_t number = 0;  // 0: none. Any other answer is too late, or a second one.
    Time timeout = kNever;
  };

  // A session that this node must not hold any more, if it is as old as that or older.
  struct LostSession {
    UserId user{};
    Epoch epoch{};
    bool is_taken = false;  // by another node
  };

  // A list that has come while other shards were behind.
  struct WaitingList {
    ListLoads::Load load;
    FriendList list;
  };

  // --- a poll (shard.cc) ---
  // Brings engine time to the clock's, and does what that sets off.
  void AdvanceTime();
  void TakeReports(absl::Span<const LocationReport> reports);
  void TakeMessages(const PeerItems& items);
  void TakeMessages(absl::Span<const PeerMessage> messages);
  void TakeCalls(std::vector<Call>* calls);
  // Hands out everything that has gathered: messages, batches, locations.
  void FlushAll();
  absl::Duration TimeToNextPoll() const;
  void PublishStats();
  bool OthersAreBehind() const;

  // --- calls (shard_calls.cc) ---
  void On(ConnectRequested& call);
  void On(RadiusRequested& call);
  void On(PageRequested& call);
  void On(DisconnectRequested& call);
  void On(ReadyAgain& call);
  void On(ChangeCommitted& call);
  static void On(EditFailed& call);
  void On(SubscriptionCommitted& call);
  void On(ReloadRequested& call);
  void On(ListArrived& call);
  void On(StoreAnswered& call);
  void On(DrainRequested& call);
  void On(TaskPosted& call);
  // Once it is in the directory, where there is one.
  void BeginConnect(ConnectRequested call, Time deadline);
  bool TakesClients() const;
  void Connect(ConnectRequested& call, Time deadline);
  void Refuse(ConnectRequested& call, absl::Status status);
  // Begins the connects that have waited for a place among the loads, or too long.
  void ConnectWaiting();
  void AnswerSubscription(SubscriptionCommitted& call);
  // Lets go of a session that the engine does not know any more.
  void Forget(Index index);

  // --- other nodes (shard_elsewhere.cc) ---
  void Claim(ConnectRequested call, Time deadline);
  void OnClaimed(std::uint64_t number, const absl::StatusOr<Epoch>& epoch);
  bool IsElsewhere(const PeerMessage& message) const {
    return message.to == options_.engine.elsewhere();
  }
  void SendElsewhere(const PeerMessage& message);
  // Does, in order, what the gateway has asked for.
  void TakeElsewhere();
  void EndLost(const LostSession& lost);

  // --- other shards (shard_fences.cc) ---
  void BeginFence(Fencing fencing);
  void SendFences(std::uint64_t number, Fencing* fencing);
  void TakeFence(const Fence& fence);
  void FinishFence(Fencing fencing);
  void Answer(ClientHandle client);

  // --- effects (shard_effects.cc) ---
  // Carries out, in their order, what the engine asked for, but for what FlushAll hands out later.
  void CarryOut();
  void TakeDeliveries();
  void AddDelivery(const Delivery& delivery);
  void AnswerConnect(const ConnectAnswer& answer);
  void EndReplaced(const SessionReplaced& replaced);
  void LoadFriends(const FriendsRequest& request);

  // --- clients (shard_clients.cc) ---
  void MarkDirty(Index index);
  void FlushClients();
  void FlushClient(Index index);
  // Everybody whom the client sees, as events.
  absl::Span<const ClientEvent> Snapshot(ClientHandle client);
  void RecycleOutbox(Session* session);
  // Asks as many clients to move as the pace allows.
  void AskToMove();
  void AskToMove(const Session& session);
  void FinishDrainIfEmpty();
  SessionId ToId(ClientHandle client) const { return {id_, client}; }

  // --- storage (shard_storage.cc) ---
  void BeginLoads();
  void TimeOutLoads();
  // Has the lists loaded again whose turn it is.
  void RefreshLists();
  void InstallLists();
  void Install(const ListLoads::Load& load, const FriendList& list);
  // `may_help`: whether it is worth another attempt.
  void LoadFailed(ListLoads::Load load, const absl::Status& status, bool may_help);
  // Whether the session is being connected and has had no friend list yet.
  bool NeedsFriends(Index index) const;
  void FailConnect(Index index, const absl::Status& status);
  void EraseLocation(UserId user);
  void FlushStorage();
  void FlushLocations();
  // Each begins a call, or is false if it has nothing to do.
  bool WriteNext();
  bool EraseNext();
  // The number of a call that begins now.
  std::uint64_t Begin(StoreCall* call);
  void EndStoreCall(std::uint64_t number, const absl::Status& status);
  void TimeOutStoreCalls();

  const RuntimeOptions& options_;
  const ShardId id_;
  const RuntimeHost& host_;
  const std::unique_ptr<Engine> engine_;
  const std::vector<Mailbox*> mailboxes_;  // by shard, this one's among them
  Mailbox& mailbox_;
  const Services services_;

  // Of other nodes, if there are any.
  NodeGateway* gateway_ = nullptr;
  std::deque<std::variant<PeerMessage, LostSession>> from_elsewhere_;
  std::uint64_t next_claim_ = 1;
  absl::btree_map<std::uint64_t, WaitingConnect> claiming_;  // by number

  std::mutex poll_mutex_;  // held by the thread that polls
  Time now_{-kMaxTimeMs};
  Effects effects_;
  Mailbox::Contents contents_;
  std::vector<ReportOutcome> outcomes_;
  std::vector<PeerItems> outgoing_;  // by shard

  SessionTable sessions_;
  absl::btree_map<Index, Connecting> connecting_;
  std::deque<WaitingConnect> waiting_connects_;  // in order of their deadlines, too
  std::vector<Index> dirty_;
  std::vector<std::unique_ptr<Outbox>> spare_outboxes_;
  std::vector<ClientEvent> snapshot_;
  Effects snapshot_effects_;
  std::uint64_t pending_events_ = 0;
  std::uint64_t busy_sessions_ = 0;

  std::uint64_t next_fence_ = 1;
  absl::btree_map<std::uint64_t, Fencing> fences_;

  ListLoads loads_;
  std::deque<WaitingList> waiting_lists_;
  Index refresh_next_ = 0;
  double refresh_credit_ = 0;  // lists that may be loaded again now
  Time refresh_time_{-kMaxTimeMs};
  WriteBehind locations_;
  WriteBehind history_;
  Erasures erasures_;
  bool is_writes_turn_ = false;  // erasures went last
  StoreCall location_call_;      // a write or an erasure
  StoreCall history_call_;
  std::uint64_t next_store_call_ = 1;

  std::vector<std::shared_ptr<Joint>> draining_;  // finished once no session is left
  bool is_draining_ = false;
  Index drain_next_ = 0;
  double drain_credit_ = 0;  // clients that may be asked now
  Time drain_time_;

  RuntimeStats counts_;  // of this shard, but for what others count
  mutable std::mutex stats_mutex_;
  RuntimeStats published_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_SHARD_H_
