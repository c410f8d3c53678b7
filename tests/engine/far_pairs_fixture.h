#ifndef NEARBY_TESTS_ENGINE_FAR_PAIRS_FIXTURE_H_
#define NEARBY_TESTS_ENGINE_FAR_PAIRS_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "absl/time/time.h"
#include "tests/engine/twin_engines.h"

namespace nearby::test {

inline constexpr UserId kAlice{1};
inline constexpr UserId kBob{2};
inline constexpr UserId kCarol{3};
inline constexpr UserId kDave{4};
inline constexpr Friendship kFriends{/*friends=*/true};
inline constexpr Friendship kStrangers{};

// The radius is 8,047 m, and whoever is new may go 25 m/s: at 30 km two need not look at each other
// for 439 s.
inline constexpr double kApart = 30'000;
inline constexpr double kJustOutside = 9'000;

inline EngineOptions WithTtl(absl::Duration ttl) {
  EngineOptions options;
  options.ttl = ttl;
  return options;
}

// Alice at 0 and Bob so far north, who both know that they are far apart.
class FarPairsTest : public ::testing::Test {
 protected:
  void Begin(const EngineOptions& options = {}, double apart = kApart) {
    twins_.emplace(options);
    twins_->Join(kAlice, {kBob});
    twins_->Join(kBob, {kAlice});
    twins_->Report(kAlice, 0);
    twins_->Report(kBob, apart);
    twins_->Report(kAlice, 0);
    ExpectPassedBy();
  }

  Twins& twins() { return *twins_; }

  // Both are about to be passed by, so that a test shows that something ends that.
  void ExpectPassedBy() {
    for (const UserId user : {kAlice, kBob}) {
      twins_->ReportAgain(user);
      EXPECT_TRUE(twins_->was_passed_by()) << "user " << ToInt(user);
    }
  }

  void ExpectBothEnter() {
    EXPECT_THAT(twins_->deliveries(), ::testing::UnorderedElementsAre("enter 1 2", "enter 2 1"));
  }

  // Bob comes from just outside of Alice's sight into it, at 24 m/s.
  void BobComesNear(double alice_at, double from) {
    twins_->AdvanceBy(50'000);
    twins_->Report(kBob, from < alice_at ? from + 1'200 : from - 1'200);
    EXPECT_LT(std::abs(from - alice_at) - 1'200, 8'046);
  }

  std::optional<Twins> twins_;
};

}  // namespace nearby::test

#endif  // NEARBY_TESTS_ENGINE_FAR_PAIRS_FIXTURE_H_
