// What a cache knows of its users' speeds, and of when they were where.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/location_cache.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr std::int64_t kNow = 1'714'521'600'123;

LocationCache::Options WithTtl(absl::Duration ttl) {
  LocationCache::Options options;
  options.ttl = ttl;
  return options;
}

Position Somewhere(std::int32_t n) { return Position::FromUnits(n % 1000, n); }

LocationCache::Record At(std::int64_t accepted_ms) {
  return {Somewhere(1), Time{accepted_ms}, Time{accepted_ms}};
}

Slot AcquireAndWrite(LocationCache* cache, UserId user, std::int64_t accepted_ms) {
  const Slot slot = cache->Acquire(user).value();
  cache->Write(slot, At(accepted_ms));
  return slot;
}

// Degrees of latitude that are so many metres.
LocationCache::Record AtMeters(double meters, std::int64_t accepted_ms) {
  const double lat = meters / kEarthRadiusMeters * (180 / 3.14159265358979323846);
  return {Position::FromLatLng({lat, 10}), Time{accepted_ms}, Time{accepted_ms}};
}

TEST(LocationCacheMotionTest, ACacheThatLearnsNoSpeedsPromisesNone) {
  LocationCache::Options options = WithTtl(absl::Minutes(10));
  options.learns_speeds = false;
  LocationCache cache{options};
  const Slot slot = cache.Acquire(UserId{1}).value();
  for (std::int64_t ms = 0; ms < 200'000; ms += 10'000) {
    EXPECT_EQ(cache.Write(slot, AtMeters(0, ms)), LocationCache::Motion::kUnbounded);
    EXPECT_EQ(cache.speed_bound(slot), std::numeric_limits<double>::infinity());
    EXPECT_EQ(cache.accepted_at(slot), Time{ms});
  }
}

