#ifndef NEARBY_BENCHMARKS_CAPACITY_TEXTBOOK_H_
#define NEARBY_BENCHMARKS_CAPACITY_TEXTBOOK_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "benchmarks/capacity/deliveries.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace capacity {

/// What a good engineer writes in an afternoon: a hash map of locations with a time to live, a hash
/// map of friend lists, and the haversine formula from the textbook for each friend. It gives the
/// deliveries that the engine gives as long as everybody has the default radius and nobody hides.
class Textbook {
 public:
  Textbook(double radius_m, std::int64_t ttl_ms) : radius_m_(radius_m), ttl_ms_(ttl_ms) {}

  void Reserve(std::size_t users);
  /// Sets who is a user's friend and whether the two see each other; in both lists alike.
  struct Friend {
    nearby::UserId id{};
    bool in_sight = false;
  };
  void SetFriends(nearby::UserId user, std::vector<Friend> friends);
  void SetLocation(nearby::UserId user, nearby::LatLng location, nearby::Time time);

  void Report(nearby::UserId user, nearby::LatLng location, nearby::Time time,
              Deliveries* deliveries);

 private:
  struct Location {
    nearby::LatLng point;
    nearby::Time time;
  };

  void SetInSight(nearby::UserId user, nearby::UserId friend_id, bool in_sight);

  double radius_m_;
  std::int64_t ttl_ms_;
  absl::flat_hash_map<nearby::UserId, Location> locations_;
  absl::flat_hash_map<nearby::UserId, std::vector<Friend>> friends_;
};

}  // namespace capacity

#endif  // NEARBY_BENCHMARKS_CAPACITY_TEXTBOOK_H_
