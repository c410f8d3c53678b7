#ifndef BENCHMARKS_CAPACITY_TEXTBOOK_H_
#define BENCHMARKS_CAPACITY_TEXTBOOK_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace capacity {

/// The baseline: nearby friends as a good engineer writes them in an afternoon, from the textbook.
/// A hash map of locations, a hash map of friend lists, a time to live by timestamp, and for each
/// pair the haversine formula as it stands there. One look-up for each friend, no copies, no
/// allocation on the way; nothing that takes knowing how memory works.
///
/// Delivers to the byte what the engine delivers (as long as all friends share with each other,
/// have the same radius, and nobody falls silent).
///
/// Thread-compatible.
class Textbook {
 public:
  explicit Textbook(std::uint32_t users);

  /// A user with their friends, and their location from earlier on.
  void Add(nearby::UserId user, std::vector<nearby::UserId> friends, nearby::LatLng location,
           nearby::Time time);
  /// Lets those who are near see each other, without saying so: once, after all have been added.
  void SettleSight(nearby::Time now);

  /// Takes the reports and writes what follows to the sink.
  void ReportAll(const Batch& batch, Sink* sink);

 private:
  struct Location {
    double lat = 0;
    double lng = 0;
    nearby::Time last_seen;
    nearby::Time reported_at;
  };
  struct Friends {
    std::vector<nearby::UserId> ids;
    /// Of each of them, whether we see each other. Both sides know it.
    std::vector<bool> in_sight;
  };

  void Report(nearby::UserId user, const TracedReport& report, nearby::Time now);
  void SetInSight(nearby::UserId user, nearby::UserId friend_id, bool in_sight);
  void Deliver(nearby::DeliveryKind kind, nearby::UserId subscriber, nearby::UserId friend_id,
               const Location& of_friend, double distance_m, const Location& of_subscriber,
               nearby::Time now);

  absl::flat_hash_map<nearby::UserId, Location> locations_;
  absl::flat_hash_map<nearby::UserId, Friends> friends_;
  std::vector<nearby::Delivery> deliveries_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_TEXTBOOK_H_
