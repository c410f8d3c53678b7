#ifndef NEARBY_OPTIONS_H_
#define NEARBY_OPTIONS_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "nearby/export.h"
#include "nearby/ids.h"

namespace nearby {

/// What an engine is told once, when it is made. The defaults are those of a "nearby friends"
/// service as users know it; every limit is finite.
struct NEARBY_API EngineOptions {
  // Behaviour.

  /// Friends within this many metres are seen by subscribers who set no radius of their own: 5
  /// miles.
  double radius_m = 8046.72;
  /// Seeing ends only beyond radius + hysteresis, in metres, so that a friend who walks along the
  /// boundary does not flicker. 0: it ends where it began.
  double hysteresis_m = 0;
  /// A user without a report for this long is inactive. Larger: stale friends linger; smaller:
  /// friends in tunnels blink.
  absl::Duration ttl = absl::Minutes(10);
  /// At most one move of a friend for a subscriber in this long; a withheld move is sent, with the
  /// newest position, when the interval ends. 0: every report moves.
  absl::Duration min_move_interval = absl::ZeroDuration();
  /// A user's reports are applied at most once in this long; of those in between the newest is
  /// applied when the interval ends. 0: each counts.
  absl::Duration min_report_interval = absl::ZeroDuration();
  /// Reports dated farther ahead of the engine's time than this are dropped.
  absl::Duration max_future_skew = absl::Minutes(1);
  /// The answer to a connect holds at most this many friends. The others enter with their next
  /// report, or when a page lists them. 0: all at once.
  /// Friends at home on other shards are in the answer only if their shards have made them known by
  /// then (see hold_connect_answers), and are otherwise not held back: they enter as they become
  /// known.
  std::uint32_t connect_page_size = 20;
  /// FriendsLoaded does not answer a connect; `Engine::Answer` does. For whoever drives several
  /// shards and first lets the others make their users known, so that the answer knows those too.
  bool hold_connect_answers = false;
  /// How long a channel of another shard stays subscribed after its last listener here has gone.
  absl::Duration unsubscribe_delay = absl::Seconds(30);
  /// Append each accepted location to `Effects::locations`, for a location store or a history.
  bool emit_locations = false;

  // Limits.

  /// Friends of one user, on a list and in a row; at most 65,535.
  std::uint32_t max_friends = 5000;
  /// Users known to the shard, its own and those of other shards that it listens to; at most 2^26.
  std::uint32_t max_entities = 1u << 26;
  /// Entries of one page asked for by `Engine::Nearby`.
  std::uint32_t max_page_size = 1000;
  /// Friendship changes remembered, so that an older friend list cannot undo them. A friend list
  /// older than a change that had to make room is refused.
  std::uint32_t max_remembered_changes = 1u << 16;

  // Performance.

  /// Memory is set aside for this many entities at once. 0: it grows as they come, with a pause for
  /// copying each time it doubles.
  std::uint32_t expected_entities = 0;

  /// Leaves out checks of pairs that are too far apart to have met since they were last checked.
  /// What is delivered is the same. It pays the more, the more users there are and the farther
  /// their friends live; false is for measuring what it saves, and for worlds where nearly all
  /// friends are near.
  bool skip_far_pairs = true;

  /// Lets the shard of a user who is too far from everybody on another keep their locations to
  /// itself, until they may have come near. What is delivered is the same. Needs skip_far_pairs;
  /// false is for measuring what it saves.
  bool park_far_channels = true;

  // Place among the shards.

  /// Users whose HomeOf is `shard` connect here; at most 64 shards, or 63 if `spans_nodes`.
  std::uint32_t shard_count = 1;
  ShardId shard{0};
  /// Where a user is at home, for hosts that know better than HomeShard. Who is in sight of a
  /// friend at home elsewhere costs a message with each report, who is far from all of them next to
  /// nothing: so it pays to keep a region's users together. What is delivered is the same.
  ///
  /// A pure function, the same for all shards; called from any thread. It is asked for every user
  /// on every friend list, so let it be quick: some bits of the id, say. A table with a bit for
  /// each of ten million users made connects cost 1.4 times as much. Its result is taken modulo
  /// shard_count.
  std::function<ShardId(UserId user)> home_shard;

  /// Whether users may be connected to other nodes, each of which has shards of its own. Then those
  /// who are not connected to this one may be *elsewhere*, which to an engine is one more shard: it
  /// announces to it whom it does not find here, takes messages of it for any user, and sends it
  /// those that are about users elsewhere. Whoever drives the engine carries these (see Cluster).
  bool spans_nodes = false;
  /// The shard that stands for all other nodes.
  ShardId elsewhere() const { return ShardId{shard_count}; }

  /// Where a user is at home: by `home_shard`, or by HomeShard if there is none.
  ShardId HomeOf(UserId user) const {
    if (!home_shard) return HomeShard(user, shard_count);
    return ShardId{ToInt(home_shard(user)) % shard_count};
  }

  /// Ok, or `InvalidArgument` naming the option and its range.
  absl::Status Validate() const;
};

}  // namespace nearby

#endif  // NEARBY_OPTIONS_H_
