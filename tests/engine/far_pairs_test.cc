// Pairs too far apart to have met are passed by, and yet what is delivered is what checking every
// pair delivers. Each rule by which what was said about a pair loses its ground has a test here for
// each of the two rows that the pair stands in: that of whoever gave it up, and that of the other,
// who is the one to move next.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "tests/engine/far_pairs_fixture.h"
#include "tests/engine/twin_engines.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(FarPairsTest, WhoeverJumpsLooksAtOnce) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - 5'000);
  ExpectBothEnter();
  EXPECT_EQ(twins().stats().bound_breaks, 1u);
}

TEST_F(FarPairsTest, TheOtherLooksAgainAfterAJump) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - kJustOutside);
  EXPECT_THAT(twins().deliveries(), IsEmpty());
  BobComesNear(kApart - kJustOutside, kApart);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, AGlitchIsSeenEachTimeAndForgottenInBetween) {
  Begin();
  for (int glitch = 0; glitch < 3; ++glitch) {
    twins().AdvanceBy(5'000);
    twins().Report(kAlice, kApart);
    ExpectBothEnter();
    twins().AdvanceBy(5'000);
    twins().Report(kAlice, 0);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("leave 1 2", "leave 2 1"));
    // Who may be anywhere is looked at each time, until they have been calm for long enough.
    for (int report = 0; report < 40; ++report) {
      twins().AdvanceBy(1'000);
      twins().ReportAgain(kAlice);
    }
    twins().ReportAgain(kBob);
    ExpectPassedBy();
  }
  EXPECT_GE(twins().stats().bound_breaks, 3u);
}

TEST_F(FarPairsTest, AGlitchFarAwayAndBackIsNoneTheSafer) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, -5'000'000);
  twins().ReportAgain(kBob);
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - kJustOutside);
  BobComesNear(kApart - kJustOutside, kApart);
  ExpectBothEnter();
}

