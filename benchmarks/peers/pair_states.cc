#include "benchmarks/peers/pair_states.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "benchmarks/capacity/sphere.h"
#include "benchmarks/peers/haversine.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/time.h"

namespace peers {

using nearby::Delivery;
using nearby::DeliveryKind;

PairStates::PairStates(const World& world)
    : world_(&world),
      near_(kRadiusMeters),
      users_(world.users()),
      pair_of_edge_(world.friends.size()) {
  std::uint32_t pairs = 0;
  for (User user = 0; user < world.users(); ++user) {
    for (std::uint32_t edge = RowBegin(user); edge < RowEnd(user); ++edge) {
      const User other = world.friends[edge];
      if (user < other) {
        pair_of_edge_[edge] = pairs++;
        continue;
      }
      const auto row = world.FriendsOf(other);
      const auto place = std::lower_bound(row.begin(), row.end(), user) - row.begin();
      pair_of_edge_[edge] = pair_of_edge_[RowBegin(other) + static_cast<std::uint32_t>(place)];
    }
  }
  in_sight_.resize(pairs);
}

void PairStates::Move(User user, nearby::LatLng location, nearby::Time time) {
  UserState& state = users_[user];
  state.was_online = state.is_online;
  state.last_point = state.point;
  state.is_online = true;
  state.point = ToPoint(location);
  state.location = location;
  state.time = time;
}

void PairStates::Deliver(bool near, double hav, const Update& update, std::uint32_t edge,
                         std::vector<Delivery>* deliveries) {
  std::uint8_t& in_sight = in_sight_[pair_of_edge_[edge]];
  const bool was_near = in_sight != 0;
  const User other = world_->friends[edge];
  Delivery delivery;
  delivery.cookie = other;
  delivery.subscriber = world_->ids[other];
  delivery.friend_id = world_->ids[update.user];
  delivery.time = delivery.reported_at = update.time;
  delivery.kind = !near      ? DeliveryKind::kLeave
                  : was_near ? DeliveryKind::kMove
                             : DeliveryKind::kEnter;
  if (near) {
    delivery.distance_mm = std::llround(capacity::MetersOfHaversine(hav) * 1000);
    delivery.position = nearby::Position::FromLatLng(update.location);
  }
  deliveries->push_back(delivery);
  if (near == was_near) return;
  in_sight = near ? 1 : 0;
  delivery.cookie = update.user;
  delivery.subscriber = world_->ids[update.user];
  delivery.friend_id = world_->ids[other];
  delivery.reported_at = users_[other].time;
  if (near) delivery.position = nearby::Position::FromLatLng(users_[other].location);
  deliveries->push_back(delivery);
}

}  // namespace peers
