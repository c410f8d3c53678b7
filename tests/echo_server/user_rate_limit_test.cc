#include "examples/echo_server/user_rate_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace echo_server {
namespace {

using nearby::Time;
using nearby::UserId;

UserRateLimit::Options Options(double per_second, double burst, std::size_t max_users) {
  return {{per_second, burst}, max_users};
}

class UserRateLimitTest : public ::testing::Test {
 protected:
  bool Take(UserRateLimit* limit, std::uint64_t user) {
    return limit->Take(UserId{user}, now_) == absl::ZeroDuration();
  }
  void Pass(std::int64_t ms) { now_ = Time::Millis(now_.ms + ms); }

  Time now_ = Time::Millis(1'700'000'000'000);
};

TEST_F(UserRateLimitTest, EachUserHasABurstAndThenARate) {
  UserRateLimit limit(Options(2, 3, 100));
  for (const std::uint64_t user : {1, 2}) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(Take(&limit, user));
    EXPECT_EQ(limit.Take(UserId{user}, now_), absl::Milliseconds(500));
  }
  Pass(500);
  EXPECT_TRUE(Take(&limit, 1));
  EXPECT_FALSE(Take(&limit, 1));
}

TEST_F(UserRateLimitTest, NobodyIsForgottenToMakeRoomForOthers) {
  UserRateLimit limit(Options(1, 2, /*max_users=*/3));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Take(&limit, 1));
  for (std::uint64_t user = 2; user <= 100; ++user) EXPECT_EQ(Take(&limit, user), user <= 3);
  EXPECT_FALSE(Take(&limit, 1));
}

TEST_F(UserRateLimitTest, WhoHasBeenQuietMakesRoom) {
  UserRateLimit limit(Options(1, 2, /*max_users=*/2));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Take(&limit, 1));
  EXPECT_TRUE(Take(&limit, 2));
  EXPECT_GT(limit.Take(UserId{3}, now_), absl::ZeroDuration());
  // Now the bucket of 2 is full, and that of 1 half full.
  Pass(1000);
  EXPECT_TRUE(Take(&limit, 3));
  EXPECT_TRUE(Take(&limit, 1));
  EXPECT_FALSE(Take(&limit, 1));
  EXPECT_FALSE(Take(&limit, 2)) << "there is no room again";
}

TEST_F(UserRateLimitTest, AClockThatIsSetBackStopsNobody) {
  UserRateLimit limit(Options(1, 1, /*max_users=*/1));
  EXPECT_TRUE(Take(&limit, 1));
  EXPECT_FALSE(Take(&limit, 2));
  Pass(-3'600'000);
  EXPECT_FALSE(Take(&limit, 1));
  Pass(1000);
  EXPECT_TRUE(Take(&limit, 2));
}

TEST_F(UserRateLimitTest, CountsWhatComesFromSeveralThreads) {
  UserRateLimit limit(Options(0.001, 1000, /*max_users=*/1));
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) taken += Take(&limit, 7) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace echo_server
