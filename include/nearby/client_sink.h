#ifndef NEARBY_CLIENT_SINK_H_
#define NEARBY_CLIENT_SINK_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/export.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {

/// One thing to tell a client about a friend.
struct ClientEvent {
  UserId friend_id{};
  Time time;  ///< Engine time at which it happened: for an enter, "since when".
  /// kEnter, kMove: client time of the friend's report. Ascends within a session of the friend's;
  /// a move may stand for the end of one and the beginning of the next.
  Time reported_at;
  Position position;                         ///< kEnter, kMove.
  std::int64_t distance_mm = 0;              ///< kEnter, kMove.
  DeliveryKind kind = DeliveryKind::kEnter;  ///< kEnter, kMove or kLeave.
  LeaveReason reason = LeaveReason::kNone;   ///< kLeave: as the client may know it.
};

/// How a batch relates to what the client has been told before.
enum class BatchStart : std::uint8_t {
  kGoesOn,  ///< Apply the events to the friends in sight.
  kReset,   ///< The client's own location expired: first forget everybody in sight.
  kResync,  ///< Too much had gathered: forget everybody; the events enter the whole set anew.
};

/// What a client is to be told now: at most one event for each friend.
struct ClientBatch {
  SessionId session;
  std::uint64_t cookie = 0;
  UserId user{};
  BatchStart start = BatchStart::kGoesOn;
  absl::Span<const ClientEvent> events;  ///< May be empty after a reset or a resync.
};

/// Where a runtime hands over what clients are to be told: the host's connections.
///
/// Contract, for one session (by its cookie):
///   1. Nothing is handed over before the `done` of the connect has been called with Ok, or after
///      Ended. A host that has called Disconnect may see calls that were under way: it ignores
///      cookies that it no longer knows, and does not reuse them.
///   2. Calls do not overlap, and come in order. Calls for different sessions may overlap.
///   3. No call blocks: it comes on the thread that polls the session's shard. The spans are valid
///      during the call alone.
///   4. Flow: after Deliver has answered kBusy, nothing is delivered to the session until the host
///      calls `Runtime::Ready`. Meanwhile what happens is merged: at most one event a friend, the
///      newest; an enter and a leave that have not been told cancel each other; past
///      `RuntimeOptions::max_pending_events` the next batch is a resync. After kReady the next
///      batch comes when there is one.
///   5. Every call of Runtime but Poll, PollAll and Run is allowed from within a call of the sink.
///   6. Lifespan: the sink outlives the runtime.
class NEARBY_API ClientSink {
 public:
  enum class Flow : std::uint8_t { kReady, kBusy };

  /// Why a session ended without the host asking for it.
  enum class EndReason : std::uint8_t {
    kReplaced,  ///< The same user connected again, here or to another node.
    kNodeLost,  ///< The node could not renew its lease (see Cluster): the client may connect anew.
  };

  virtual ~ClientSink() = default;

  virtual Flow Deliver(const ClientBatch& batch) = 0;

  /// The session is over: close its connection.
  virtual void Ended(SessionId session, std::uint64_t cookie, EndReason reason) = 0;

  /// A report that Runtime::Report had let in turned out stale or dated too far in the future;
  /// `reported_at` is the report's. For a host that wants to tell the phone; the default does
  /// nothing.
  virtual void ReportRefused(SessionId session, std::uint64_t cookie, Time reported_at,
                             ReportOutcome outcome);

  /// This node is being drained: ask the client to connect to another after `after`, which spreads
  /// the clients over time. The session goes on until the host disconnects it. The default does
  /// nothing.
  virtual void MoveAway(SessionId session, std::uint64_t cookie, absl::Duration after);
};

}  // namespace nearby

#endif  // NEARBY_CLIENT_SINK_H_
