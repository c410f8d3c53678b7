#ifndef BENCHMARKS_PEERS_PAIR_STATES_H_
#define BENCHMARKS_PEERS_PAIR_STATES_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "benchmarks/peers/haversine.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace peers {

/// What a tuned client of a peer remembers, in arrays: who is where, and which pairs are in sight.
/// Everybody has the same radius, so that one bit serves both of a pair.
///
/// Thread-compatible. Borrows the world.
class PairStates {
 public:
  explicit PairStates(const World& world);

  bool is_online(User user) const { return users_[user].is_online; }
  const Point& point(User user) const { return users_[user].point; }
  void Move(User user, nearby::LatLng location, nearby::Time time);

  /// The edges of a user, as indices into World::friends.
  std::uint32_t RowBegin(User user) const { return world_->row_begin[user]; }
  std::uint32_t RowEnd(User user) const { return world_->row_begin[user + 1]; }

  /// `user` is where `update` says, and the friend at the other end of `edge` where they were then:
  /// is that within the radius? Appends what the two are told.
  struct Update {
    User user = 0;
    nearby::LatLng location;
    Point point;
    nearby::Time time;
  };
  void Settle(const Update& update, std::uint32_t edge, std::vector<nearby::Delivery>* deliveries) {
    const UserState& other = users_[world_->friends[edge]];
    // A message may come after the friend has reported again.
    const bool is_newer = other.time.ms > update.time.ms;
    const bool is_online = is_newer ? other.was_online : other.is_online;
    if (!is_online) return;
    double hav = 0;
    const bool near = near_(update.point, is_newer ? other.last_point : other.point, &hav);
    SettleAs(near, hav, update, edge, deliveries);
  }
  /// The same for someone who has computed it already.
  void SettleAs(bool near, double hav, const Update& update, std::uint32_t edge,
                std::vector<nearby::Delivery>* deliveries) {
    if (!near && in_sight_[pair_of_edge_[edge]] == 0) return;
    Deliver(near, hav, update, edge, deliveries);
  }
  bool in_sight(std::uint32_t edge) const { return in_sight_[pair_of_edge_[edge]] != 0; }
  bool IsNear(const Point& a, const Point& b, double* hav) const { return near_(a, b, hav); }

 private:
  struct UserState {
    Point point;
    nearby::LatLng location;
    nearby::Time time;
    bool is_online = false;
    bool was_online = false;
    Point last_point;  // before the newest report
  };

  void Deliver(bool near, double hav, const Update& update, std::uint32_t edge,
               std::vector<nearby::Delivery>* deliveries);

  const World* world_;
  RadiusTest near_;
  std::vector<UserState> users_;
  std::vector<std::uint32_t> pair_of_edge_;  // both edges of a pair name the same
  std::vector<std::uint8_t> in_sight_;       // of pairs
};

}  // namespace peers

#endif  // BENCHMARKS_PEERS_PAIR_STATES_H_
