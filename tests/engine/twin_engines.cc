#include "tests/engine/twin_engines.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby::test {
namespace {

std::string Describe(Position position) {
  return absl::StrCat(" at ", position.lat_units(), " ", position.lng_units());
}

std::string Describe(const PeerMessage& message) {
  return absl::StrCat("message ", static_cast<int>(message.kind), " from ", ToInt(message.from),
                      " to ", ToInt(message.to), " about ", ToInt(message.user), " ",
                      ToInt(message.friend_id), " v", ToInt(message.version), " accepted ",
                      message.accepted_at.ms, " reported ", message.reported_at.ms,
                      Describe(message.position));
}

// Everything that is asked of the world, a line each.
std::vector<std::string> Lines(const Effects& effects) {
  std::vector<std::string> lines;
  for (const Delivery& delivery : effects.deliveries) {
    lines.push_back(absl::StrCat(ToString(delivery.kind), " ", ToInt(delivery.subscriber), " ",
                                 ToInt(delivery.friend_id), " (", ToString(delivery.reason), ") ",
                                 delivery.distance_mm, " mm, time ", delivery.time.ms, " reported ",
                                 delivery.reported_at.ms, " cookie ", delivery.cookie,
                                 Describe(delivery.position)));
  }
  for (const ConnectAnswer& answer : effects.answers) {
    lines.push_back(absl::StrCat("answer ", ToInt(answer.user), ": ", answer.count, " of ",
                                 answer.in_sight, " from ", answer.first));
  }
  for (const SessionReplaced& replaced : effects.replaced) {
    lines.push_back(absl::StrCat("replaced ", ToInt(replaced.user)));
  }
  for (const FriendsRequest& request : effects.friend_requests) {
    lines.push_back(absl::StrCat("request ", ToInt(request.user)));
  }
  for (const PeerMessage& message : effects.messages) lines.push_back(Describe(message));
  for (const AcceptedLocation& location : effects.locations) {
    lines.push_back(absl::StrCat("location ", ToInt(location.user), Describe(location.position)));
  }
  return lines;
}

}  // namespace

Twins::Twins(const EngineOptions& options, std::uint32_t shards) {
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    EngineOptions own = options;
    own.skip_far_pairs = twin == 0;
    own.emit_locations = true;
    own.park_far_channels = false;  // So that both are sent the same messages.
    clusters_.push_back(RawCluster::Create(own, shards).value());
  }
  Advance(1'000'000);
}

LatLng Twins::PointAt(double meters) {
  constexpr double kDegree = 3.14159265358979323846 / 180;
  return {meters / kEarthRadiusMeters / kDegree, 10};
}

void Twins::Advance(std::int64_t ms) {
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    for (std::uint32_t shard = 0; shard < clusters_[twin].size(); ++shard) {
      EXPECT_TRUE(clusters_[twin].engine(shard).Advance(Time{ms}, &effects_[twin]).ok());
    }
  }
  Settle();
}

void Twins::Join(UserId user, const std::vector<UserId>& friends, std::optional<double> radius_m) {
  std::vector<FriendEntry> list;
  for (const UserId friend_id : friends) list.push_back({friend_id, Friendship{/*friends=*/true}});
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    Engine& engine = home(twin, user);
    const ClientHandle client =
        engine.Connect({user, ToInt(user), radius_m}, &effects_[twin]).value();
    EXPECT_TRUE(engine.FriendsLoaded(client, FriendVersion{version_}, list, &effects_[twin]).ok());
    clients_[user] = client;
  }
  Settle();
}

void Twins::Disconnect(UserId user) {
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    EXPECT_TRUE(home(twin, user).Disconnect(clients_.at(user), &effects_[twin]).ok());
  }
  clients_.erase(user);
  Settle();
}

void Twins::SetRadius(UserId user, double radius_m) {
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    EXPECT_TRUE(home(twin, user).SetRadius(clients_.at(user), radius_m, &effects_[twin]).ok());
  }
  Settle();
}

void Twins::ReportAt(UserId user, LatLng point, std::optional<Time> reported_at) {
  const std::uint64_t checks = home(0, user).stats().checks;
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    Engine& engine = home(twin, user);
    const LocationReport report{clients_.at(user), point, reported_at.value_or(engine.now())};
    EXPECT_EQ(engine.Report(report, &effects_[twin]), ReportOutcome::kAccepted);
  }
  points_[user] = point;
  checks_of_last_report_ = home(0, user).stats().checks - checks;
  Settle();
}

void Twins::ReportAll(const std::vector<UserId>& users, const std::vector<LatLng>& points) {
  std::vector<LocationReport> reports;
  for (std::size_t i = 0; i < users.size(); ++i) {
    reports.push_back({clients_.at(users[i]), points[i], Time{now_ms()}});
    points_[users[i]] = points[i];
  }
  std::vector<ReportOutcome> outcomes(users.size());
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    clusters_[twin].engine(0).ReportAll(reports, outcomes.data(), &effects_[twin]);
    EXPECT_THAT(outcomes, ::testing::Each(ReportOutcome::kAccepted));
  }
  Settle();
}

void Twins::Apply(UserId user, UserId friend_id, const Friendship& friendship) {
  const FriendshipChange change{user, friend_id, friendship, FriendVersion{++version_}};
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    Engine& one = home(twin, user);
    Engine& other = home(twin, friend_id);
    EXPECT_TRUE(one.Apply(change, &effects_[twin]).ok());
    if (&other != &one) {
      EXPECT_TRUE(other.Apply(change, &effects_[twin]).ok());
    }
  }
  Settle();
}

std::vector<PeerMessage> Twins::TakeMessages() {
  std::vector<PeerMessage> messages;
  while (const std::optional<PeerMessage> message = clusters_[0].TakeMessage(0)) {
    messages.push_back(*message);
    // The twins' queues are equal, or Settle has complained.
    clusters_[1].TakeMessage(0);
  }
  return messages;
}

void Twins::Receive(const PeerMessage& message) {
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    clusters_[twin].engine(ToInt(message.to)).Receive({&message, 1}, &effects_[twin]);
  }
  Settle();
}

void Twins::Carry() {
  std::vector<std::string> all;
  while (clusters_[0].has_messages()) {
    for (const PeerMessage& message : TakeMessages()) {
      Receive(message);
      all.insert(all.end(), deliveries_.begin(), deliveries_.end());
    }
  }
  deliveries_ = all;
}

EngineStats Twins::stats() const {
  EngineStats sum;
  for (std::uint32_t shard = 0; shard < clusters_[0].size(); ++shard) {
    sum += clusters_[0].engine(shard).stats();
  }
  return sum;
}

void Twins::CompareAndForget() {
  EXPECT_THAT(Lines(effects_[0]), ::testing::ElementsAreArray(Lines(effects_[1])))
      << "at " << now_ms() << " ms: skipping, to checking every pair";
  deliveries_.clear();
  for (const Delivery& delivery : effects_[0].deliveries) {
    deliveries_.push_back(absl::StrCat(ToString(delivery.kind), " ", ToInt(delivery.subscriber),
                                       " ", ToInt(delivery.friend_id)));
  }
  for (std::size_t twin = 0; twin < kTwins; ++twin) {
    clusters_[twin].Enqueue(&effects_[twin].messages);
    effects_[twin].Clear();
  }
}

void Twins::Settle() {
  CompareAndForget();
  for (RawCluster& cluster : clusters_) {
    for (std::uint32_t shard = 0; shard < cluster.size(); ++shard) {
      EXPECT_EQ(cluster.engine(shard).CheckInvariants(), absl::OkStatus());
    }
  }
}

}  // namespace nearby::test
