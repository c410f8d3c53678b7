// Long random sequences of operations on the location cache, beside a model of it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/location_cache.h"
#include "src/parts/separations.h"
#include "src/parts/speed_bound.h"

namespace nearby {
namespace {

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

Position Somewhere(std::int32_t n) { return Position::FromUnits(n % 1000, n); }

// The cache beside the plainest thing that does the same: every operation goes to both.
class CacheAndModel {
 public:
  CacheAndModel(absl::Duration ttl, std::uint32_t max_entities)
      : ttl_ms_(absl::ToInt64Milliseconds(ttl)), max_entities_(max_entities) {
    LocationCache::Options options;
    options.ttl = ttl;
    options.max_entities = max_entities;
    cache_.emplace(options);
  }

  void Acquire(UserId user) {
    const absl::StatusOr<Slot> slot = cache_->Acquire(user);
    if (users_.count(user) == 0 && users_.size() == max_entities_) {
      EXPECT_EQ(slot.status().code(), absl::StatusCode::kResourceExhausted);
      return;
    }
    ASSERT_TRUE(slot.ok()) << slot.status();
    if (users_.count(user) == 0) {
      Slot expected{static_cast<std::uint32_t>(slots_given_)};
      if (free_.empty()) {
        ++slots_given_;
      } else {
        expected = free_.back();
        free_.pop_back();
      }
      users_[user].slot = expected;
      // Whoever had the slot before has left nothing behind.
      EXPECT_FALSE(cache_->is_active(*slot));
      EXPECT_LT(cache_->accepted_at(*slot), Time{-kMaxTimeMs});
      EXPECT_LT(cache_->reported_at(*slot), Time{-kMaxTimeMs});
      EXPECT_EQ(cache_->cookie(*slot), 0u);
      EXPECT_EQ(cache_->speed_bound(*slot), SpeedBound::kMetersPerMs[SpeedBound::kFirstClass]);
    }
    EXPECT_EQ(*slot, users_[user].slot);
  }

  void SetCookie(UserId user, std::uint64_t cookie) {
    auto it = users_.find(user);
    if (it == users_.end()) return;
    cache_->SetCookie(it->second.slot, cookie);
    it->second.cookie = cookie;
  }

  void Release(UserId user) {
    auto it = users_.find(user);
    if (it == users_.end()) return;
    cache_->Release(it->second.slot);
    free_.push_back(it->second.slot);
    users_.erase(it);
  }

  void Write(UserId user, const LocationCache::Record& record) {
    auto it = users_.find(user);
    if (it == users_.end()) return;
    const Slot slot = it->second.slot;
    const double bound = cache_->speed_bound(slot);
    const LocationCache::Motion motion = cache_->Write(slot, record);
    CheckMotion(it->second, record, bound, motion);
    EXPECT_EQ(cache_->speed_bound(slot), SpeedBound::kMetersPerMs[it->second.bound.speed_class]);
    ++motions_[motion];
    it->second.active = true;
    it->second.held = false;
    it->second.record = record;
    it->second.written = true;
  }

  void Deactivate(UserId user) {
    auto it = users_.find(user);
    if (it == users_.end()) return;
    cache_->Deactivate(it->second.slot);
    it->second.active = false;
  }

  // Takes at most `limit` expiries.
  void Pop(Time until, int limit) {
    for (int i = 0; i < limit; ++i) {
      const std::optional<LocationCache::Expired> expected = First();
      LocationCache::Expired expired;
      const bool popped = cache_->PopExpired(until, &expired);
      ASSERT_EQ(popped, expected.has_value() && expected->deadline <= until);
      if (!popped) return;
      ASSERT_EQ(expired.slot, expected->slot);
      ASSERT_EQ(expired.user, expected->user);
      ASSERT_EQ(expired.deadline, expected->deadline);
      ASSERT_EQ(expired.position, expected->position);
      Known& known = users_[expired.user];
      known.held = ToInt(expired.user) % 4 == 0;
      known.active = known.held;
      if (known.held) cache_->Hold(expired);
    }
  }

  void Check(UserId user) const {
    auto it = users_.find(user);
    const Slot slot = cache_->Find(user);
    ASSERT_EQ(slot, it == users_.end() ? kNoSlot : it->second.slot);
    if (it == users_.end()) return;
    const Known& known = it->second;
    ASSERT_EQ(cache_->user(slot), user);
    ASSERT_EQ(cache_->is_active(slot), known.active);
    if (known.active) {
      ASSERT_EQ(cache_->position(slot), known.record.position);
    }
    ASSERT_EQ(cache_->cookie(slot), known.cookie);
    ASSERT_EQ(cache_->speed_bound(slot), SpeedBound::kMetersPerMs[known.bound.speed_class]);
    if (known.written) {
      ASSERT_EQ(cache_->accepted_at(slot), known.record.accepted_at);
      ASSERT_EQ(cache_->reported_at(slot), known.record.reported_at);
    }
  }

