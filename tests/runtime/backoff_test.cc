#include "src/runtime/backoff.h"

#include <cstdint>
#include <set>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nearby::internal {
namespace {

TEST(BackoffTest, DoublesUpToTheMaximumWithUpToAHalfMore) {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(10), /*seed=*/7);
  std::int64_t base = 100;
  for (std::uint32_t failures = 1; failures <= 40; ++failures) {
    for (int i = 0; i < 50; ++i) {
      const std::int64_t delay = backoff.DelayMs(failures);
      EXPECT_GE(delay, base);
      EXPECT_LE(delay, base + base / 2);
    }
    base = base * 2 > 10'000 ? 10'000 : base * 2;
  }
}

TEST(BackoffTest, ThoseWhoFailedTogetherDoNotComeBackTogether) {
  std::set<std::int64_t> delays;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    delays.insert(Backoff(absl::Seconds(10), absl::Seconds(10), seed).DelayMs(1));
  }
  EXPECT_GT(delays.size(), 50u);
}

TEST(BackoffTest, TheSameSeedGivesTheSameDelays) {
  Backoff a(absl::Milliseconds(100), absl::Seconds(10), /*seed=*/7);
  Backoff b(absl::Milliseconds(100), absl::Seconds(10), /*seed=*/7);
  for (std::uint32_t failures = 1; failures <= 20; ++failures) {
    EXPECT_EQ(a.DelayMs(failures), b.DelayMs(failures));
  }
}

TEST(BackoffTest, NeverStandsStill) {
  Backoff backoff(absl::Microseconds(1), absl::ZeroDuration(), /*seed=*/0);
  EXPECT_EQ(backoff.DelayMs(0), 1);
  EXPECT_EQ(backoff.DelayMs(0xFFFFFFFFu), 1);
}

TEST(BackoffTest, TheLongestDelaysThatOptionsAllowDoNotOverflow) {
  constexpr absl::Duration kYear = absl::Hours(24 * 365);
  Backoff backoff(kYear, kYear, /*seed=*/0);
  const std::int64_t year_ms = absl::ToInt64Milliseconds(kYear);
  for (std::uint32_t failures = 1; failures <= 70; ++failures) {
    EXPECT_GE(backoff.DelayMs(failures), year_ms);
    EXPECT_LE(backoff.DelayMs(failures), year_ms + year_ms / 2);
  }
  Backoff long_way(absl::Milliseconds(1), kYear, /*seed=*/0);
  for (std::uint32_t failures = 36; failures <= 70; ++failures) {
    EXPECT_GE(long_way.DelayMs(failures), year_ms);
    EXPECT_LE(long_way.DelayMs(failures), year_ms + year_ms / 2);
  }
}

TEST(BackoffTest, WhatIsWrongForGoodIsNotTriedAgain) {
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(IsRetryable(absl::StatusCode::kUnknown));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kPermissionDenied));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kUnimplemented));
  EXPECT_FALSE(IsRetryable(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace nearby::internal
