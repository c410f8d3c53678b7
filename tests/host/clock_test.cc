#include "nearby/clock.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "nearby/time.h"
#include "src/host/slewed_time.h"

namespace nearby {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

TEST(SystemClockTest, IsTheWallClock) {
  const Time before = Time::FromAbsl(absl::Now());
  const Time now = SystemClock::Get()->Now();
  EXPECT_GE(now, before);
  EXPECT_LE(now.ms, before.ms + kDayMs);
  EXPECT_GE(SystemClock::Get()->Now(), now);
}

TEST(SlewedTimeTest, FollowsTheWallClockForward) {
  internal::SlewedTime time;
  EXPECT_EQ(time.Next(1'000, 5).ms, 1'000);
  EXPECT_EQ(time.Next(1'010, 15).ms, 1'010);
  EXPECT_EQ(time.Next(1'010 + kDayMs, 16).ms, 1'010 + kDayMs);
}

TEST(SlewedTimeTest, RunsAtHalfThePaceWhereTheWallClockIsPutBack) {
  internal::SlewedTime time;
  time.Next(10'000, 0);
  // Read every millisecond or once: the same time passes.
  for (std::int64_t ms = 1; ms <= 1'000; ++ms) time.Next(2'000 + ms, ms);
  EXPECT_EQ(time.Next(3'000, 1'000).ms, 10'500);
  EXPECT_EQ(time.Next(5'000, 3'000).ms, 11'500);
  EXPECT_EQ(time.Next(17'000, 15'000).ms, 17'500);
  EXPECT_EQ(time.Next(18'000, 16'000).ms, 18'000) << "caught up";
  EXPECT_EQ(time.Next(19'000, 17'000).ms, 19'000);
}

TEST(SlewedTimeTest, NeverGoesBackForAnyThreadThatReadsIt) {
  internal::SlewedTime time;
  std::atomic<std::int64_t> steady_ms{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::int64_t last = 0;
      for (std::int64_t i = 0; i < 10'000; ++i) {
        // A wall clock that is put back a second every thousand milliseconds.
        const std::int64_t steady = ++steady_ms;
        const std::int64_t now = time.Next(1'000'000 + steady % 1'000, steady).ms;
        EXPECT_GE(now, last);
        last = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(time.Next(0, steady_ms).ms, 1'019'000);
}

TEST(SlewedTimeTest, WorksBeforeTheEpochAndAtTheEnds) {
  internal::SlewedTime time;
  EXPECT_EQ(time.Next(-kMaxTimeMs, 0).ms, -kMaxTimeMs);
  EXPECT_EQ(time.Next(-1, 1).ms, -1);
  EXPECT_EQ(time.Next(kMaxTimeMs, 2).ms, kMaxTimeMs);
}

}  // namespace
}  // namespace nearby
