// The cache's expiries beside a sorted set of all deadlines, with so many users that their slots
// fill chunks and are looked at ahead of time, lot by lot.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/location_cache.h"

namespace nearby {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNow = 1'714'521'600'123;
constexpr Time kEnd{kNever.ms - 1};

class CacheAndSet {
 public:
  explicit CacheAndSet(absl::Duration ttl) : ttl_ms_(absl::ToInt64Milliseconds(ttl)) {
    LocationCache::Options options;
    options.ttl = ttl;
    cache_.emplace(options);
  }

  void Write(UserId user, std::int64_t accepted_ms) {
    const Slot slot = cache_->Acquire(user).value();
    Forget(slot);
    const Time accepted_at{accepted_ms};
    cache_->Write(slot, {Position::FromUnits(1, 1), accepted_at, accepted_at});
    deadlines_.insert({Time{accepted_ms + ttl_ms_}, user});
  }

  void Deactivate(UserId user) {
    const Slot slot = cache_->Find(user);
    if (slot == kNoSlot) return;
    Forget(slot);
    cache_->Deactivate(slot);
  }

  void Release(UserId user) {
    const Slot slot = cache_->Find(user);
    if (slot == kNoSlot) return;
    Forget(slot);
    cache_->PrefetchRelease(slot);
    cache_->Release(slot);
  }

  // Takes at most `limit` expiries.
  void Pop(Time until, std::size_t limit = ~std::size_t{0}) {
    LocationCache::Expired expired;
    for (; limit > 0 && cache_->PopExpired(until, &expired); --limit) {
      ASSERT_FALSE(deadlines_.empty());
      ASSERT_EQ(expired.deadline, deadlines_.begin()->first);
      ASSERT_EQ(expired.user, deadlines_.begin()->second);
      ASSERT_LE(expired.deadline, until);
      deadlines_.erase(deadlines_.begin());
    }
    CheckNext();
    if (limit == 0) return;
    ASSERT_TRUE(deadlines_.empty() || deadlines_.begin()->first > until);
    ASSERT_GT(cache_->next_expiry_check(), until);
  }

  void CheckNext() const {
    if (deadlines_.empty()) {
      ASSERT_EQ(cache_->next_expiry_check(), kNever);
    } else {
      ASSERT_LE(cache_->next_expiry_check(), deadlines_.begin()->first);
    }
  }

  const LocationCache& cache() const { return *cache_; }
  std::size_t active() const { return deadlines_.size(); }
  UserId first_user() const { return deadlines_.begin()->second; }
  UserId last_user() const { return deadlines_.rbegin()->second; }

 private:
  void Forget(Slot slot) {
    if (!cache_->is_active(slot)) return;
    ASSERT_EQ(deadlines_.erase({Time{cache_->accepted_at(slot).ms + ttl_ms_}, cache_->user(slot)}),
              1u);
  }

  std::int64_t ttl_ms_;
  std::optional<LocationCache> cache_;
  std::set<std::pair<Time, UserId>> deadlines_;
};

struct Life {
  const char* name;
  absl::Duration ttl;
};

void PrintTo(const Life& life, std::ostream* out) { *out << life.name; }

class LocationCacheExpiryTest : public ::testing::TestWithParam<Life> {
 protected:
  void Seed(std::uint64_t seed) { random_.seed(seed); }
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  UserId AnyOf(std::uint64_t users) { return UserId{random_() % users}; }

 private:
  std::mt19937_64 random_;
};

INSTANTIATE_TEST_SUITE_P(Lives, LocationCacheExpiryTest,
                         ::testing::Values(Life{"OneMillisecond", absl::Milliseconds(1)},
                                           Life{"AThird", absl::Milliseconds(333)},
                                           Life{"AMinute", absl::Minutes(1)},
                                           Life{"TenMinutes", absl::Minutes(10)},
                                           Life{"AYear", absl::Hours(24 * 365)}),
                         [](const auto& life) { return life.param.name; });

// Everybody reports, a few leave or come late; time goes in small steps, and now and then in one
// that is longer than the ring of buckets.
TEST_P(LocationCacheExpiryTest, AgreesWithASortedSet) {
  const std::int64_t ttl = absl::ToInt64Milliseconds(GetParam().ttl);
  constexpr std::uint64_t kUsers = 4'000;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Seed(seed);
    CacheAndSet both(GetParam().ttl);
    std::int64_t now = seed % 2 == 0 ? kNow : -kNow;
    for (int step = 0; step < 1'500 && !HasFatalFailure(); ++step) {
      now += Below(100) == 0 ? Below(3 * ttl + 2) : Below(ttl / 100 + 2);
      if (Below(500) == 0) now += 1'000 * kDayMs;
      both.Pop(Time{now}, Below(4) == 0 ? 10 : ~std::size_t{0});
      for (int i = 0; i < 100; ++i) both.Write(AnyOf(kUsers), now);
      for (int i = 0; i < 6; ++i) both.Write(AnyOf(kUsers), now - Below(ttl + 5));
      if (Below(10) == 0) both.Write(AnyOf(kUsers), now + Below(20 * ttl));
      for (int i = 0; i < 3; ++i) both.Release(AnyOf(kUsers));
      for (int i = 0; i < 3; ++i) both.Deactivate(AnyOf(kUsers));
      both.CheckNext();
    }
    both.Pop(kEnd);
    ASSERT_EQ(both.active(), 0u);
  }
}