  void CheckWhole(std::uint64_t user_count) const {
    for (std::uint64_t user = 0; user < user_count; ++user) Check(UserId{user});
    ASSERT_EQ(cache_->size(), users_.size());
    ASSERT_EQ(cache_->slot_limit(), slots_given_);
    for (const Slot slot : free_) ASSERT_FALSE(cache_->is_active(slot));
    const std::optional<LocationCache::Expired> first = First();
    if (first.has_value()) {
      ASSERT_LE(cache_->next_expiry_check(), first->deadline);
    } else {
      ASSERT_EQ(cache_->next_expiry_check(), kNever);
    }
  }

  std::size_t count(LocationCache::Motion motion) const {
    const auto found = motions_.find(motion);
    return found == motions_.end() ? 0 : found->second;
  }

 private:
  struct Known {
    Slot slot = kNoSlot;
    bool active = false;
    bool held = false;  // after an expiry, until the next write
    bool written = false;
    LocationCache::Record record;
    SpeedBound bound;
    std::uint64_t cookie = 0;
  };

  // Whoever was active is judged by the write before; `bound` was their speed until now.
  static void CheckMotion(Known& known, const LocationCache::Record& record, double bound,
                          LocationCache::Motion motion) {
    if (!known.active) {
      EXPECT_EQ(motion, LocationCache::Motion::kUnbounded);
      return;
    }
    const auto ms = static_cast<double>(record.accepted_at.ms - known.record.accepted_at.ms);
    const bool admitted =
        known.bound.Judge(MaxMetersBetween(known.record.position, record.position), ms);
    EXPECT_EQ(motion == LocationCache::Motion::kBounded, admitted);
    const double meters =
        static_cast<double>(DistanceMillimeters(known.record.position, record.position)) / 1000;
    // In the last class nothing is promised.
    if (admitted && std::isfinite(bound)) {
      EXPECT_LE(meters, bound * ms + 0.001);
    }
  }

  std::optional<LocationCache::Expired> First() const {
    std::optional<LocationCache::Expired> first;
    for (const auto& [user, known] : users_) {
      const Time deadline{known.record.accepted_at.ms + ttl_ms_};
      if (known.active && !known.held && (!first.has_value() || deadline < first->deadline)) {
        first = LocationCache::Expired{known.slot, user, deadline, known.record.position};
      }
    }
    return first;
  }

  std::int64_t ttl_ms_;
  std::size_t max_entities_;
  std::optional<LocationCache> cache_;
  std::map<UserId, Known> users_;
  std::vector<Slot> free_;
  std::size_t slots_given_ = 0;
  std::map<LocationCache::Motion, std::size_t> motions_;
};

struct Scenario {
  const char* name;
  absl::Duration ttl;
  std::int64_t start_ms;
  std::uint64_t users;
  std::uint32_t max_entities;
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

class LocationCacheRandomTest : public ::testing::TestWithParam<Scenario> {
 protected:
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }

  // Mostly now; sometimes late by up to a time to live, to the edge or beyond; rarely ahead.
  Time AcceptedAt(std::int64_t now, std::int64_t ttl) {
    std::int64_t accepted = now;
    switch (Below(10)) {
      case 0:
        accepted -= Below(ttl + 1);
        break;
      case 1:
        accepted -= ttl - Below(3) + 1;
        break;
      case 2:
        accepted -= Below(10 * ttl);
        break;
      case 3:
        if (Below(5) == 0) accepted += Below(20 * ttl);
        break;
      default:
        break;
    }
    return Time{std::clamp(accepted, -kMaxTimeMs, kMaxTimeMs)};
  }

