#include "nearby/testing/simulated_clock.h"

#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/time.h"

namespace nearby {
namespace {

TEST(SimulatedClockTest, StandsStillUntilMoved) {
  SimulatedClock clock(Time::Millis(1'000));
  EXPECT_EQ(clock.Now(), Time::Millis(1'000));
  EXPECT_EQ(clock.Now(), Time::Millis(1'000));
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(clock.Now(), Time::Millis(3'000));
  clock.Advance(absl::Microseconds(1'999));
  EXPECT_EQ(clock.Now(), Time::Millis(3'001));
  clock.Advance(-absl::Seconds(1));
  EXPECT_EQ(clock.Now(), Time::Millis(2'001));
  clock.Set(Time::Millis(-5));
  EXPECT_EQ(clock.Now(), Time::Millis(-5));
  EXPECT_EQ(SimulatedClock().Now(), Time::Millis(0));
}

TEST(SimulatedClockTest, StaysValid) {
  SimulatedClock clock(Time::Millis(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(clock.Now(), Time::Millis(-kMaxTimeMs));
  clock.Advance(absl::InfiniteDuration());
  EXPECT_EQ(clock.Now(), Time::Millis(kMaxTimeMs));
  clock.Advance(-absl::InfiniteDuration());
  EXPECT_EQ(clock.Now(), Time::Millis(-kMaxTimeMs));
  clock.Set(kNever);
  EXPECT_TRUE(IsValid(clock.Now()));
}

TEST(SimulatedClockTest, LosesNoAdvanceOfAnyThread) {
  SimulatedClock clock;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&clock] {
      Time before = clock.Now();
      for (int step = 0; step < 1'000; ++step) {
        clock.Advance(absl::Milliseconds(1));
        const Time now = clock.Now();
        EXPECT_GT(now, before);
        before = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clock.Now(), Time::Millis(4'000));
}

}  // namespace
}  // namespace nearby
