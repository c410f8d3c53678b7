#ifndef NEARBY_SRC_RUNTIME_STATS_FIELDS_H_
#define NEARBY_SRC_RUNTIME_STATS_FIELDS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "nearby/metrics_sink.h"
#include "nearby/runtime_stats.h"
#include "nearby/stats.h"

namespace nearby::internal {

// The fields of the statistics, with the names that others know them by. A field that is not listed
// here is neither summed nor exported.
template <typename Stats>
struct StatsField {
  std::uint64_t Stats::*member;
  absl::string_view name;
  absl::string_view help;
  Metric::Kind kind = Metric::Kind::kCounter;
  absl::string_view label = {};
  absl::string_view label_value = {};
};

inline constexpr StatsField<RuntimeStats> kRuntimeFields[] = {
    {&RuntimeStats::polls, "nearby_polls_total", "Polls of shards."},
    {&RuntimeStats::reports_taken, "nearby_reports_taken_total", "Reports taken from mailboxes."},
    {&RuntimeStats::reports_refused, "nearby_reports_refused_total",
     "Reports refused because a mailbox was full."},
    {&RuntimeStats::calls_taken, "nearby_calls_taken_total", "Calls taken from mailboxes."},
    {&RuntimeStats::calls_refused, "nearby_calls_refused_total",
     "Calls refused because a mailbox was full or the node was draining."},
    {&RuntimeStats::messages_taken, "nearby_messages_taken_total", "Messages between shards."},
    {&RuntimeStats::locations_dropped, "nearby_locations_dropped_total",
     "Locations dropped between shards because a mailbox was full."},
    {&RuntimeStats::calls_deferred, "nearby_calls_deferred_total",
     "Times that friend lists waited for other shards to catch up."},
    {&RuntimeStats::batches_delivered, "nearby_batches_delivered_total",
     "Batches handed to the client sink."},
    {&RuntimeStats::events_delivered, "nearby_events_delivered_total",
     "Events handed to the client sink."},
    {&RuntimeStats::events_merged, "nearby_events_merged_total",
     "Events that took the place of one that had not been told."},
    {&RuntimeStats::events_cancelled, "nearby_events_cancelled_total",
     "Enters and leaves that cancelled each other untold."},
    {&RuntimeStats::resyncs, "nearby_resyncs_total",
     "Times that a slow client's events gave way to a resync."},
    {&RuntimeStats::lists_loaded, "nearby_lists_loaded_total", "Friend lists loaded."},
    {&RuntimeStats::loads_failed, "nearby_loads_failed_total",
     "Attempts to load a friend list that failed or came too late."},
    {&RuntimeStats::connects_failed, "nearby_connects_failed_total",
     "Connects that failed for want of the friend list."},
    {&RuntimeStats::edits, "nearby_edits_total", "Edits of friendships acknowledged."},
    {&RuntimeStats::edits_failed, "nearby_edits_failed_total", "Edits of friendships that failed."},
    {&RuntimeStats::locations_stored, "nearby_locations_stored_total",
     "Locations written to the location store."},
    {&RuntimeStats::locations_unstored, "nearby_locations_unstored_total",
     "Locations dropped because the location store was too slow or failed."},
    {&RuntimeStats::histories_stored, "nearby_histories_stored_total",
     "Locations appended to the history."},
    {&RuntimeStats::histories_unstored, "nearby_histories_unstored_total",
     "Locations dropped because the history was too slow or failed."},
    {&RuntimeStats::store_failures, "nearby_store_failures_total",
     "Writes to the location store or the history, and erasures, that failed."},
    {&RuntimeStats::store_timeouts, "nearby_store_timeouts_total",
     "Writes, erasures and edits of friendships that a store did not answer in time."},
    {&RuntimeStats::sessions, "nearby_sessions", "Sessions.", Metric::Kind::kGauge},
    {&RuntimeStats::busy_sessions, "nearby_busy_sessions",
     "Sessions whose client has not taken the last batch yet.", Metric::Kind::kGauge},
    {&RuntimeStats::pending_events, "nearby_pending_events", "Events waiting for clients.",
     Metric::Kind::kGauge},
    {&RuntimeStats::loads_in_flight, "nearby_loads_in_flight", "Friend lists being loaded.",
     Metric::Kind::kGauge},
    {&RuntimeStats::edits_in_flight, "nearby_edits_in_flight", "Edits of friendships under way.",
     Metric::Kind::kGauge},
    {&RuntimeStats::queued_reports, "nearby_queued_reports", "Reports waiting in mailboxes.",
     Metric::Kind::kGauge},
    {&RuntimeStats::queued_calls, "nearby_queued_calls", "Calls waiting.", Metric::Kind::kGauge},
    {&RuntimeStats::queued_messages, "nearby_queued_messages",
     "Messages of other shards waiting in mailboxes.", Metric::Kind::kGauge},
    {&RuntimeStats::asked_to_move, "nearby_asked_to_move_total",
     "Clients asked to move to another node."},
};

inline constexpr StatsField<EngineStats> kEngineFields[] = {
    {&EngineStats::reports_accepted, "nearby_reports_total", "Reports by what became of them.",
     Metric::Kind::kCounter, "outcome", "accepted"},
    {&EngineStats::reports_conflated, "nearby_reports_total", "Reports by what became of them.",
     Metric::Kind::kCounter, "outcome", "conflated"},
    {&EngineStats::reports_stale, "nearby_reports_total", "Reports by what became of them.",
     Metric::Kind::kCounter, "outcome", "stale"},
    {&EngineStats::reports_future, "nearby_reports_total", "Reports by what became of them.",
     Metric::Kind::kCounter, "outcome", "future"},
    {&EngineStats::reports_invalid, "nearby_reports_total", "Reports by what became of them.",
     Metric::Kind::kCounter, "outcome", "invalid"},
    {&EngineStats::reports_unknown_client, "nearby_reports_total",
     "Reports by what became of them.", Metric::Kind::kCounter, "outcome", "unknown_client"},
    {&EngineStats::checks, "nearby_checks_total", "Pairs tested because one end reported."},
    {&EngineStats::skipped, "nearby_checks_skipped_total", "Pairs that needed no test."},
    {&EngineStats::enters, "nearby_enters_total", "Friends that came into sight."},
    {&EngineStats::moves, "nearby_moves_total", "Reports of friends in sight."},
    {&EngineStats::resets, "nearby_resets_total", "Clients whose own location expired."},
    {&EngineStats::connects, "nearby_connects_total", "Sessions begun."},
    {&EngineStats::replacements, "nearby_replacements_total",
     "Sessions replaced by another of the same user."},
    {&EngineStats::disconnects, "nearby_disconnects_total", "Sessions ended."},
    {&EngineStats::expiries, "nearby_expiries_total", "Locations that expired."},
    {&EngineStats::lists_rechecked, "nearby_lists_rechecked_total",
     "Friend lists loaded again to find out whether the store was changed."},
    {&EngineStats::lists_refused, "nearby_lists_refused_total",
     "Friend lists that were too long, too old or malformed."},
    {&EngineStats::changes_applied, "nearby_changes_applied_total",
     "Changes of friendships applied, on each shard concerned."},
    {&EngineStats::changes_repeated, "nearby_changes_repeated_total",
     "Changes of friendships that were not newer than what was held."},
    {&EngineStats::changes_forgotten, "nearby_changes_forgotten_total",
     "Changes of friendships forgotten to make room."},
    {&EngineStats::links_refused, "nearby_links_refused_total",
     "Pairs not linked because a row or the shard was full."},
    {&EngineStats::messages_dropped, "nearby_messages_dropped_total",
     "Messages between shards that no longer applied."},
    {&EngineStats::entities, "nearby_entities", "Users known, on each shard.",
     Metric::Kind::kGauge},
    {&EngineStats::edges, "nearby_edges", "Pairs of friends online, on each shard.",
     Metric::Kind::kGauge},
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_STATS_FIELDS_H_
