// Channels of users who are too far from everybody on another shard: their own shard keeps their
// locations to itself, and nobody is told anything else for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/engine/parking_fixture.h"

namespace nearby::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(ParkingTest, WhoIsFarFromEverybodyIsNotTalkedAbout) {
  Begin();
  for (int report = 0; report < 10; ++report) {
    Walk(kReportMs);
    EXPECT_FALSE(shards().has_messages());
  }
  EXPECT_GE(shards().stats().locations_parked, 20u);
}

TEST_F(ParkingTest, TheOptionTurnsItOff) {
  EngineOptions options;
  options.park_far_channels = false;
  shards_.emplace(options);
  shards().Join(kAlice, {{kBob, {true}}});
  shards().Join(kBob, {{kAlice, {true}}});
  shards().Carry();
  for (int report = 0; report < 4; ++report) {
    Walk(kReportMs);
    shards().Carry();
  }
  EXPECT_EQ(shards().sent(Kind::kPark), 0);
  EXPECT_EQ(shards().sent(Kind::kLocation), 8);
}

TEST_F(ParkingTest, WhoComesNearIsTalkedAboutInTime) {
  Begin();
  // 52 km at 25 m/s: Alice alone needs 2,100 s, and ticks reach half as far.
  std::vector<std::string> told;
  int locations = 0;
  while (told.empty() && alice_m_ < kApart) {
    Walk(kReportMs);
    shards().Carry();
    told = shards().deliveries();
    locations += shards().sent(Kind::kLocation);
  }
  EXPECT_THAT(told, ElementsAre("enter 1 3 7710 m", "enter 3 1 7710 m"));
  EXPECT_LT(locations, 24);  // of 140
}

TEST_F(ParkingTest, WhoBreaksTheirBoundIsTalkedAboutAtOnce) {
  Begin();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, kApart - 1000);
  EXPECT_EQ(shards().sent(Kind::kLocation), 1);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 1 3 1000 m", "enter 3 1 1000 m"));
}