TEST(LocationCacheMotionTest, AWriteSaysWhetherTheUserKeptToTheirSpeed) {
  using Motion = LocationCache::Motion;
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = cache.Acquire(UserId{1}).value();
  EXPECT_EQ(cache.speed_bound(slot), 0.025);
  EXPECT_EQ(cache.Write(slot, AtMeters(0, 0)), Motion::kUnbounded) << "nothing to compare with";
  EXPECT_EQ(cache.speed_bound(slot), 0.025);
  EXPECT_EQ(cache.Write(slot, AtMeters(249, 10'000)), Motion::kBounded);
  EXPECT_EQ(cache.Write(slot, AtMeters(249 + 251, 20'000)), Motion::kUnbounded);
  EXPECT_EQ(cache.speed_bound(slot), 0.070);
  EXPECT_EQ(cache.Write(slot, AtMeters(500 + 699, 30'000)), Motion::kBounded);
  EXPECT_EQ(cache.Write(slot, AtMeters(1e6, 40'000)), Motion::kUnbounded) << "a jump";
  EXPECT_EQ(cache.speed_bound(slot), std::numeric_limits<double>::infinity());
  EXPECT_EQ(cache.Write(slot, AtMeters(0, 50'000)), Motion::kBounded) << "there is no bound";
}

TEST(LocationCacheMotionTest, MovingInNoTimeBreaksTheBound) {
  using Motion = LocationCache::Motion;
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = cache.Acquire(UserId{1}).value();
  cache.Write(slot, AtMeters(0, 5'000));
  EXPECT_EQ(cache.Write(slot, AtMeters(0, 5'000)), Motion::kBounded) << "the same once more";
  EXPECT_EQ(cache.speed_bound(slot), 0.025);
  EXPECT_EQ(cache.Write(slot, AtMeters(0.01, 5'000)), Motion::kUnbounded);
  EXPECT_EQ(cache.speed_bound(slot), 0.070);
}

TEST(LocationCacheMotionTest, WhoeverReturnsKeptToNoSpeed) {
  using Motion = LocationCache::Motion;
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  EXPECT_EQ(cache.Write(slot, At(1'000)), Motion::kBounded);
  LocationCache::Expired expired;
  ASSERT_TRUE(cache.PopExpired(Time{601'000}, &expired));
  EXPECT_EQ(cache.Write(slot, At(602'000)), Motion::kUnbounded) << "after expiry";
  cache.Deactivate(slot);
  EXPECT_EQ(cache.Write(slot, At(603'000)), Motion::kUnbounded) << "after deactivation";
}

TEST(LocationCacheMotionTest, TheSpeedBoundFallsWithCalmReports) {
  LocationCache cache{WithTtl(absl::Hours(24))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  cache.Write(slot, {Position::FromLatLng({50, 50}), Time{1'000}, Time{1'000}});
  std::vector<double> bounds;
  for (int report = 1; report <= 40; ++report) {
    const Time now{1'000 + report * 10'000};
    EXPECT_EQ(cache.Write(slot, {Position::FromLatLng({50, 50}), now, now}),
              LocationCache::Motion::kBounded);
    if (bounds.empty() || bounds.back() != cache.speed_bound(slot)) {
      bounds.push_back(cache.speed_bound(slot));
      EXPECT_EQ(report, bounds.size() == 1 ? 1 : 8 * static_cast<int>(bounds.size() - 1));
    }
  }
  EXPECT_THAT(bounds,
              ElementsAre(std::numeric_limits<double>::infinity(), 0.3, 0.07, 0.025, 0.003));
  // Somebody else starts where nobody is known.
  cache.Release(slot);
  ASSERT_EQ(cache.Acquire(UserId{2}).value(), slot);
  EXPECT_EQ(cache.speed_bound(slot), 0.025);
}

// Times are packed where they can be, and kept in full where they cannot: beyond 2^37 ms from the
// first, or with 2^19 ms between the two.
TEST(LocationCacheMotionTest, TimesAreKeptExactlyHoweverFarApart) {
  constexpr std::int64_t kLag = std::int64_t{1} << 19;
  constexpr std::int64_t kReach = std::int64_t{1} << 37;
  for (const std::int64_t origin :
       {std::int64_t{0}, std::int64_t{-3}, kNow, kMaxTimeMs, -kMaxTimeMs}) {
    LocationCache cache{WithTtl(absl::InfiniteDuration())};
    const Slot first = cache.Acquire(UserId{1}).value();
    cache.Write(first, {Somewhere(1), Time{origin}, Time{origin}});
    const Slot slot = cache.Acquire(UserId{2}).value();
    for (const std::int64_t far :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, kReach - 1, kReach, kReach + 1,
          -kReach, -kReach - 1, -kReach + 1, kMaxTimeMs, -kMaxTimeMs}) {
      const Time accepted{std::clamp(origin + far, -kMaxTimeMs, kMaxTimeMs)};
      for (const std::int64_t lag :
           {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, kLag - 1, kLag, kLag + 1, -kLag,
            -kLag - 1, -kLag + 1, kMaxTimeMs, -kMaxTimeMs}) {
        const Time reported{std::clamp(accepted.ms + lag, -kMaxTimeMs, kMaxTimeMs)};
        cache.Write(slot, {Somewhere(2), accepted, reported});
        ASSERT_EQ(cache.accepted_at(slot), accepted);
        ASSERT_EQ(cache.reported_at(slot), reported);
        ASSERT_EQ(cache.accepted_at(first), Time{origin});
      }
    }
  }
}

TEST(LocationCacheMotionTest, ReleaseLeavesNoTimesBehind) {
  constexpr std::int64_t kYearsMs = 20 * 365 * kDayMs;
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot other = AcquireAndWrite(&cache, UserId{9}, 0);
  for (const bool is_near_at_last : {false, true}) {
    // Kept beside the table, and at last in it or still beside it.
    const Slot slot = cache.Acquire(UserId{1}).value();
    cache.Write(slot, {Somewhere(1), Time{kYearsMs}, Time{kYearsMs}});
    cache.Write(slot, {Somewhere(1), Time{5}, Time{is_near_at_last ? 5 : kYearsMs}});
    EXPECT_EQ(cache.accepted_at(slot), Time{5});
    cache.Release(slot);
    ASSERT_EQ(cache.Acquire(UserId{2}).value(), slot);
    EXPECT_LT(cache.accepted_at(slot), Time{-kMaxTimeMs});
    EXPECT_LT(cache.reported_at(slot), Time{-kMaxTimeMs});
    cache.Write(slot, {Somewhere(1), Time{7}, Time{8}});
    EXPECT_EQ(cache.accepted_at(slot), Time{7});
    EXPECT_EQ(cache.reported_at(slot), Time{8});
    cache.Release(slot);
  }
  EXPECT_EQ(cache.accepted_at(other), Time{0});
}

}  // namespace
}  // namespace nearby
