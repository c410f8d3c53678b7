#include "nearby/location_cache.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby {

bool operator==(const LocationCache::Expired& a, const LocationCache::Expired& b) {
  return a.slot == b.slot && a.user == b.user && a.deadline == b.deadline &&
         a.position == b.position;
}

std::ostream& operator<<(std::ostream& out, const LocationCache::Expired& expired) {
  return out << "{slot " << ToInt(expired.slot) << ", user " << ToInt(expired.user) << ", at "
             << expired.deadline.ms << "}";
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

LocationCache::Options WithTtl(absl::Duration ttl) {
  LocationCache::Options options;
  options.ttl = ttl;
  return options;
}

Position Somewhere(std::int32_t n) { return Position::FromUnits(n % 1000, n); }

LocationCache::Record At(std::int64_t accepted_ms) {
  return {Somewhere(1), Time{accepted_ms}, Time{accepted_ms}};
}

LocationCache::Expired ExpiryOf(Slot slot, UserId user, Time deadline) {
  return {slot, user, deadline, Somewhere(1)};
}

Slot AcquireAndWrite(LocationCache* cache, UserId user, std::int64_t accepted_ms) {
  const Slot slot = cache->Acquire(user).value();
  cache->Write(slot, At(accepted_ms));
  return slot;
}

std::vector<LocationCache::Expired> PopAll(LocationCache* cache, Time until) {
  std::vector<LocationCache::Expired> all;
  LocationCache::Expired expired;
  while (cache->PopExpired(until, &expired)) all.push_back(expired);
  return all;
}

std::vector<UserId> UsersExpired(LocationCache* cache, Time until) {
  std::vector<UserId> users;
  for (const LocationCache::Expired& expired : PopAll(cache, until)) users.push_back(expired.user);
  return users;
}

TEST(LocationCacheTest, UnknownUserHasNoSlot) {
  LocationCache cache{LocationCache::Options{}};
  EXPECT_EQ(cache.Find(UserId{7}), kNoSlot);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.slot_limit(), 0u);
  EXPECT_EQ(cache.next_expiry_check(), kNever);
  EXPECT_THAT(PopAll(&cache, kNever), IsEmpty());
}

TEST(LocationCacheTest, AcquiredUserIsKnownButInactive) {
  LocationCache cache{LocationCache::Options{}};
  const Slot slot = cache.Acquire(UserId{0}).value();
  EXPECT_EQ(cache.Find(UserId{0}), slot);
  EXPECT_EQ(cache.Acquire(UserId{0}).value(), slot);
  EXPECT_EQ(cache.user(slot), UserId{0});
  EXPECT_FALSE(cache.is_active(slot));
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.next_expiry_check(), kNever);
}

TEST(LocationCacheTest, WriteStoresTheWholeRecord) {
  LocationCache cache{LocationCache::Options{}};
  const Slot slot = cache.Acquire(UserId{~std::uint64_t{0}}).value();
  cache.Write(slot, {Somewhere(5), Time{-30}, Time{-40}});
  EXPECT_TRUE(cache.is_active(slot));
  EXPECT_EQ(cache.position(slot), Somewhere(5));
  EXPECT_EQ(cache.positions()[ToInt(slot)], Somewhere(5));
  EXPECT_EQ(cache.accepted_at(slot), Time{-30});
  EXPECT_EQ(cache.reported_at(slot), Time{-40});
}

TEST(LocationCacheTest, DeactivateKeepsTheTimesAndCancelsTheExpiry) {
  LocationCache cache{LocationCache::Options{}};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 1000);
  cache.Deactivate(slot);
  cache.Deactivate(slot);
  EXPECT_FALSE(cache.is_active(slot));
  EXPECT_EQ(cache.accepted_at(slot), Time{1000});
  EXPECT_EQ(cache.reported_at(slot), Time{1000});
  EXPECT_EQ(cache.Find(UserId{1}), slot);
  EXPECT_EQ(cache.next_expiry_check(), kNever);
  EXPECT_THAT(PopAll(&cache, Time{10 * kDayMs}), IsEmpty());
}