// Bob's shard holds where Alice was ten minutes ago, when Bob comes to where she is now.
TEST_F(ParkingTest, WhatIsHeldOfWhoIsParkedSettlesNothing) {
  Begin();
  for (int report = 0; report < 20; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  // Where she was, but is not any more.
  shards().Report(kBob, 100.0);
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  // Where she is: 14,940 m north.
  shards().Report(kBob, 14'000.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), UnorderedElementsAre("enter 3 1 940 m", "enter 1 3 940 m"));
}

TEST_F(ParkingTest, ALargerRadiusAsksForWhoIsWithinIt) {
  Begin();
  for (int report = 0; report < 10; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  // 52,530 m apart; what Bob's shard holds is 60,000 m away.
  shards().SetRadius(kBob, 55'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 52530 m"));
}

// Bob's radius reaches nobody yet. But Alice need not have gone as far as she might until then.
TEST_F(ParkingTest, ALargerRadiusShortensThePark) {
  Begin();
  shards().SetRadius(kBob, 58'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  std::vector<std::string> told;
  for (int report = 0; report < 3 && told.empty(); ++report) {
    Walk(kReportMs);
    shards().Carry();
    told = shards().deliveries();
  }
  EXPECT_THAT(told, ElementsAre("enter 3 1 57759 m"));
}

TEST_F(ParkingTest, AFasterFriendShortensThePark) {
  Begin();
  // Bob proves to be fast. From then on he goes towards her at that speed.
  double bob_m = kApart;
  std::vector<std::string> told;
  for (int report = 0; report < 80 && told.empty(); ++report) {
    bob_m -= 0.069 * 10'000;
    shards().AdvanceBy(10'000);
    shards().Report(kAlice, 0.0);
    shards().Carry();
    shards().Report(kBob, bob_m);
    shards().Carry();
    told = shards().deliveries();
  }
  EXPECT_THAT(told, UnorderedElementsAre("enter 3 1 7560 m", "enter 1 3 7560 m"));
}

TEST_F(ParkingTest, ANewFriendAsksForWhoIsNear) {
  // At home with Bob. She and Alice are no friends yet.
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  shards().Join(kCarol, {});
  shards().Report(kCarol, 1'000.0);
  for (int report = 0; report < 3; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  shards().Load(kCarol, {{kAlice, {true}}});
  shards().Carry();
  EXPECT_THAT(shards().deliveries(),
              UnorderedElementsAre("enter 10 1 1241 m", "enter 1 10 1241 m"));
}

TEST_F(ParkingTest, AListThatComesAfterTheFirstReportAsksForWhoIsNear) {
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  for (int report = 0; report < 3; ++report) Walk(kReportMs);
  shards().Connect(kCarol);
  shards().Report(kCarol, 1'000.0);
  shards().Load(kCarol, {{kAlice, {true}}});
  shards().Carry();
  EXPECT_THAT(shards().deliveries(),
              UnorderedElementsAre("enter 10 1 1241 m", "enter 1 10 1241 m"));
}

// A second connect of the same user, who is at a place and sees farther than before: those in sight
// enter, though the answer does not know them yet.
TEST_F(ParkingTest, ASecondConnectAsksForWhoIsNear) {
  Begin();
  shards().Join(kBob, {{kAlice, {true}}}, 61'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 60000 m"));
}

TEST_F(ParkingTest, WhoIsParkedBeyondTheTimeToLiveIsHeld) {
  EngineOptions options;
  options.ttl = absl::Seconds(100);
  Begin(options);
  for (int report = 0; report < 10; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  shards().Report(kBob, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), UnorderedElementsAre("enter 3 1 7470 m", "enter 1 3 7470 m"));
  shards().CheckInvariants();
}

TEST_F(ParkingTest, WhoExpiresWhileParkedIsSeenByNobody) {
  EngineOptions options;
  options.ttl = absl::Seconds(100);
  Begin(options);
  shards().AdvanceBy(50'000);
  shards().Report(kBob, kApart);
  shards().AdvanceBy(60'000);
  shards().Report(kBob, 100.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("reset 1 1 0 m"));
  shards().Report(kAlice, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 1 3 100 m", "enter 3 1 100 m"));
}

TEST_F(ParkingTest, WhoLeavesWhileParkedIsForgotten) {
  Begin();
  shards().Disconnect(kAlice);
  shards().Carry();
  shards().Report(kBob, 0.0);
  shards().Carry();
  EXPECT_FALSE(shards().has_messages());
  EXPECT_EQ(shards().engine_of(kBob).stats().entities, 1u);
}

TEST_F(ParkingTest, WhoIsNowhereAsksForNobody) {
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  shards().Load(kAlice, {{kBob, {true}}, {kCarol, {true}}});
  shards().Join(kCarol, {{kAlice, {true}}});
  shards().Carry();
  Walk(kReportMs);
  shards().Carry();
  shards().sent(Kind::kSubscribe);
  shards().SetRadius(kCarol, 100'000);
  EXPECT_EQ(shards().sent(Kind::kSubscribe), 0);
  // But when she is somewhere, she does.
  shards().Report(kCarol, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), Contains("enter 10 1 747 m"));
}

TEST_F(ParkingTest, AFriendWhoIsLostIsNotAskedFor) {
  Begin();
  shards().AdvanceBy(200'000);
  shards().sent(Kind::kSubscribe);
  shards().Load(kBob, {});
  EXPECT_EQ(shards().sent(Kind::kSubscribe), 0);
}

// Two shards have parked Alice, the one for a short time and the other for a long one.
TEST_F(ParkingTest, TheShorterOfTwoParksCounts) {
  constexpr UserId kCarol{6};
  static_assert(HomeShard(kAlice, 3) == ShardId{1} && HomeShard(kBob, 3) == ShardId{0} &&
                HomeShard(kCarol, 3) == ShardId{2});
  EngineOptions options;
  options.ttl = absl::Hours(1);
  for (const bool bob_is_first : {false, true}) {
    shards_.emplace(options, 3);
    shards().Join(kAlice, {{kBob, {true}}, {kCarol, {true}}});
    shards().Join(kBob, {{kAlice, {true}}});
    shards().Join(kCarol, {{kAlice, {true}}});
    shards().Carry();
    shards().Report(kBob, 20'000.0);
    shards().Report(kCarol, 300'000.0);
    shards().Carry();
    shards().Report(kAlice, 0.0);
    const std::optional<PeerMessage> first = shards().TakeMessage();
    const std::optional<PeerMessage> second = shards().TakeMessage();
    ASSERT_TRUE(first.has_value() && second.has_value());
    for (const bool is_bobs_turn : {bob_is_first, !bob_is_first}) {
      shards().Receive((ToInt(first->to) == 0) == is_bobs_turn ? *first : *second);
      shards().Carry();
    }
    EXPECT_GE(shards().sent(Kind::kPark), 2);
    std::vector<std::string> told;
    double alice_m = 0;
    for (int report = 0; report < 30 && told.empty(); ++report) {
      shards().AdvanceBy(kReportMs);
      alice_m += kWalk * static_cast<double>(kReportMs);
      shards().Report(kAlice, alice_m);
      shards().Carry();
      told = shards().deliveries();
    }
    EXPECT_THAT(told, UnorderedElementsAre("enter 1 3 7301 m", "enter 3 1 7301 m"));
  }
}

// Two on foot who have drifted apart by less than it takes to leave need minutes to come back
// within the radius. They see each other all the same.
TEST_F(ParkingTest, WhoIsInSightIsNotParked) {
  EngineOptions options;
  options.hysteresis_m = 1'000;
  Begin(options);
  shards().AdvanceBy(kReportMs);
  // At rest until both are believed to be.
  double bob_m = 8'000;
  for (int report = 0; report < 70; ++report) {
    shards().Report(kAlice, 0.0);
    shards().Carry();
    shards().Report(kBob, bob_m);
    shards().Carry();
    shards().AdvanceBy(kReportMs);
    if (report >= 60) bob_m += 85;
  }
  EXPECT_EQ(shards().sent(Kind::kPark), 0);
  EXPECT_TRUE(shards().Sees(kAlice, kBob));
  EXPECT_GT(bob_m, 8'800);
  shards().CheckInvariants();
}

// What a park rests on is judged by when it ends, to the millisecond.
TEST_F(ParkingTest, WhoeverAskedForAParkKnowsWhenItEnds) {
  constexpr double kSpeeds = 2 * 0.025;  // of the class that both begin with
  const double radius_m = EngineOptions().radius_m;
  int early = 0;
  for (double grown_by_m = 100; grown_by_m < 2'000; grown_by_m += 100) {
    shards_.emplace();
    shards().Join(kAlice, {{kBob, {true}}});
    shards().Join(kBob, {{kAlice, {true}}});
    shards().Carry();
    shards().Report(kAlice, 0.0);
    shards().Carry();
    shards().Report(kBob, radius_m + 5'000);
    std::optional<PeerMessage> park;
    while (const std::optional<PeerMessage> message = shards().TakeMessage()) {
      shards().Receive(*message);
      if (message->kind == Kind::kPark && message->user == kBob) park = message;
    }
    ASSERT_TRUE(park.has_value());
    shards().sent(Kind::kSubscribe);
    shards().SetRadius(kAlice, radius_m + grown_by_m);
    const double may_meet_ms =
        static_cast<double>(shards().now_ms()) + (5'000 - grown_by_m) / kSpeeds;
    if (may_meet_ms < static_cast<double>(park->until.ms)) {
      ++early;
      EXPECT_EQ(shards().sent(Kind::kSubscribe), 1) << grown_by_m;
    }
  }
  EXPECT_GT(early, 0) << "none of them shortens the park";
}

// Nobody is parked for longer than ticks keep their meaning, whatever is asked for.
TEST_F(ParkingTest, NobodyIsParkedForEver) {
  Begin({}, 3'000'000);
  for (int report = 0; report < 135; ++report) Walk(0), shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 0.0);
  EXPECT_GE(shards().sent(Kind::kLocation), 1);
}

// Silent for so long that the tick until which she is parked has come round, and lies ahead again.
TEST_F(ParkingTest, WhoWasSilentForHoursIsTalkedAbout) {
  EngineOptions options;
  options.ttl = absl::Hours(12);
  Begin(options, 3'000'000);
  shards().AdvanceBy(250 * 32'768);
  shards().Report(kAlice, 0.0);
  EXPECT_EQ(shards().sent(Kind::kLocation), 1);
}

// The ticks of rows reach a quarter as far.
TEST_F(ParkingTest, WhoIsVeryFarIsParkedForAnHour) {
  Begin({}, 3'000'000);
  for (int report = 0; report < 120; ++report) {
    Walk(kReportMs);
    EXPECT_FALSE(shards().has_messages());
  }
  shards().CheckInvariants();
}

// Pairs are looked at at different times, and when a park ends some ticks are nearly due. That is
// no reason to be told of the remote until they are.
TEST_F(ParkingTest, OneLocationIsEnoughForTheNextPark) {
  Begin({}, 3'000'000);
  std::vector<FriendEntry> friends = {{kBob, {true}}};
  for (std::uint64_t id = 10; friends.size() < 12; ++id) {
    if (HomeShard(UserId{id}, 2) == ShardId{0}) friends.push_back({UserId{id}, {true}});
  }
  shards().Load(kAlice, friends);
  for (std::size_t i = 1; i < friends.size(); ++i) {
    shards().Join(friends[i].friend_id, {{kAlice, {true}}});
  }
  shards().Carry();
  shards().sent(Kind::kLocation);
  constexpr int kHours = 10;
  for (int report = 0; report < kHours * 120; ++report) {
    Walk(kReportMs);
    for (std::size_t i = 1; i < friends.size(); ++i) {
      shards().Report(friends[i].friend_id, bob_m_ + 100 * static_cast<double>(i));
    }
    shards().Carry();
  }
  // Alice is one of thirteen who are parked, each for an hour and some minutes.
  const int locations = shards().sent(Kind::kLocation);
  const auto parked = static_cast<int>(friends.size()) + 1;
  EXPECT_GE(locations, parked * (kHours - 2));
  EXPECT_LE(locations, parked * (kHours + 1));
  shards().CheckInvariants();
}

}  // namespace
}  // namespace nearby::test
