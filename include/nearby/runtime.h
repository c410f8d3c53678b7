#ifndef NEARBY_RUNTIME_H_
#define NEARBY_RUNTIME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/client_sink.h"
#include "nearby/clock.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/export.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/history_store.h"
#include "nearby/ids.h"
#include "nearby/location_store.h"
#include "nearby/metrics_sink.h"
#include "nearby/runtime_options.h"
#include "nearby/runtime_stats.h"
#include "nearby/time.h"

namespace nearby {

class OtherNodes;

/// What a runtime borrows of its host. All of it must outlive the runtime.
struct RuntimeHost {
  ClientSink* sink = nullptr;      ///< Required.
  FriendStore* friends = nullptr;  ///< Required.
  const Clock* clock = SystemClock::Get();
  LocationStore* locations = nullptr;  ///< Optional: accepted locations are written to it.
  HistoryStore* history = nullptr;     ///< Optional: likewise.
  MetricsSink* metrics = nullptr;      ///< Optional.
  /// Optional: a `Cluster`, for friends who are connected to other nodes. It serves this runtime
  /// alone.
  OtherNodes* cluster = nullptr;
  /// Optional: called when a shard that had nothing to do has something, by whichever thread gave
  /// it. For a host that polls from its own event loop: have the shard polled soon. Must not block
  /// and must not poll; it may be called from within any call of the runtime.
  absl::AnyInvocable<void(ShardId) const> wake = nullptr;
};

/// A location with the client's own time.
struct TimedLocation {
  LatLng location;
  Time reported_at;
};

struct ConnectCall {
  UserId user{};
  /// Comes back with everything for this session: a connection's number or pointer.
  std::uint64_t cookie = 0;
  std::optional<double> radius_m = std::nullopt;  ///< The engine's default if absent.
  /// Applied first, so that the answer knows who is near.
  std::optional<TimedLocation> location = std::nullopt;
};

/// The answer to a connect: these friends are in sight, nearest first, as if each had entered.
struct ConnectResult {
  SessionId session;
  std::vector<NearbyFriend> friends;  ///< At most EngineOptions::connect_page_size.
  std::size_t in_sight = 0;           ///< Friends in sight in all.
  std::optional<PageToken> next;      ///< For Runtime::Nearby, if there are more.
  /// Of the location that came with the call; kAccepted if there was none.
  ReportOutcome location_outcome = ReportOutcome::kAccepted;
};

/// A report, by session.
struct SessionReport {
  SessionId session;
  LatLng location;
  Time reported_at;
};

/// Several engines, one for each core, driven by threads that the host gives, with the host's
/// interfaces around them: what a server links to hold many connections.
///
///   InMemoryFriendStore friends;
///   MySink sink;                                        // a ClientSink: your connections
///   auto runtime = Runtime::Create({}, {&sink, &friends}).value();
///   std::thread worker([&] { runtime->Run(ShardId{0}); });
///   runtime->Connect({UserId{7}, connection_number}, [](absl::StatusOr<ConnectResult> result) {
///     ...                                               // remember result->session
///   });
///   absl::Status status = runtime->Report({session, {48.137, 11.575}, reported_at});
///   ...
///   runtime->Stop();
///   worker.join();
///
/// A host with an event loop calls Poll instead of Run, on any of its threads, whenever
/// `RuntimeHost::wake` says so and when the time that Poll answered has passed. A program with one
/// thread calls PollAll after its calls.
///
/// Completions: each call that takes a `done` calls it exactly once: later, on a thread that polls,
/// or, where it is refused at once or the runtime is destroyed, on the calling thread. Every call
/// of the runtime but Poll, PollAll and Run is allowed from within a `done`.
///
/// Privacy: once an edit that takes sight away (unfriend, hide, unsubscribe) has been completed
/// with Ok, nothing about the one is handed to the other's sink any more but a bare leave.
///
/// Thread-safe, but for the destructor, during which nobody may be inside or come in; one shard is
/// polled by one thread at a time, and a second one waits.
/// Ownership: owns the engines; borrows the host's parts.
/// Cost: besides the engine's, a lock for each report handed in alone, and one for each batch of
/// ReportAll.
class NEARBY_API Runtime {
 public:
  using ConnectDone = absl::AnyInvocable<void(absl::StatusOr<ConnectResult>)>;
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using NearbyDone = absl::AnyInvocable<void(absl::StatusOr<NearbyPage>)>;
  /// For kSubscribe the friend's newest location, if the subscriber sees them now.
  using EditDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<NearbyFriend>>)>;

