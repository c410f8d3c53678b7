#ifndef BENCHMARKS_SCENARIOS_RING_SHOW_H_
#define BENCHMARKS_SCENARIOS_RING_SHOW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/crossing_walk.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/node_side.h"
#include "benchmarks/scenarios/sights.h"
#include "benchmarks/scenarios/subscription_watch.h"
#include "nearby/hash_ring.h"
#include "nearby/ring_source.h"
#include "nearby/time.h"

namespace scenarios {

/// Pub/sub servers of the first ring, each with a seat of its own.
inline constexpr std::uint32_t kRingServers = 32;

/// What happened in a stretch of time.
struct Phase {
  std::uint64_t reports = 0;
  Traffic traffic;
  std::uint64_t changes = 0;
  std::uint64_t changes_told = 0;
  std::uint64_t most_wrong = 0;  ///< Pairs at one time, by a look every second.

  double PerReport(std::uint64_t count) const {
    return static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(reports, 1));
  }
};

/// What came of one change of the ring.
struct RingChange {
  std::uint64_t channels = 0;  ///< Listened to before.
  double fair_share = 0;       ///< Of them that have to move.
  std::uint64_t moved = 0;
  std::uint64_t elsewhere = 0;  ///< Not listened to at the new owner when all should have moved.
  std::uint64_t most_in_a_second = 0;
  double storm_s = 0;           ///< The longest of all nodes'.
  double expected_s = 0;        ///< Its channels, at the pace.
  std::int64_t settled_ms = 0;  ///< From the first who knew the ring to when nobody listens twice.
  bool is_settled = false;
  Phase before, during, settling, after;
  std::uint64_t wrong_when_moved = 0;  ///< Pairs, a moment after all have moved.
  std::uint64_t wrong_when_healed = 0;
  std::uint64_t wrong_in_the_end = 0;
};

/// What came of the death of a server whose seat gets another one by and by.
struct ServerDeath {
  Phase dead;  ///< Until there is a ring with another server.
  RingChange change;
  std::uint64_t links_lost = 0;  ///< One of each node, if it is noticed.
  /// For each pair of friends on different nodes, who were in sight or were taken to be: the
  /// longest time without news of one of them, whose channel is on that seat, and on another. In
  /// ascending order, from the death until all has healed.
  std::vector<std::int64_t> silences_ms;
  std::vector<std::int64_t> other_silences_ms;
};

/// Nodes under pub/sub servers that come, go, are replaced and die, while their users cross one
/// square and come in sight of each other and part all the time: who listens where, and who is told
/// of whom.
///
/// Thread-compatible.
class RingShow {
 public:
  explicit RingShow(const Flags& flags);

  std::uint32_t nodes() const { return nodes_; }

  /// Lets so much time pass under load.
  Phase Run(std::int64_t duration_ms);
  /// Has the nodes learn of a ring with these seats, one after the other.
  RingChange ChangeRing(std::vector<nearby::RingSeat> seats);
  /// The server dies without warning, and some time later another sits on its seat, as these seats
  /// have it.
  ServerDeath LoseServer(absl::string_view server, std::vector<nearby::RingSeat> seats);

  double InSightPerUser() const;
  /// Voids the findings of a show in which anything was told wrongly, whatever was lost.
  void Judge(Findings* findings) const;

 private:
  void Step();
  Phase Begin() const;
  void End(Phase* phase) const;
  // A change whose time before the ring has come to its end.
  RingChange Announced(const nearby::HashRing& to, Phase before) const;
  // Has each node told of the ring, and waits until what was missed must have been made up for: at
  // once where former owners go on passing on what comes, with the next report where not.
  void Publish(const nearby::RingSource::Ring& ring, bool is_former_dead, RingChange* change);
  // Has each node told in its turn, and goes on until all have moved.
  void Spread(const nearby::RingSource::Ring& ring, bool is_former_dead, RingChange* change);
  void Settle(RingChange* change);
  // What the node says of itself since it was told.
  void CountResubscriptions(std::uint32_t node);
  void MeasureStorms(const std::vector<nearby::Time>& told,
                     const std::vector<SubscriptionStorm>& storms, RingChange* change) const;
  void MeasureSilences(const nearby::HashRing& ring, absl::string_view server,
                       ServerDeath* death) const;
  std::vector<std::uint64_t> ToMove() const;

  const Flags flags_;
  const std::uint32_t nodes_;
  capacity::World world_;
  CrossingWalk walk_;
  SubscriptionWatch watch_;
  Sights sights_;
  nearby::RingSource::Ring ring_;
  nearby::Time now_ = capacity::kTraceStart;
  nearby::Time next_look_ = capacity::kTraceStart;
  std::uint64_t reports_ = 0;
  std::uint64_t most_wrong_ = 0;
  std::uint64_t links_lost_with_servers_ = 0;
  std::vector<SubscriptionStorm> own_storms_;  // of each node told of the last ring
  std::vector<std::uint64_t> counted_;         // of its resubscriptions
  std::vector<capacity::TracedReport> due_;
  NodeSide side_;
};

}  // namespace scenarios

#endif  // BENCHMARKS_SCENARIOS_RING_SHOW_H_