TEST(LocationCacheTest, SlotsAreReusedLatestFirst) {
  LocationCache cache{LocationCache::Options{}};
  const Slot a = cache.Acquire(UserId{1}).value();
  const Slot b = cache.Acquire(UserId{2}).value();
  cache.Release(a);
  cache.Release(b);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.slot_limit(), 2u);
  EXPECT_EQ(cache.Acquire(UserId{3}).value(), b);
  EXPECT_EQ(cache.Acquire(UserId{4}).value(), a);
  EXPECT_EQ(cache.Find(UserId{1}), kNoSlot);
  EXPECT_EQ(cache.Find(UserId{2}), kNoSlot);
}

TEST(LocationCacheTest, FullCacheRefusesNewUsersOnly) {
  LocationCache::Options options;
  options.max_entities = 2;
  options.expected_entities = 100;
  LocationCache cache{options};
  const Slot a = cache.Acquire(UserId{1}).value();
  ASSERT_TRUE(cache.Acquire(UserId{2}).ok());
  const absl::Status full = cache.Acquire(UserId{3}).status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(cache.Find(UserId{3}), kNoSlot);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.Acquire(UserId{1}).value(), a);
  cache.Release(a);
  EXPECT_EQ(cache.Acquire(UserId{3}).value(), a);
}

