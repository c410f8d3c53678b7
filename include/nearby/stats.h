#ifndef NEARBY_STATS_H_
#define NEARBY_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "nearby/effects.h"
#include "nearby/export.h"

namespace nearby {

/// Counts since an engine was made, and what it holds now. Plain data; the sum over shards is the
/// count of the whole, but for what a pair across shards costs on both sides (checks, entities,
/// edges).
struct NEARBY_API EngineStats {
  // Reports by what became of them.
  std::uint64_t reports_accepted = 0;
  std::uint64_t reports_conflated = 0;  ///< Held back; once applied, counted as accepted as well.
  std::uint64_t reports_stale = 0;
  std::uint64_t reports_future = 0;
  std::uint64_t reports_invalid = 0;
  std::uint64_t reports_unknown_client = 0;

  // Work.
  std::uint64_t checks = 0;   ///< Edges tested because one end reported.
  std::uint64_t skipped = 0;  ///< Edges that needed no test, the two too far apart or one inactive.
  /// Reports of users who were farther away than their speed so far let expect: what rested on
  /// that had to be voided.
  std::uint64_t bound_breaks = 0;

  // Deliveries.
  std::uint64_t enters = 0;
  std::uint64_t moves = 0;
  std::uint64_t resets = 0;
  std::array<std::uint64_t, 7> leaves{};  ///< By LeaveReason.

  // Sessions and friends.
  std::uint64_t connects = 0;
  std::uint64_t replacements = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t expiries = 0;
  std::uint64_t lists_rechecked = 0;  ///< Loaded again without a reason.
  std::uint64_t lists_loaded = 0;
  std::uint64_t lists_refused = 0;  ///< Too long, too old, or malformed.
  std::uint64_t changes_applied = 0;
  std::uint64_t changes_repeated = 0;   ///< Not newer than what was held.
  std::uint64_t changes_forgotten = 0;  ///< Made room: lists older than they are refused.
  std::uint64_t links_refused = 0;      ///< A row was full, or the shard.

  // Between shards.
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_dropped = 0;  ///< Not for this shard, or resting on too old a list.
  std::uint64_t channels_subscribed = 0;
  std::uint64_t channels_unsubscribed = 0;
  /// Reports that a shard was not told of, because nobody there could have seen the user yet.
  std::uint64_t locations_parked = 0;
  std::uint64_t locations_asked = 0;  ///< Asked for, because somebody there may see the user now.

  // Now.
  std::uint64_t clients = 0;   ///< Sessions.
  std::uint64_t entities = 0;  ///< Users known: clients, and users of other shards.
  std::uint64_t edges = 0;     ///< Pairs, counted once.

  EngineStats& operator+=(const EngineStats& other);

  std::uint64_t leaves_for(LeaveReason reason) const {
    return leaves[static_cast<std::size_t>(reason)];
  }
};

}  // namespace nearby

#endif  // NEARBY_STATS_H_
