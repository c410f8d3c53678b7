#ifndef NEARBY_RUNTIME_STATS_H_
#define NEARBY_RUNTIME_STATS_H_

#include <cstdint>

#include "nearby/export.h"
#include "nearby/stats.h"

namespace nearby {

/// Counts since a runtime was made, and what it holds now; each shard's as of the end of its last
/// poll. Plain data.
struct NEARBY_API RuntimeStats {
  EngineStats engine;  ///< Summed over the shards.

  // What was let in, and what was not.
  std::uint64_t polls = 0;
  std::uint64_t reports_taken = 0;    ///< Taken out of mailboxes.
  std::uint64_t reports_refused = 0;  ///< The mailbox was full.
  std::uint64_t calls_taken = 0;
  std::uint64_t calls_refused = 0;      ///< The mailbox was full, or the node is draining.
  std::uint64_t messages_taken = 0;     ///< Of other shards.
  std::uint64_t locations_dropped = 0;  ///< Between shards: the receiving mailbox was full.
  std::uint64_t calls_deferred = 0;     ///< Another shard had to catch up first.

  // Clients.
  std::uint64_t batches_delivered = 0;
  std::uint64_t events_delivered = 0;
  std::uint64_t events_merged = 0;     ///< Took the place of one that had not been told.
  std::uint64_t events_cancelled = 0;  ///< Enters and leaves that cancelled each other: two each.
  std::uint64_t resyncs = 0;

  // Storage.
  std::uint64_t lists_loaded = 0;
  std::uint64_t loads_failed = 0;     ///< Attempts that failed or came too late.
  std::uint64_t connects_failed = 0;  ///< For want of the friends.
  std::uint64_t edits = 0;            ///< Acknowledged.
  std::uint64_t edits_failed = 0;
  std::uint64_t locations_stored = 0;
  std::uint64_t locations_unstored = 0;  ///< Dropped: the location store was too slow, or failed.
  std::uint64_t histories_stored = 0;
  std::uint64_t histories_unstored = 0;
  std::uint64_t store_failures = 0;  ///< Writes and erasures that failed, each attempt.
  std::uint64_t store_timeouts = 0;  ///< Those, and edits, that a store did not answer in time.

  // Now.
  std::uint64_t sessions = 0;
  std::uint64_t busy_sessions = 0;   ///< Waiting for Runtime::Ready.
  std::uint64_t pending_events = 0;  ///< Of busy sessions.
  std::uint64_t loads_in_flight = 0;
  std::uint64_t edits_in_flight = 0;
  std::uint64_t queued_reports = 0;
  std::uint64_t queued_calls = 0;
  std::uint64_t queued_messages = 0;
  std::uint64_t asked_to_move = 0;  ///< Clients, since draining began.

  RuntimeStats& operator+=(const RuntimeStats& other);
};

}  // namespace nearby

#endif  // NEARBY_RUNTIME_STATS_H_
