// Parked channels, whatever the order in which messages arrive.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "tests/engine/parking_fixture.h"
#include "tests/engine/seeds.h"

namespace nearby::test {
namespace {

// Users who drift about between far and near on three shards, whose messages wait for each other at
// random. Whenever nothing is under way, everybody sees exactly those within sight.
class Wanderers {
 public:
  explicit Wanderers(std::uint64_t seed)
      : random_(seed),
        ttl_(Options(seed).ttl),
        loses_some_(seed % 4 == 0),
        shards_(Options(seed), 3) {
    shards_.LoseSome(loses_some_);
    for (std::uint64_t id = 0; id < kUsers; ++id) {
      users_[UserId{id}];
      Join(UserId{id});
    }
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      shards_.AdvanceBy(OneIn(60) ? 700'000 : Below(OneIn(3) ? 40'000 : 3'000));
      for (auto& [id, user] : users_) {
        if (OneIn(3)) Act(id, &user);
      }
      // In no order but that of each pair of shards.
      if (OneIn(3)) shards_.CarryTogether(static_cast<std::size_t>(Below(40)), &random_);
      for (std::int64_t left = Below(20); left > 0 && shards_.CarryOne(random_()); --left) {
      }
      if (OneIn(8)) {
        CarryAll();
        if (loses_some_) HealAll();
        Check();
      }
    }
    shards_.CheckInvariants();
  }

  EngineStats stats() { return shards_.stats(); }
  std::uint64_t seen() const { return seen_; }

 private:
  static constexpr std::uint64_t kUsers = 9;
  struct User {
    bool is_connected = false;
    double radius_m = 8046.72;
    double east = 0;
    double north = 0;
    double speed = 0;  // metres a millisecond, to the north
    std::int64_t last_ms = std::numeric_limits<std::int64_t>::min() / 2;  // of the last report
    std::int64_t moved_ms = 0;
    Position position;
  };

  void CarryAll() {
    while (shards_.CarryOne(random_())) {
    }
  }

  // The next report makes up for what was lost.
  void HealAll() {
    shards_.LoseSome(false);
    for (auto& [id, user] : users_) {
      if (IsActive(user)) Report(id, &user);
    }
    CarryAll();
    shards_.LoseSome(true);
  }

  static EngineOptions Options(std::uint64_t seed) {
    EngineOptions options;
    const absl::Duration times_to_live[] = {absl::Minutes(10), absl::Minutes(2), absl::Seconds(90)};
    options.ttl = times_to_live[seed % 3];
    if (seed % 5 == 0) options.unsubscribe_delay = absl::ZeroDuration();
    return options;
  }
  bool OneIn(std::uint64_t n) { return random_() % n == 0; }
  std::int64_t Below(std::uint64_t n) { return static_cast<std::int64_t>(random_() % n); }
  static bool AreFriends(std::uint64_t a, std::uint64_t b) { return a != b && (a + b) % 3 != 0; }

  void Join(UserId id) {
    std::vector<FriendEntry> friends;
    for (const auto& [other, user] : users_) {
      if (AreFriends(ToInt(id), ToInt(other))) friends.push_back({other, {true}});
    }
    User& user = users_[id];
    shards_.Join(id, friends, user.radius_m);
    user.is_connected = true;
  }

  void Act(UserId id, User* user) {
    if (!user->is_connected) {
      Join(id);
    } else if (OneIn(60)) {
      shards_.Disconnect(id);
      user->is_connected = false;
      user->last_ms = std::numeric_limits<std::int64_t>::min() / 2;
    } else if (OneIn(40)) {
      user->radius_m = OneIn(3) ? 30'000 : static_cast<double>(Below(12'000));
      shards_.SetRadius(id, user->radius_m);
    } else if (OneIn(60)) {
      Join(id);
    } else {
      Move(user);
      Report(id, user);
    }
  }

  void Report(UserId id, User* user) {
    const LatLng location{user->north / kMetersPerDegree, user->east / kMetersPerDegree};
    shards_.Report(id, location);
    user->last_ms = shards_.now_ms();
    user->position = Position::FromLatLng(location);
  }

  void Move(User* user) {
    if (OneIn(20)) {
      constexpr double kSpeeds[] = {0, 0.0029, 0.0249, 0.0249, 0.0699, 0.29};
      user->speed = kSpeeds[random_() % 6];
      if ((user->north > 0) != OneIn(5)) user->speed = -user->speed;
    }
    user->north += user->speed * static_cast<double>(shards_.now_ms() - user->moved_ms);
    user->moved_ms = shards_.now_ms();
    if (OneIn(60)) user->north = static_cast<double>(Below(200'000)) - 100'000;
    if (OneIn(200)) user->east = static_cast<double>(Below(6'000));
    user->north = std::min(std::max(user->north, -150'000.0), 150'000.0);
  }

  bool IsActive(const User& user) const {
    const std::int64_t ttl_ms = absl::ToInt64Milliseconds(ttl_);
    return user.is_connected && user.last_ms + ttl_ms > shards_.now_ms();
  }

  void Check() {
    for (const auto& [viewer_id, viewer] : users_) {
      for (const auto& [owner_id, owner] : users_) {
        if (!viewer.is_connected || !AreFriends(ToInt(viewer_id), ToInt(owner_id))) continue;
        bool expected = IsActive(viewer) && IsActive(owner);
        if (expected) {
          const double meters =
              static_cast<double>(DistanceMillimeters(viewer.position, owner.position)) / 1000;
          if (std::abs(meters - viewer.radius_m) < 0.05) continue;
          expected = meters < viewer.radius_m;
        }
        seen_ += expected ? 1 : 0;
        EXPECT_EQ(shards_.Sees(viewer_id, owner_id), expected)
            << ToInt(viewer_id) << " of " << ToInt(owner_id) << " at " << shards_.now_ms();
      }
    }
  }

  std::mt19937_64 random_;
  const absl::Duration ttl_;
  const bool loses_some_;
  Shards shards_;
  std::map<UserId, User> users_;
  std::uint64_t seen_ = 0;
};

TEST(ParkingRandomTest, WheneverNothingIsUnderWayEverybodySeesWhoIsInSight) {
  EngineStats stats;
  std::uint64_t seen = 0;
  const std::uint64_t ran = ForSeeds(500, [&](std::uint64_t seed) {
    Wanderers wanderers(seed);
    wanderers.Run(400);
    stats += wanderers.stats();
    seen += wanderers.seen();
  });
  EXPECT_GT(stats.locations_parked, ran * 50);
  EXPECT_GT(stats.locations_asked, ran * 5);
  EXPECT_GT(stats.bound_breaks, ran * 10);
  EXPECT_GT(seen, ran * 50);
}

}  // namespace
}  // namespace nearby::test