// Alice goes north at that pace up to there, a report every ten seconds; true once she sees Bob.
bool AliceRidesTo(Twins& twins, double meters, double meters_per_s = 60) {
  const double step = 10 * meters_per_s;
  for (double at = step; at <= meters; at += step) {
    twins.AdvanceBy(10'000);
    twins.Report(kAlice, at);
    if (!twins.deliveries().empty()) return true;
  }
  return false;
}

TEST_F(FarPairsTest, WhoeverIsFasterThanTheirClassLooksInTime) {
  Begin();
  EXPECT_TRUE(AliceRidesTo(twins(), kApart));
  ExpectBothEnter();
  EXPECT_EQ(twins().stats().bound_breaks, 1u);
  EXPECT_LT(twins().now_ms(), 1'000'000 + 439'000) << "before the time that 25 m/s promised";
  EXPECT_GT(twins().stats().skipped, 10u) << "70 m/s is a promise, too";
}

TEST_F(FarPairsTest, TheOtherLooksInTimeAtWhoeverIsFasterThanTheirClass) {
  Begin();
  EXPECT_FALSE(AliceRidesTo(twins(), kApart - kJustOutside));
  BobComesNear(kApart - kJustOutside, kApart);
  ExpectBothEnter();
  EXPECT_LT(twins().now_ms(), 1'000'000 + 439'000);
}

TEST_F(FarPairsTest, AnyPaceBeyondTheBoundCountsAsBeyond) {
  for (const double meters_per_s : {30.0, 36.0, 45.0}) {
    Begin(WithTtl(absl::Hours(6)));
    for (int report = 0; report < 10; ++report) {
      twins().AdvanceBy(1'000);
      twins().ReportAgain(kBob);
    }
    // Bob has been calm: with 25 m/s for Alice and 3 m/s for him there are 784 s.
    twins().ReportAgain(kAlice);
    EXPECT_TRUE(AliceRidesTo(twins(), kApart, meters_per_s));
    ExpectBothEnter();
    EXPECT_EQ(twins().stats().bound_breaks, 1u);
  }
}

TEST_F(FarPairsTest, WhatPhonesWriteOnTheirReportsIsNoMeasureOfSpeed) {
  Begin(WithTtl(absl::Hours(6)));
  // By her phone, Alice takes an hour for the way.
  twins().AdvanceBy(5'000'000);
  twins().ReportAgain(kBob);
  for (int report = 0; report < 2; ++report) {
    twins().ReportAt(kAlice, Twins::PointAt(0), Time{twins().now_ms() - 3'600'000});
  }
  EXPECT_TRUE(twins().was_passed_by());
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - 5'000);
  ExpectBothEnter();
  EXPECT_EQ(twins().stats().bound_breaks, 1u);
}

TEST_F(FarPairsTest, MovingInNoTimeIsAJump) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().ReportAgain(kAlice);
  // Steps of a walker, if a millisecond were a minute.
  for (double at = 0; twins().deliveries().empty() && at < kApart; at += 100) {
    twins().Report(kAlice, at);
  }
  ExpectBothEnter();
}

TEST_F(FarPairsTest, TheOtherLooksAgainAfterAMoveInNoTime) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().ReportAgain(kAlice);
  for (double at = 0; at <= kApart - kJustOutside; at += 100) twins().Report(kAlice, at);
  BobComesNear(kApart - kJustOutside, kApart);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, WhoeverRaisesTheirRadiusLooksFarther) {
  Begin();
  twins().SetRadius(kAlice, kApart - 1'000);
  EXPECT_THAT(twins().deliveries(), IsEmpty());
  twins().AdvanceBy(50'000);
  twins().Report(kAlice, 1'200);
  EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 2"));
}

TEST_F(FarPairsTest, TheOtherIsLookedAtFromFartherAfterARaiseOfTheRadius) {
  Begin();
  twins().SetRadius(kAlice, kApart - 1'000);
  twins().AdvanceBy(50'000);
  twins().Report(kBob, kApart - 1'200);
  EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 2"));
}

TEST_F(FarPairsTest, ARadiusRaisedByASecondConnectCountsAsWell) {
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().Join(kAlice, {kBob}, kApart - 1'000);
    twins().AdvanceBy(50'000);
    twins().Report(mover, mover == kAlice ? 1'200 : kApart - 1'200);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 2"));
  }
}

TEST_F(FarPairsTest, ARadiusLoweredAndRaisedAgain) {
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().SetRadius(kAlice, 15'000);
    twins().AdvanceBy(10'000);
    twins().SetRadius(kAlice, 100);
    for (const UserId user : {kAlice, kBob}) twins().ReportAgain(user);
    ExpectPassedBy();
    twins().AdvanceBy(10'000);
    twins().SetRadius(kAlice, kApart - 1'000);
    twins().AdvanceBy(50'000);
    twins().Report(mover, mover == kAlice ? 1'200 : kApart - 1'200);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 2"));
  }
}

TEST_F(FarPairsTest, ARadiusOfOnesOwnIsReckonedWithFromTheStart) {
  // With 20 km there are 199 s until Alice can see Bob, without them 439 s.
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().SetRadius(kAlice, 20'000);
    for (const UserId user : {kAlice, kBob}) twins().ReportAgain(user);
    ExpectPassedBy();
    for (int step = 1; step <= 14; ++step) {
      twins().AdvanceBy(30'000);
      twins().Report(mover, mover == kAlice ? step * 740 : kApart - step * 740);
      if (step == 14) {
        EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 2"));
      }
    }
    EXPECT_GT(twins().stats().skipped, 8u);
    EXPECT_EQ(twins().stats().bound_breaks, 0u);
  }
}

TEST_F(FarPairsTest, WhoeverReturnsAfterExpiryLooksAtOnce) {
  Begin(WithTtl(absl::Seconds(60)), 100'000);
  twins().AdvanceBy(50'000);
  twins().ReportAgain(kBob);
  twins().AdvanceBy(50'000);
  EXPECT_EQ(twins().stats().expiries, 1u);
  twins().ReportAgain(kBob);
  twins().Report(kAlice, 100'000);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, TheOtherLooksAgainAtWhoeverReturnsAfterExpiry) {
  Begin(WithTtl(absl::Seconds(60)), 100'000);
  twins().AdvanceBy(50'000);
  twins().ReportAgain(kBob);
  twins().AdvanceBy(50'000);
  EXPECT_EQ(twins().stats().expiries, 1u);
  twins().ReportAgain(kBob);
  EXPECT_TRUE(twins().was_passed_by());
  twins().Report(kAlice, 100'000 - kJustOutside);
  BobComesNear(100'000 - kJustOutside, 100'000);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, WhoeverWasNowhereIsPassedByUntilTheyReturn) {
  Begin(WithTtl(absl::Seconds(60)), kApart);
  // Due, and then said to be nowhere.
  for (int minute = 0; minute < 10; ++minute) {
    twins().AdvanceBy(50'000);
    twins().ReportAgain(kBob);
  }
  twins().ReportAgain(kBob);
  EXPECT_TRUE(twins().was_passed_by());
  twins().Report(kAlice, kApart - kJustOutside);
  BobComesNear(kApart - kJustOutside, kApart);
  ExpectBothEnter();
}

TEST_F(FarPairsTest, WhoeverReconnectsStartsAfresh) {
  for (const bool moves : {true, false}) {
    Begin();
    twins().AdvanceBy(5'000);
    twins().Disconnect(kAlice);
    twins().ReportAgain(kBob);
    twins().Join(kAlice, {kBob});
    twins().Report(kAlice, moves ? kApart : kApart - kJustOutside);
    if (!moves) BobComesNear(kApart - kJustOutside, kApart);
    ExpectBothEnter();
  }
}

TEST_F(FarPairsTest, AReplacedSessionGoesOnWhereTheUserWas) {
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().AdvanceBy(5'000);
    twins().Join(kAlice, {kBob});
    twins().AdvanceBy(5'000);
    twins().Report(mover, mover == kAlice ? kApart : 0);
    ExpectBothEnter();
  }
}

TEST_F(FarPairsTest, ASlotReusedKeepsNoneOfTheSpeed) {
  Begin(WithTtl(absl::Hours(6)));
  const Slot slot = twins().client(kAlice).slot;
  for (int report = 0; report < 10; ++report) {
    twins().AdvanceBy(10'000);
    for (const UserId user : {kAlice, kBob}) twins().ReportAgain(user);
  }
  twins().Disconnect(kAlice);
  twins().Join(kCarol, {kBob});
  ASSERT_EQ(twins().client(kCarol).slot, slot);
  twins().Apply(kCarol, kBob, kFriends);
  // At 24 m/s, which is more than Alice could have been trusted with and less than a newcomer is.
  bool entered = false;
  for (double at = 0; at < kApart && !entered; at += 240) {
    twins().AdvanceBy(10'000);
    twins().Report(kCarol, at);
    entered = !twins().deliveries().empty();
  }
  EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 2 3", "enter 3 2"));
  EXPECT_EQ(twins().stats().bound_breaks, 0u);
}

TEST_F(FarPairsTest, NewFriendsLookAtEachOther) {
  for (const UserId mover : {kAlice, kBob}) {
    twins_.emplace();
    twins().Join(kAlice, {});
    twins().Join(kBob, {});
    twins().Report(kAlice, 0);
    twins().Report(kBob, kJustOutside);
    twins().Apply(kAlice, kBob, kFriends);
    twins().AdvanceBy(50'000);
    twins().Report(mover, mover == kAlice ? 1'200 : kJustOutside - 1'200);
    ExpectBothEnter();
  }
}

TEST_F(FarPairsTest, FriendsAgainLookAtEachOther) {
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().Apply(kAlice, kBob, kStrangers);
    twins().AdvanceBy(5'000);
    // Apart from everybody, whom nobody need look at.
    twins().Report(kAlice, kApart - kJustOutside);
    twins().Apply(kAlice, kBob, kFriends);
    twins().AdvanceBy(50'000);
    twins().Report(mover, mover == kAlice ? kApart - kJustOutside + 1'200 : kApart - 1'200);
    ExpectBothEnter();
  }
}

Friendship HiddenFrom() {
  Friendship friendship = kFriends;
  friendship.i_hide = true;
  return friendship;
}

Friendship Ignoring() {
  Friendship friendship = kFriends;
  friendship.i_unsubscribed = true;
  return friendship;
}

TEST_F(FarPairsTest, WhoeverSharesOrSubscribesAgainInSightIsSeenAtOnce) {
  for (const Friendship& before : {HiddenFrom(), Ignoring()}) {
    // While one direction is shut, the other goes on.
    const std::string open = before.i_hide ? "enter 1 2" : "enter 2 1";
    const std::string shut = before.i_hide ? "enter 2 1" : "enter 1 2";
    Begin();
    twins().Apply(kAlice, kBob, before);
    ExpectPassedBy();
    twins().AdvanceBy(5'000);
    twins().Report(kAlice, kApart);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre(open));
    twins().Apply(kAlice, kBob, kFriends);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre(shut));
  }
}

TEST_F(FarPairsTest, WhoeverSharesOrSubscribesAgainOutOfSightIsSeenWhenTheyMeet) {
  for (const Friendship& before : {HiddenFrom(), Ignoring()}) {
    for (const UserId mover : {kAlice, kBob}) {
      Begin(WithTtl(absl::Hours(6)));
      twins().Apply(kAlice, kBob, before);
      twins().AdvanceBy(450'000);
      twins().Report(kAlice, 10'000);
      twins().AdvanceBy(450'000);
      twins().Report(kAlice, kApart - kJustOutside);
      twins().Apply(kAlice, kBob, kFriends);
      EXPECT_THAT(twins().deliveries(), IsEmpty());
      twins().AdvanceBy(50'000);
      twins().Report(mover, mover == kAlice ? kApart - kJustOutside + 1'200 : kApart - 1'200);
      ExpectBothEnter();
    }
  }
}

TEST_F(FarPairsTest, AnEdgeThatTakesAnothersPlaceIsLookedAtInItsOwnTime) {
  for (const std::size_t removed : {std::size_t{0}, std::size_t{1}}) {
    twins_.emplace(WithTtl(absl::Hours(6)));
    twins().Join(kAlice, {kBob, kCarol, kDave});
    for (const UserId user : {kBob, kCarol, kDave}) twins().Join(user, {kAlice});
    twins().Report(kAlice, 0);
    twins().Report(kBob, 500'000);
    twins().Report(kCarol, 300'000);
    twins().Report(kDave, kJustOutside);
    twins().ReportAgain(kAlice);
    // Dave's edge, the last one, takes the place of one that need not be looked at for long.
    twins().Apply(kAlice, removed == 0 ? kBob : kCarol, kStrangers);
    twins().AdvanceBy(50'000);
    twins().Report(kAlice, 1'200);
    EXPECT_THAT(twins().deliveries(), UnorderedElementsAre("enter 1 4", "enter 4 1"));
  }
}

TEST_F(FarPairsTest, ABoundLearnedByCalmIsGivenUpAtTheFirstStepBeyondIt) {
  for (const bool bob_moves : {false, true}) {
    Begin(WithTtl(absl::Hours(6)));
    for (int report = 0; report < 20; ++report) {
      twins().AdvanceBy(30'000);
      for (const UserId user : {kAlice, kBob}) twins().ReportAgain(user);
    }
    // At 3 m/s each, there is more than an hour until the two can meet: as far as ticks reach.
    ExpectPassedBy();
    const double until = bob_moves ? kApart - kJustOutside : kApart;
    bool entered = false;
    for (double at = 240; at <= until && !entered; at += 240) {
      twins().AdvanceBy(10'000);
      twins().Report(kAlice, at);
      entered = !twins().deliveries().empty();
    }
    EXPECT_EQ(entered, !bob_moves);
    if (bob_moves) BobComesNear(kApart - kJustOutside, kApart);
    ExpectBothEnter();
    EXPECT_EQ(twins().stats().bound_breaks, 1u);
  }
}

TEST_F(FarPairsTest, HysteresisLeavesAndEntersAsIfEveryPairWereChecked) {
  // Whoever is seen is not passed by, even far beyond the radius.
  EngineOptions options = WithTtl(absl::Hours(6));
  options.hysteresis_m = 6'000;
  Begin(options, 30'000);
  // To and fro across both radii.
  for (int lap = 0; lap < 6; ++lap) {
    for (int step = 1; step <= 75; ++step) {
      twins().AdvanceBy(20'000);
      twins().Report(kBob, 5'000 + 400.0 * (lap % 2 == 0 ? 75 - step : step));
      twins().ReportAgain(kAlice);
    }
  }
  EXPECT_EQ(twins().stats().enters, 6u);
  EXPECT_EQ(twins().stats().leaves_for(LeaveReason::kRange), 6u);
  EXPECT_GT(twins().stats().skipped, 100u);
}

TEST_F(FarPairsTest, WithEverybodyOutOfReachNearlyNothingIsChecked) {
  Begin(WithTtl(absl::Minutes(10)), 1'000'000);
  for (int report = 0; report < 400; ++report) {
    twins().AdvanceBy(30'000);
    for (const UserId user : {kAlice, kBob}) twins().ReportAgain(user);
  }
  EXPECT_GT(twins().stats().skipped, 750u);
  EXPECT_LT(twins().stats().checks, 50u);
}

}  // namespace
}  // namespace nearby::test
