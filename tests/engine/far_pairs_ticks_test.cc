// Ticks of one byte come round, and positions grow old: what time alone does to what was said about
// a pair.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/parts/due_ticks.h"
#include "tests/engine/far_pairs_fixture.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;

TEST_F(FarPairsTest, ALongSilenceOfTheOwnerOfTheRowTurnsNoTickIntoTheFuture) {
  // Ticks of one byte come round every 35 minutes: after half of that and more, what lies behind
  // would read as ahead.
  int passed_by = 0;
  for (std::int64_t silence = 100; silence <= 800; silence += 13) {
    SCOPED_TRACE(absl::StrCat(silence, " ticks"));
    Begin(WithTtl(absl::Hours(6)));
    const std::int64_t until = twins().now_ms() + silence * DueTicks::kTickMs;
    while (twins().now_ms() < until) {
      twins().AdvanceBy(300'000);
      twins().ReportAgain(kBob);
      passed_by += twins().was_passed_by() ? 1 : 0;
    }
    // 22 km, at the pace of a car at most.
    twins().Report(kAlice, kApart - 8'000);
    ExpectBothEnter();
    EXPECT_EQ(twins().stats().bound_breaks, 0u);
  }
  EXPECT_GT(passed_by, 30);
}

TEST_F(FarPairsTest, ALongTimeWithoutABoundTurnsNoTickIntoTheFuture) {
  Begin(WithTtl(absl::Hours(6)));
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, -5'000'000);
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - kJustOutside);
  // As many calm reports as give Alice a bound again, over more ticks than a byte tells apart.
  for (int report = 0; report < 8; ++report) {
    twins().AdvanceBy(150'000);
    twins().ReportAgain(kAlice);
  }
  twins().AdvanceBy(50'000);
  twins().Report(kAlice, kApart - kJustOutside + 1'200);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, ALongSilenceOfTheOtherMakesThemLessAndLessCertain) {
  for (std::int64_t silence = 100; silence <= 400; silence += 13) {
    SCOPED_TRACE(absl::StrCat(silence, " ticks"));
    Begin(WithTtl(absl::Hours(6)));
    const std::int64_t until = twins().now_ms() + silence * DueTicks::kTickMs;
    while (twins().now_ms() < until) {
      twins().AdvanceBy(100'000);
      twins().ReportAgain(kAlice);
    }
    // Bob has crept up in the meantime; nobody could know.
    twins().Report(kBob, kJustOutside);
    EXPECT_THAT(twins().deliveries(), IsEmpty());
    EXPECT_EQ(twins().stats().bound_breaks, 0u);
    // Alice may still go 3 m/s: no faster has she been.
    twins().AdvanceBy(400'000);
    twins().Report(kAlice, 1'000);
    ExpectBothEnter();
  }
}

TEST_F(FarPairsTest, TheAgeOfTheOthersPositionCounts) {
  Begin(WithTtl(absl::Hours(6)));
  // Alice looks at Bob's position when it is 440 s old, and starts towards him. He started then
  // already, so that they have to look again after 219 s, not after the 439 s that they are apart.
  twins().AdvanceBy(440'000);
  twins().ReportAgain(kAlice);
  ASSERT_FALSE(twins().was_passed_by());
  twins().ReportAgain(kAlice);
  ASSERT_TRUE(twins().was_passed_by());
  twins().AdvanceBy(200'000);
  twins().Report(kAlice, 200 * 24.9);
  twins().Report(kBob, kApart - 640 * 24.9);
  EXPECT_THAT(twins().deliveries(), IsEmpty());
  twins().AdvanceBy(50'000);
  twins().Report(kAlice, 250 * 24.9);
  ExpectBothEnter();
  EXPECT_EQ(twins().stats().bound_breaks, 0u);
}

}  // namespace
}  // namespace nearby::test
