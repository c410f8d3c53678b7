#include <boost/function_output_iterator.hpp>
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/sphere.h"
#include "benchmarks/peers/pair_states.h"
#include "benchmarks/peers/peer.h"
#include "benchmarks/peers/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"

namespace peers {
namespace {

namespace bg = boost::geometry;
namespace bgi = boost::geometry::index;

// Longitude and latitude on a plane: the fastest the tree can be. The worlds here keep away from
// the antimeridian, where it would be wrong; haversine has the last word on each pair.
using TreePoint = bg::model::point<float, 2, bg::cs::cartesian>;
using TreeBox = bg::model::box<TreePoint>;
using TreeValue = std::pair<TreePoint, User>;
// The quicker to insert of the strategies; each report inserts and removes.
using Tree = bgi::rtree<TreeValue, bgi::linear<16>>;

TreePoint ToTreePoint(nearby::LatLng location) {
  return {static_cast<float>(location.lng), static_cast<float>(location.lat)};
}

class RtreePeer : public Peer {
 public:
  explicit RtreePeer(const World& world) : world_(&world), states_(world) {}

  absl::Status Connect() override {
    friend_sets_.resize(world_->users());
    for (User user = 0; user < world_->users(); ++user) {
      friend_sets_[user].reserve(world_->FriendsOf(user).size());
      for (std::uint32_t edge = states_.RowBegin(user); edge < states_.RowEnd(user); ++edge) {
        friend_sets_[user].emplace(world_->friends[edge], edge);
      }
    }
    tree_points_.resize(world_->users());
    found_in_.resize(world_->friends.size());
    return absl::OkStatus();
  }

  absl::Status Report(absl::Span<const TraceReport> batch,
                      std::vector<nearby::Delivery>* deliveries) override {
    for (const TraceReport& report : batch) ReportOne(report, deliveries);
    return absl::OkStatus();
  }

 private:
  void Replace(const TraceReport& report);
  static TreeBox BoxAround(nearby::LatLng location);
  void ReportOne(const TraceReport& report, std::vector<nearby::Delivery>* deliveries);

  const World* world_;
  PairStates states_;
  Tree tree_;
  std::vector<TreePoint> tree_points_;
  std::vector<absl::flat_hash_map<User, std::uint32_t>> friend_sets_;  // friend to edge
  std::vector<std::uint32_t> found_in_;  // of an edge: the query that found it last
  std::uint32_t query_ = 0;
};

void RtreePeer::Replace(const TraceReport& report) {
  TreePoint& point = tree_points_[report.user];
  if (states_.is_online(report.user)) tree_.remove(TreeValue(point, report.user));
  point = ToTreePoint(report.location);
  tree_.insert(TreeValue(point, report.user));
}

TreeBox RtreePeer::BoxAround(nearby::LatLng location) {
  // A little more than the radius: coordinates are rounded to a metre or so.
  constexpr double kMarginMeters = 5;
  const double lat =
      (kRadiusMeters + kMarginMeters) / nearby::kEarthRadiusMeters / capacity::kRadiansPerDegree;
  const double lng = lat / std::cos((std::abs(location.lat) + lat) * capacity::kRadiansPerDegree);
  return {ToTreePoint({location.lat - lat, location.lng - lng}),
          ToTreePoint({location.lat + lat, location.lng + lng})};
}

void RtreePeer::ReportOne(const TraceReport& report, std::vector<nearby::Delivery>* deliveries) {
  Replace(report);
  states_.Move(report.user, report.location, report.time);
  const PairStates::Update update{report.user, report.location, states_.point(report.user),
                                  report.time};
  const absl::flat_hash_map<User, std::uint32_t>& friends = friend_sets_[report.user];
  ++query_;
  tree_.query(bgi::intersects(BoxAround(report.location)),
              boost::make_function_output_iterator([&](const TreeValue& value) {
                const auto found = friends.find(value.second);
                if (found == friends.end()) return;
                double hav = 0;
                if (!states_.IsNear(update.point, states_.point(value.second), &hav)) return;
                found_in_[found->second] = query_;
                states_.SettleAs(true, hav, update, found->second, deliveries);
              }));
  // Whoever was in sight and has not been found has left.
  for (std::uint32_t edge = states_.RowBegin(report.user); edge < states_.RowEnd(report.user);
       ++edge) {
    if (found_in_[edge] != query_) states_.SettleAs(false, 0, update, edge, deliveries);
  }
}

}  // namespace

std::unique_ptr<Peer> MakeRtreePeer(const World& world) {
  return std::make_unique<RtreePeer>(world);
}

}  // namespace peers