// All come in one millisecond, so that all are in one bucket, which is looked at bit by bit from
// then on. Whoever is removed meanwhile is of either half, or has just been filed anew.
TEST_P(LocationCacheExpiryTest, SlotsLeaveABucketThatIsHalfDrained) {
  const std::int64_t ttl = absl::ToInt64Milliseconds(GetParam().ttl);
  constexpr std::uint64_t kUsers = 20'000;
  for (const int renewed_percent : {0, 50, 100}) {
    SCOPED_TRACE(absl::StrCat(renewed_percent, " % renewed"));
    Seed(7);
    CacheAndSet both(GetParam().ttl);
    for (std::uint64_t user = 0; user < kUsers; ++user) both.Write(UserId{user}, kNow);
    both.Pop(Time{kNow});
    for (std::uint64_t user = 0; user < kUsers; ++user) {
      if (Below(100) < renewed_percent) both.Write(UserId{user}, kNow + ttl / 9);
    }
    for (std::int64_t part = 0; part <= 240 && !HasFatalFailure(); ++part) {
      const std::int64_t now = kNow + ttl / 8 + ttl * part / 200;
      both.Pop(Time{now});
      for (int i = 0; i < 10; ++i) both.Release(AnyOf(kUsers));
      for (int i = 0; i < 10; ++i) both.Deactivate(AnyOf(kUsers));
      if (both.active() > 0) both.Deactivate(both.first_user());
      if (both.active() > 0) both.Release(both.last_user());
      // Earlier than what is held; and somebody new, in a slot that was just given back.
      both.Write(AnyOf(kUsers), now - Below(ttl));
      both.Write(UserId{kUsers + static_cast<std::uint64_t>(part)}, now);
      if (part % 4 == 0) both.Write(AnyOf(kUsers), now);
    }
    both.Pop(kEnd);
    ASSERT_EQ(both.active(), 0u);
  }
}

// The pool of chunks grows and is given back whole, again and again, at each size a little other.
TEST_P(LocationCacheExpiryTest, CrowdsComeAndGo) {
  const std::int64_t ttl = absl::ToInt64Milliseconds(GetParam().ttl);
  Seed(11);
  CacheAndSet both(GetParam().ttl);
  std::int64_t now = kNow;
  for (const std::uint64_t users : {1, 14, 15, 16, 30, 31, 5'000, 46, 20'000, 7, 9'001}) {
    for (std::uint64_t user = 0; user < users; ++user) {
      both.Write(UserId{user}, now + Below(ttl / 4 + 1));
    }
    if (users % 2 == 0) {
      for (std::uint64_t user = users; user-- > 0;) both.Release(UserId{user});
    } else {
      now += 2 * ttl;
      both.Pop(Time{now});
    }
    ASSERT_EQ(both.active(), 0u);
    both.CheckNext();
  }
}

// A restart: all begin at once, and report ever since. Nobody's look is left to the moment when the
// first deadline comes, and from then on the deadlines that are filed are as good as even.
TEST(LocationCacheAheadTest, AStormIsSpreadBeforeItsDeadlines) {
  constexpr std::uint64_t kUsers = 20'000;
  constexpr std::int64_t kRenewMs = 30'000;
  constexpr std::int64_t kStepMs = 100;
  CacheAndSet both(absl::Minutes(10));
  std::int64_t now = kNow;
  for (int step = 0; now < kNow + 1'500'000; ++step, now += kStepMs) {
    both.Pop(Time{now});
    const std::uint64_t steps = kRenewMs / kStepMs;
    for (std::uint64_t user = static_cast<std::uint64_t>(step) % steps; user < kUsers;
         user += steps) {
      both.Write(UserId{user}, now);
    }
    if (now < kNow + 590'000) continue;
    // Far enough ahead that no tick that begins has anything to drain.
    ASSERT_GT(both.cache().next_expiry_check(), Time{now + 30'000}) << now - kNow;
    ASSERT_EQ(both.active(), kUsers);
  }
}

// Whoever asks seldom gets the same, with the work in the ticks that begin.
TEST(LocationCacheAheadTest, LongPausesBetweenCallsCostNothingButTheSpreading) {
  constexpr std::uint64_t kUsers = 30'000;
  CacheAndSet both(absl::Minutes(10));
  std::mt19937_64 random(3);
  std::int64_t now = kNow;
  for (int round = 0; round < 60; ++round, now += 60'000) {
    for (std::uint64_t user = 0; user < kUsers; ++user) {
      if (random() % 8 == 0) both.Write(UserId{user}, now - static_cast<std::int64_t>(user % 977));
    }
    both.Pop(Time{now});
  }
  both.Pop(Time{now + 600'000});
  EXPECT_EQ(both.active(), 0u);
}

}  // namespace
}  // namespace nearby