  // A few metres on, where a walker would be; at times a long way off.
  Position MoveOn(std::int32_t n) {
    return Below(40) == 0 ? Position::FromUnits(n % 1000, n * 100'000) : Somewhere(n);
  }

  // Mostly a little late or early; at times at the borders of what is kept beside the time of
  // acceptance (2^19 ms), or with a clock that is far off.
  Time ReportedAt(Time accepted) {
    constexpr std::int64_t kBorder = std::int64_t{1} << 19;
    std::int64_t reported = accepted.ms;
    switch (Below(6)) {
      case 0:
        reported += (Below(2) == 0 ? kBorder : -kBorder) + Below(5) - 2;
        break;
      case 1:
        reported = Below(1'000'000);
        break;
      case 2:
        reported = Below(2) == 0 ? kMaxTimeMs : -kMaxTimeMs;
        break;
      default:
        reported -= Below(10'000) - 1'000;
    }
    return Time{std::clamp(reported, -kMaxTimeMs, kMaxTimeMs)};
  }

  // Steps within a bucket, over buckets, to a time to live, and far beyond the ring.
  std::int64_t Step(std::int64_t ttl) {
    switch (Below(12)) {
      case 0:
        return ttl;
      case 1:
        return Below(2 * ttl);
      case 2:
        return Below(20) == 0 ? Below(40 * kDayMs) : 1;
      case 3:
        return 1024;
      case 4:
        return Below(5'000);
      default:
        return Below(ttl / 30 + 2);
    }
  }

  std::mt19937_64 random_;
};

TEST_P(LocationCacheRandomTest, AgreesWithTheModel) {
  const Scenario& scenario = GetParam();
  const std::int64_t ttl = absl::ToInt64Milliseconds(scenario.ttl);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    random_.seed(seed);
    CacheAndModel both(scenario.ttl, scenario.max_entities);
    std::int64_t now = scenario.start_ms;
    for (int i = 0; i < 10'000 && !HasFatalFailure(); ++i) {
      const UserId user{random_() % scenario.users};
      switch (Below(16)) {
        case 0:
          both.Release(user);
          break;
        case 1:
          both.Deactivate(user);
          break;
        case 2:
          both.Acquire(user);
          break;
        case 3:
          both.Pop(Time{now}, 1);
          break;
        case 4:
          both.Pop(Time{now - Below(ttl)}, 3);
          break;
        case 5:  // A slot used again at once, by the same user or another.
          both.Release(user);
          both.Acquire(Below(2) == 0 ? user : UserId{random_() % scenario.users});
          break;
        case 6:
        case 7:
          now = std::min(now + Step(ttl), kMaxTimeMs);
          both.Pop(Time{now}, static_cast<int>(scenario.users));
          break;
        case 8:
          both.SetCookie(user, random_());
          break;
        default: {
          const Time accepted_at = AcceptedAt(now, ttl);
          both.Acquire(user);
          both.Write(user, {MoveOn(i), accepted_at, ReportedAt(accepted_at)});
        }
      }
      both.Check(user);
      if (i % 50 == 0) both.CheckWhole(scenario.users);
    }
    both.Pop(Time{2 * kMaxTimeMs}, static_cast<int>(scenario.users));
    both.CheckWhole(scenario.users);
    EXPECT_GT(both.count(LocationCache::Motion::kUnbounded), 100u);
    if (scenario.ttl >= absl::Minutes(10)) {
      EXPECT_GT(both.count(LocationCache::Motion::kBounded), 20u);
    }
    if (HasFatalFailure()) return;
  }
}

constexpr std::int64_t kNow = 1'714'521'600'123;

INSTANTIATE_TEST_SUITE_P(
    , LocationCacheRandomTest,
    ::testing::Values(
        Scenario{"OneMillisecond", absl::Milliseconds(1), kNow, 20, 1000},
        Scenario{"OneMillisecondFull", absl::Milliseconds(1), -50'000, 20, 10},
        Scenario{"TwoSeconds", absl::Seconds(2), -20'000, 30, 1000},
        Scenario{"JustABucket", absl::Milliseconds(1024), 0, 30, 1000},
        Scenario{"TenMinutes", absl::Minutes(10), kNow, 40, 1000},
        Scenario{"TenMinutesCrowded", absl::Minutes(10), kNow, 500, 400},
        Scenario{"TenMinutesFromTheBeginning", absl::Minutes(10), -kMaxTimeMs, 40, 1000},
        Scenario{"TenMinutesAtTheEnd", absl::Minutes(10), kMaxTimeMs - 3'000'000, 40, 1000},
        Scenario{"SeventyMinutes", absl::Minutes(70), kNow, 40, 1000},
        Scenario{"ThirtyDays", absl::Hours(720), kNow, 40, 1000},
        // Years pass: times too far apart for one origin.
        Scenario{"AYear", absl::Hours(24 * 365), kNow, 40, 1000}),
    [](const auto& scenario) { return std::string(scenario.param.name); });

}  // namespace
}  // namespace nearby