  /// `InvalidArgument` for options that Validate refuses, or a host without sink or friend store.
  static absl::StatusOr<std::unique_ptr<Runtime>> Create(const RuntimeOptions& options,
                                                         RuntimeHost host);
  /// Completes what is unanswered with `Cancelled`. Sessions vanish without a word. What stores
  /// complete later is ignored. Other nodes are not kept waiting (see Cluster), but Drain is kinder
  /// to clients.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // --- driving it ---

  std::uint32_t shard_count() const;
  /// Does what there is to do for one shard and returns without waiting. Call it again after at
  /// most the time returned; zero if there is more to do already.
  absl::Duration Poll(ShardId shard);
  /// Polls all shards, in turn, until none has anything to do; for programs with one thread. The
  /// time returned is the least of theirs.
  absl::Duration PollAll();
  /// Polls one shard, and waits in between, until Stop.
  void Run(ShardId shard);
  /// Makes Run return, now and from now on.
  void Stop();

  // --- sessions ---

  /// Begins a session: loads the user's friends, and answers with those in sight. A second connect
  /// of the same user replaces the first session, which then ends (`ClientSink::Ended`), or, if it
  /// had not been answered yet, fails with `Aborted`.
  /// `InvalidArgument`: an invalid radius or location (one that is merely stale or in the future is
  /// `location_outcome`). `ResourceExhausted`: a limit. `DeadlineExceeded`, or the friend store's
  /// own status: the friends could not be loaded. `Unavailable`: the node is draining.
  void Connect(const ConnectCall& call, ConnectDone done);
  /// Ends a session; friends who saw the user see them leave. Nothing happens if it has ended
  /// already. Never refused.
  void Disconnect(SessionId session);
  /// The client can take another batch, after ClientSink::Deliver has answered kBusy. Never
  /// refused.
  void Ready(SessionId session);

  /// Takes a report. Ok says that it is under way; what comes of it later, if anything is wrong, is
  /// `ClientSink::ReportRefused`. `InvalidArgument`: not finite, or out of range; `NotFound`: no
  /// such shard; `ResourceExhausted`: the shard is behind.
  absl::Status Report(const SessionReport& report);
  /// Takes many, with one lock for each shard concerned. Returns how many were refused, for any of
  /// these reasons.
  std::size_t ReportAll(absl::Span<const SessionReport> reports);

  /// `NotFound`: the session has ended. `InvalidArgument`; `ResourceExhausted`.
  void SetRadius(SessionId session, double radius_m, Done done);

  /// A page of the friends whom a connected user sees, nearest first. Whoever is listed and had
  /// not entered yet enters now, as an event. `NotFound`: the user is not connected here.
  /// `InvalidArgument`: page size 0 or above EngineOptions::max_page_size. `ResourceExhausted`.
  void Nearby(UserId user, PageToken after, std::size_t page_size, NearbyDone done);

  // --- friendships ---

  /// Changes the friend store, then every shard concerned, then completes. Errors as
  /// FriendStore::Edit, and `ResourceExhausted`: too many are under way, or not known to be in
  /// force on other nodes yet (ClusterOptions::max_fences); nothing has changed then. After an
  /// error that leaves open what the store did, the lists of those connected are loaded again.
  void Edit(const FriendEdit& edit, EditDone done);

  /// The same for a change that the friend store has made already, at another's request. Never
  /// refused: whoever calls it bounds how many are under way.
  void Apply(const FriendshipChange& change, Done done);

  // --- draining ---

  /// From now on connects fail with `Unavailable`, and clients are asked to move
  /// (`ClientSink::MoveAway`), at the pace of the options. `done` comes once no session is left
  /// and, among other nodes, once these need not wait for this one any more: when its lease has
  /// been given back, which takes no longer than the edits of friendships that are under way and
  /// two calls of the directory. A second call asks nobody again, and is completed likewise.
  ///
  /// Everything else goes on: edits are carried out, here and on other nodes, until the runtime is
  /// destroyed.
  void Drain(Done done);

  /// From any thread. Each shard's part is as of the end of its last poll.
  RuntimeStats stats() const;

  /// Engine::CheckInvariants of each shard, and that sessions agree with it. For tests; no poll may
  /// be under way.
  absl::Status CheckInvariants() const;

 private:
  class NEARBY_LOCAL Impl;
  NEARBY_LOCAL explicit Runtime(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace nearby

#endif  // NEARBY_RUNTIME_H_