TEST(LocationCacheTest, CacheForNobodyRefusesEverybody) {
  LocationCache::Options options;
  options.max_entities = 0;
  LocationCache cache{options};
  EXPECT_EQ(cache.Acquire(UserId{1}).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(LocationCacheTest, ExpiresAtTheDeadlineAndNotBefore) {
  for (const std::int64_t start : {-kMaxTimeMs, std::int64_t{-1}, std::int64_t{0},
                                   std::int64_t{1'700'000'000'123}, kMaxTimeMs}) {
    LocationCache cache{WithTtl(absl::Minutes(10))};
    const Slot slot = AcquireAndWrite(&cache, UserId{1}, start);
    const Time deadline{start + 600'000};
    EXPECT_THAT(PopAll(&cache, Time{deadline.ms - 1}), IsEmpty());
    EXPECT_TRUE(cache.is_active(slot));
    EXPECT_THAT(PopAll(&cache, deadline), ElementsAre(ExpiryOf(slot, UserId{1}, deadline)));
    EXPECT_FALSE(cache.is_active(slot));
    EXPECT_EQ(cache.accepted_at(slot), Time{start});
  }
}

TEST(LocationCacheTest, RenewalInTheMillisecondOfTheDeadlineSaves) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  EXPECT_THAT(PopAll(&cache, Time{599'999}), IsEmpty());
  cache.Write(slot, At(600'000));
  EXPECT_THAT(PopAll(&cache, Time{1'199'999}), IsEmpty());
  EXPECT_THAT(UsersExpired(&cache, Time{1'200'000}), ElementsAre(UserId{1}));
}

TEST(LocationCacheTest, StormInOneMillisecondExpiresInOrderOfUsers) {
  constexpr std::uint64_t kUsers = 100'000;
  LocationCache cache{WithTtl(absl::Minutes(10))};
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < kUsers; ++i) users.push_back(UserId{i * 0x9E3779B97F4A7C15u});
  for (const UserId user : users) AcquireAndWrite(&cache, user, 12'345);
  std::sort(users.begin(), users.end());
  EXPECT_THAT(PopAll(&cache, Time{612'344}), IsEmpty());
  EXPECT_EQ(UsersExpired(&cache, Time{612'345}), users);
  EXPECT_EQ(cache.next_expiry_check(), kNever);
}

TEST(LocationCacheTest, OrderIsOfDeadlinesFirstAcrossBucketBorders) {
  LocationCache cache{WithTtl(absl::Milliseconds(1024))};
  AcquireAndWrite(&cache, UserId{1}, 1024);
  AcquireAndWrite(&cache, UserId{2}, 1023);
  AcquireAndWrite(&cache, UserId{3}, -1);
  AcquireAndWrite(&cache, UserId{4}, 0);
  AcquireAndWrite(&cache, UserId{5}, -1025);
  EXPECT_THAT(UsersExpired(&cache, Time{10'000}),
              ElementsAre(UserId{5}, UserId{3}, UserId{4}, UserId{2}, UserId{1}));
}

TEST(LocationCacheTest, WhoIsHeldIsActiveAgainAndExpiresAfterTheNextWrite) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  AcquireAndWrite(&cache, UserId{2}, 0);
  LocationCache::Expired expired;
  ASSERT_TRUE(cache.PopExpired(Time{600'000}, &expired));
  cache.Hold(expired);
  EXPECT_TRUE(cache.is_active(slot));
  EXPECT_EQ(cache.position(slot), Somewhere(1));
  EXPECT_EQ(cache.accepted_at(slot), Time{0});
  EXPECT_THAT(UsersExpired(&cache, Time{kDayMs}), ElementsAre(UserId{2}));
  cache.Write(slot, At(kDayMs));
  EXPECT_THAT(PopAll(&cache, Time{kDayMs + 599'999}), IsEmpty());
  EXPECT_THAT(UsersExpired(&cache, Time{kDayMs + 600'000}), ElementsAre(UserId{1}));
}

TEST(LocationCacheTest, WhoIsHeldMayGo) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  for (const bool release : {false, true}) {
    const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
    LocationCache::Expired expired;
    ASSERT_TRUE(cache.PopExpired(Time{600'000}, &expired));
    cache.Hold(expired);
    cache.Deactivate(slot);
    EXPECT_FALSE(cache.is_active(slot));
    if (!release) cache.Write(slot, At(0));
    cache.Release(slot);
    EXPECT_THAT(PopAll(&cache, Time{kDayMs}), IsEmpty());
  }
}

// A user who was held has not stood still: what is held bounds where they may be.
TEST(LocationCacheTest, AWriteToWhoIsHeldIsJudgedByWhatIsHeld) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  LocationCache::Expired expired;
  ASSERT_TRUE(cache.PopExpired(Time{600'000}, &expired));
  cache.Hold(expired);
  EXPECT_EQ(cache.Write(slot, At(700'000)), LocationCache::Motion::kBounded);
}

TEST(LocationCacheTest, SlotReusedForAnEarlierDeadlineExpiresOnce) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  EXPECT_THAT(PopAll(&cache, Time{1'000'000}), IsEmpty());
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 1'000'000);
  cache.Release(slot);
  ASSERT_EQ(AcquireAndWrite(&cache, UserId{2}, 450'000), slot);
  EXPECT_THAT(PopAll(&cache, Time{1'049'999}), IsEmpty());
  EXPECT_THAT(PopAll(&cache, Time{5'000'000}),
              ElementsAre(ExpiryOf(slot, UserId{2}, Time{1'050'000})));
}

TEST(LocationCacheTest, ReleaseAndAcquireOfTheSameUserStartsAfresh) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  cache.Release(slot);
  ASSERT_EQ(cache.Acquire(UserId{1}).value(), slot);
  EXPECT_FALSE(cache.is_active(slot));
  EXPECT_THAT(PopAll(&cache, Time{600'000}), IsEmpty());
  cache.Write(slot, At(600'000));
  EXPECT_THAT(PopAll(&cache, Time{1'199'999}), IsEmpty());
  EXPECT_THAT(UsersExpired(&cache, Time{1'200'000}), ElementsAre(UserId{1}));
}

TEST(LocationCacheTest, OlderRecordOfTheSameUserBringsTheDeadlineForward) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 500'000);
  cache.Write(slot, At(100));
  EXPECT_EQ(cache.accepted_at(slot), Time{100});
  EXPECT_THAT(PopAll(&cache, Time{2'000'000}),
              ElementsAre(ExpiryOf(slot, UserId{1}, Time{600'100})));
}

TEST(LocationCacheTest, RecordThatIsDueAlreadyExpiresAtTheNextPop) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot a = AcquireAndWrite(&cache, UserId{1}, 5 * kDayMs);
  EXPECT_THAT(PopAll(&cache, Time{5 * kDayMs}), IsEmpty());
  const Slot b = AcquireAndWrite(&cache, UserId{2}, kDayMs);
  EXPECT_THAT(PopAll(&cache, Time{5 * kDayMs}),
              ElementsAre(ExpiryOf(b, UserId{2}, Time{kDayMs + 600'000})));
  EXPECT_TRUE(cache.is_active(a));
}

TEST(LocationCacheTest, JumpsOfTimeKeepTheOrder) {
  // Records spread over a year while the cache's time stands still: far more than its ring of
  // buckets spans at once.
  for (const absl::Duration ttl : {absl::Milliseconds(1), absl::Minutes(10), absl::Hours(720)}) {
    LocationCache cache{WithTtl(ttl)};
    EXPECT_THAT(PopAll(&cache, Time{0}), IsEmpty());
    std::vector<UserId> users;
    for (std::uint64_t day = 0; day < 365; ++day) {
      const UserId user{1'000 - day};
      users.push_back(user);
      AcquireAndWrite(&cache, user, static_cast<std::int64_t>(day) * kDayMs);
    }
    const auto middle = users.begin() + 180;
    const Time until{180 * kDayMs + absl::ToInt64Milliseconds(ttl) - 1};
    EXPECT_EQ(UsersExpired(&cache, until), std::vector<UserId>(users.begin(), middle));
    EXPECT_EQ(UsersExpired(&cache, Time{1'000 * kDayMs}), std::vector<UserId>(middle, users.end()));
  }
}

TEST(LocationCacheTest, JumpOverAllOfTimeCostsOnePass) {
  // Tick by tick, or even round by round, this would take hours.
  LocationCache cache{WithTtl(absl::Minutes(10))};
  AcquireAndWrite(&cache, UserId{1}, -kMaxTimeMs);
  AcquireAndWrite(&cache, UserId{2}, kMaxTimeMs);
  EXPECT_THAT(UsersExpired(&cache, Time{kMaxTimeMs - 1}), ElementsAre(UserId{1}));
  EXPECT_THAT(UsersExpired(&cache, Time{kMaxTimeMs + 600'000}), ElementsAre(UserId{2}));
}

TEST(LocationCacheTest, TimeMayPassWithoutAnyPop) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  AcquireAndWrite(&cache, UserId{1}, 0);
  EXPECT_THAT(UsersExpired(&cache, Time{600'000}), ElementsAre(UserId{1}));
  AcquireAndWrite(&cache, UserId{1}, 900 * kDayMs);
  const Time deadline{900 * kDayMs + 600'000};
  EXPECT_LE(cache.next_expiry_check(), deadline);
  EXPECT_GE(cache.next_expiry_check(), Time{deadline.ms - 1024});
  EXPECT_THAT(PopAll(&cache, Time{deadline.ms - 1}), IsEmpty());
  EXPECT_THAT(UsersExpired(&cache, deadline), ElementsAre(UserId{1}));
}

TEST(LocationCacheTest, TimeToLiveWithoutEndNeverOverflows) {
  LocationCache cache{WithTtl(absl::InfiniteDuration())};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, kMaxTimeMs);
  EXPECT_THAT(PopAll(&cache, Time{kMaxTimeMs}), IsEmpty());
  EXPECT_TRUE(cache.is_active(slot));
}

TEST(LocationCacheTest, NextCheckIsAtMostABucketEarlyForWhatWasNotRenewed) {
  for (const std::int64_t start :
       {-kMaxTimeMs, std::int64_t{-777}, std::int64_t{1'700'000'000'123}}) {
    LocationCache cache{WithTtl(absl::Minutes(10))};
    EXPECT_THAT(PopAll(&cache, Time{start}), IsEmpty());
    const Slot late = AcquireAndWrite(&cache, UserId{1}, start + 5'000);
    const Slot early = AcquireAndWrite(&cache, UserId{2}, start);
    EXPECT_LE(cache.next_expiry_check(), Time{start + 600'000});
    EXPECT_GT(cache.next_expiry_check(), Time{start + 600'000 - 1024});
    cache.Deactivate(early);
    EXPECT_LE(cache.next_expiry_check(), Time{start + 605'000});
    EXPECT_GT(cache.next_expiry_check(), Time{start + 605'000 - 1024});
    cache.Release(late);
    EXPECT_EQ(cache.next_expiry_check(), kNever);
  }
}

TEST(LocationCacheTest, SleepingUntilTheNextCheckMissesNothingAndWakesSeldom) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = AcquireAndWrite(&cache, UserId{1}, 0);
  // 20 reports, a minute apart; then silence.
  std::int64_t now = 0;
  int wakes = 0;
  std::vector<LocationCache::Expired> expired;
  for (int minute = 1; expired.empty(); ++minute) {
    const std::int64_t next_report = minute <= 20 ? minute * 60'000 : kNever.ms;
    while (cache.next_expiry_check().ms <= next_report && expired.empty()) {
      // Once for each time to live in which the slot was renewed, and once more when its tick
      // begins.
      ASSERT_LE(++wakes, 8);
      now = std::max(now, cache.next_expiry_check().ms);
      expired = PopAll(&cache, Time{now});
    }
    if (minute <= 20) cache.Write(slot, At(next_report));
  }
  EXPECT_EQ(now, 20 * 60'000 + 600'000);
  EXPECT_THAT(expired, ElementsAre(ExpiryOf(slot, UserId{1}, Time{now})));
}

TEST(LocationCacheTest, ACookieStaysUntilRelease) {
  LocationCache cache{WithTtl(absl::Minutes(10))};
  const Slot slot = cache.Acquire(UserId{1}).value();
  EXPECT_EQ(cache.cookie(slot), 0u);
  cache.SetCookie(slot, ~std::uint64_t{0});
  cache.Write(slot, At(0));
  cache.Deactivate(slot);
  for (std::uint64_t user = 2; user < 100; ++user) {
    cache.SetCookie(cache.Acquire(UserId{user}).value(), user);
  }
  EXPECT_EQ(cache.cookie(slot), ~std::uint64_t{0});
  EXPECT_EQ(cache.user(slot), UserId{1});
  cache.Release(slot);
  ASSERT_EQ(cache.Acquire(UserId{1}).value(), slot);
  EXPECT_EQ(cache.cookie(slot), 0u);
}

TEST(LocationCacheTest, FindAllAgreesWithFind) {
  LocationCache cache{LocationCache::Options{}};
  std::mt19937_64 random(20'240'501);
  for (std::uint64_t user = 0; user < 5'000; ++user) {
    const Slot slot = cache.Acquire(UserId{user * 3}).value();
    if (user % 2 == 0) {
      cache.Write(slot, {Somewhere(static_cast<std::int32_t>(user)), Time{0}, Time{0}});
    }
  }
  for (std::uint64_t user = 0; user < 5'000; user += 7) cache.Release(cache.Find(UserId{user * 3}));
  for (const std::size_t count : {0u, 1u, 255u, 256u, 257u, 1000u}) {
    std::vector<UserId> users;
    for (std::size_t i = 0; i < count; ++i) users.push_back(UserId{random() % 16'000});
    std::vector<LocationCache::Found> found(count, {Slot{1}, Somewhere(9)});
    cache.FindAll(users, absl::MakeSpan(found));
    std::vector<Slot> slots(count, Slot{1});
    cache.FindAll(users, absl::MakeSpan(slots));
    for (std::size_t i = 0; i < count; ++i) {
      const Slot slot = cache.Find(users[i]);
      EXPECT_EQ(found[i].slot, slot);
      EXPECT_EQ(slots[i], slot);
      EXPECT_EQ(found[i].position, slot == kNoSlot ? Position::Nowhere() : cache.position(slot));
    }
  }
}

}  // namespace
}  // namespace nearby
