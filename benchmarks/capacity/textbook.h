#ifndef BENCHMARKS_CAPACITY_TEXTBOOK_H_
#define BENCHMARKS_CAPACITY_TEXTBOOK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
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
/// have the same radius, and nobody in sight falls silent).
///
/// Thread-compatible.
class Textbook {
 public:
  struct UserReport {
    nearby::UserId user{};
    nearby::LatLng location;
    nearby::Time reported_at;
  };

  explicit Textbook(std::size_t users);

  /// A user who is nowhere yet, and their friends. The cookie comes with what the user is told.
  void Add(nearby::UserId user, std::uint64_t cookie, std::vector<nearby::UserId> friends);
  /// Where a user who was added was earlier on: nobody is told.
  void Place(const UserReport& report);
  /// Lets those who are near see each other, without saying so: once, after all have been placed.
  void SettleSight(nearby::Time now);

  /// Takes a report at this time, and appends what follows.
  void Report(const UserReport& report, nearby::Time now,
              std::vector<nearby::Delivery>* deliveries);

 private:
  struct Location {
    double lat = 0;
    double lng = 0;
    nearby::Time last_seen;
    nearby::Time reported_at;
    std::uint64_t cookie = 0;
  };
  struct Friends {
    std::vector<nearby::UserId> ids;
    /// Of each of them, whether we see each other. Both sides know it.
    std::vector<bool> in_sight;
  };

  void SetInSight(nearby::UserId user, nearby::UserId friend_id, bool in_sight);

  absl::flat_hash_map<nearby::UserId, Location> locations_;
  absl::flat_hash_map<nearby::UserId, Friends> friends_;
};

}  // namespace capacity

#endif  // BENCHMARKS_CAPACITY_TEXTBOOK_H_
