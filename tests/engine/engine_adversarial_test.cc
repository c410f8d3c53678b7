// Hand-made cruelties: places, times and orders of events at which an engine is likely to go wrong.
// Each call is held against the oracle; what a test checks besides is what the oracle cannot know.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "nearby/engine.h"
#include "tests/base/sphere_reference.h"
#include "tests/engine/checked_engine.h"

namespace nearby::test {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr LatLng kMunich{48.137, 11.575};

std::vector<std::string> Lines(const Effects& effects) {
  std::vector<std::string> lines;
  for (const Delivery& delivery : effects.deliveries) lines.push_back(Describe(delivery));
  return lines;
}

// --- Places --------------------------------------------------------------------------------------

class EngineAtPlaceTest : public ::testing::TestWithParam<LatLng> {};

INSTANTIATE_TEST_SUITE_P(Places, EngineAtPlaceTest,
                         ::testing::Values(LatLng{90, 0}, LatLng{-90, 77}, LatLng{89.999999, 180},
                                           LatLng{0, 180}, LatLng{0, -180}, LatLng{52, 179.99999},
                                           LatLng{-52, -179.99999}, LatLng{0, 0},
                                           LatLng{89.96, -180}, kMunich));

// Rings of friends around a place, on either side of every boundary, each from the other's side
// too.
TEST_P(EngineAtPlaceTest, BoundariesHoldInEveryDirection) {
  for (const double radius_m : {0.5, 100.0, 8046.72, 1'000'000.0, 10'007'543.0, 20'015'000.0}) {
    SCOPED_TRACE(radius_m);
    CheckedEngine engine;
    engine.Commit(1, 2, kFriends);
    engine.Advance(0);
    engine.Join(1, radius_m);
    engine.Join(2, radius_m);
    engine.Report(1, GetParam());
    for (int bearing = 0; bearing < 12; ++bearing) {
      for (const double beyond_m : {-0.021, 0.021, -5.0, 0.0, 5.0, -0.3}) {
        const LatLng there =
            testing::Destination(GetParam(), bearing * 0.5236, radius_m + beyond_m);
        engine.Report(2, there);
        if (std::abs(beyond_m) < 0.02) continue;
        const bool sees = testing::TrueMeters(GetParam(), there) <= radius_m;
        EXPECT_EQ(engine.oracle().Sees(UserId{1}, UserId{2}), sees) << bearing << " " << beyond_m;
        EXPECT_EQ(engine.oracle().Sees(UserId{2}, UserId{1}), sees) << bearing << " " << beyond_m;
      }
    }
  }
}

TEST_P(EngineAtPlaceTest, TeleportsLeaveAndEnter) {
  CheckedEngine engine;
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Join(2);
  engine.Report(1, GetParam());
  for (int round = 0; round < 5; ++round) {
    engine.Report(2, testing::Destination(GetParam(), round, 8000));
    EXPECT_THAT(engine.effects().deliveries, SizeIs(2)) << "both enter";
    engine.Report(2, testing::Antipode(GetParam()));
    EXPECT_THAT(engine.effects().deliveries, SizeIs(2)) << "both leave";
  }
}

TEST_P(EngineAtPlaceTest, RadiusZeroSeesTheSamePointAndHalfTheEarthSeesAll) {
  CheckedEngine engine;
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1, 0.0);
  engine.Join(2, kMaxDistanceMeters + 1);
  engine.Report(1, GetParam());
  engine.Report(2, testing::Antipode(GetParam()));
  EXPECT_FALSE(engine.oracle().Sees(UserId{1}, UserId{2}));
  EXPECT_TRUE(engine.oracle().Sees(UserId{2}, UserId{1}));
  engine.Report(2, GetParam());
  EXPECT_TRUE(engine.oracle().Sees(UserId{1}, UserId{2}));
  engine.Report(2, testing::Destination(GetParam(), 1, 0.1));
  EXPECT_FALSE(engine.oracle().Sees(UserId{1}, UserId{2}));
}

TEST(EngineAdversarialTest, FriendsOnOnePointArePagedById) {
  EngineOptions options;
  options.connect_page_size = 3;
  CheckedEngine engine(options);
  engine.Advance(0);
  for (std::uint64_t user = 2; user <= 12; ++user) {
    engine.Commit(1, user, kFriends);
    engine.Join(user);
    engine.Report(user, kMunich);
  }
  engine.Join(1);
  engine.Report(1, kMunich);
  engine.Join(1);  // again, while active: the answer is a page
  ASSERT_THAT(engine.effects().answers, SizeIs(1));
  const ConnectAnswer answer = engine.effects().answers[0];
  EXPECT_EQ(answer.count, 3u);
  EXPECT_EQ(answer.in_sight, 11u);
  std::vector<std::uint64_t> ids;
  PageToken after = answer.next;
  for (bool more = true; more;) {
    const NearbyPage page = engine.Nearby(1, after, 3);
    for (const NearbyFriend& entry : page.friends) ids.push_back(ToInt(entry.friend_id));
    more = page.next.has_value();
    if (more) after = *page.next;
  }
  EXPECT_THAT(ids, ::testing::ElementsAre(5, 6, 7, 8, 9, 10, 11, 12));
}

// --- Reports that must change nothing ------------------------------------------------------------

TEST(EngineAdversarialTest, BadReportsChangeNothing) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EngineOptions options;
  options.max_future_skew = absl::Seconds(5);
  options.emit_locations = true;
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Advance(100'000);
  engine.Join(1);
  engine.Join(2);
  engine.Report(1, kMunich);
  engine.Report(2, kMunich);
  const EngineStats before = engine.engine().stats();
  const Time next_event = engine.engine().next_event();

  struct Bad {
    LatLng location;
    std::int64_t reported_ms;
    ReportOutcome outcome;
  };
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::vector<Bad> reports = {
      {{kNan, 0}, 100'000, ReportOutcome::kInvalidLocation},
      {{0, kNan}, 100'000, ReportOutcome::kInvalidLocation},
      {{kInfinity, 0}, 100'000, ReportOutcome::kInvalidLocation},
      {{0, -kInfinity}, 100'000, ReportOutcome::kInvalidLocation},
      {{90.0000001, 0}, 100'000, ReportOutcome::kInvalidLocation},
      {{0, 180.0000001}, 100'000, ReportOutcome::kInvalidLocation},
      {{1e308, -1e308}, 100'000, ReportOutcome::kInvalidLocation},
      {{0, 0}, 99'999, ReportOutcome::kStale},
      {{0, 0}, -kMaxTimeMs, ReportOutcome::kStale},
      {{0, 0}, 105'001, ReportOutcome::kFuture},
      {{0, 0}, kMaxTimeMs, ReportOutcome::kFuture},
      {{0, 0}, kMaxTimeMs + 1, ReportOutcome::kInvalidTime},
      {{0, 0}, kMost, ReportOutcome::kInvalidTime},
      {{0, 0}, kLeast, ReportOutcome::kInvalidTime},
  };
  for (const Bad& bad : reports) {
    const ReportOutcome outcome = engine.Report(2, bad.location, Time{bad.reported_ms});
    EXPECT_EQ(outcome, bad.outcome) << bad.location << " " << bad.reported_ms;
    EXPECT_FALSE(ToStatus(outcome).ok());
    EXPECT_THAT(engine.effects().deliveries, IsEmpty());
    EXPECT_THAT(engine.effects().locations, IsEmpty());
  }
  const EngineStats after = engine.engine().stats();
  EXPECT_EQ(after.reports_accepted, before.reports_accepted);
  EXPECT_EQ(after.reports_invalid, 10u);
  EXPECT_EQ(after.reports_stale, 2u);
  EXPECT_EQ(after.reports_future, 2u);
  EXPECT_EQ(after.checks, before.checks);
  EXPECT_EQ(engine.engine().next_event(), next_event);
  // Dated at the edge of what is allowed: accepted.
  EXPECT_EQ(engine.Report(2, kMunich, Time{105'000}), ReportOutcome::kAccepted);
  EXPECT_EQ(engine.Report(2, kMunich, Time{104'999}), ReportOutcome::kStale);
}

TEST(EngineAdversarialTest, AStaleReportStaysStaleAfterExpiryAndReconnect) {
  CheckedEngine engine;
  engine.Advance(0);
  engine.Join(1);
  engine.Report(1, kMunich, Time{10});
  engine.Advance(700'000);  // expired
  EXPECT_EQ(engine.Report(1, kMunich, Time{9}), ReportOutcome::kStale);
  engine.Join(1);  // replaced
  EXPECT_EQ(engine.Report(1, kMunich, Time{9}), ReportOutcome::kStale);
  EXPECT_EQ(engine.Report(1, kMunich, Time{10}), ReportOutcome::kAccepted);
}

TEST(EngineAdversarialTest, TimeNeverGoesBackwardOrOutOfRange) {
  CheckedEngine engine;
  engine.Advance(1000);
  engine.Join(1);
  engine.Report(1, kMunich);
  for (const std::int64_t ms : {std::int64_t{999}, -kMaxTimeMs, kMaxTimeMs + 1, kNever.ms}) {
    engine.effects().Clear();
    EXPECT_TRUE(absl::IsInvalidArgument(engine.engine().Advance(Time{ms}, &engine.effects())));
    EXPECT_EQ(engine.engine().now(), Time{1000});
    engine.ExpectNothingDelivered();
  }
  engine.Advance(kMaxTimeMs);
  EXPECT_THAT(engine.effects().deliveries, SizeIs(1)) << "a reset";
  engine.Report(1, kMunich);
  engine.Advance(kMaxTimeMs);
}

// --- Expiry --------------------------------------------------------------------------------------

TEST(EngineAdversarialTest, AReportAtTheDeadlineComesAfterTheExpiry) {
  EngineOptions options;
  options.ttl = absl::Milliseconds(1000);
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Join(2);
  engine.Report(1, kMunich);
  engine.Report(2, kMunich);
  engine.Advance(999);
  engine.Report(1, kMunich);  // a millisecond before its deadline: it lives on
  engine.Advance(1000);
  EXPECT_THAT(Lines(engine.effects()), SizeIs(2)) << "1 is told that 2 expired, 2 of the reset";
  engine.Report(2, kMunich);
  EXPECT_THAT(engine.effects().deliveries, Each(Field(&Delivery::kind, DeliveryKind::kEnter)));
  EXPECT_THAT(engine.effects().deliveries, SizeIs(2));
}

// Everybody expires in one millisecond: in order of id, each is told of those before it, and then
// of its own end, and of nobody after.
TEST(EngineAdversarialTest, AnExpiryStormGoesByIdWhateverTheOrderOfReports) {
  EngineOptions options;
  options.ttl = absl::Milliseconds(5000);
  CheckedEngine engine(options);
  constexpr std::uint64_t kUsers = 60;
  for (std::uint64_t a = 0; a < kUsers; ++a) {
    for (std::uint64_t b = 0; b < a; ++b) engine.Commit(a, b, kFriends);
  }
  engine.Advance(123);
  for (std::uint64_t i = 0; i < kUsers; ++i) engine.Join(i * 37 % kUsers);
  for (std::uint64_t i = 0; i < kUsers; ++i) engine.Report(i * 23 % kUsers, kMunich);
  engine.Advance(1'000'000);
  const std::vector<Delivery>& deliveries = engine.effects().deliveries;
  ASSERT_THAT(deliveries, SizeIs(kUsers * (kUsers - 1) / 2 + kUsers));
  EXPECT_THAT(deliveries, Each(Field(&Delivery::time, Time{5123})));
  std::uint64_t expired = 0;
  for (const Delivery& delivery : deliveries) {
    // Whom a delivery is about: the one who expires.
    EXPECT_GE(ToInt(delivery.friend_id), expired);
    expired = ToInt(delivery.friend_id);
    EXPECT_GE(delivery.subscriber, delivery.friend_id);
  }
}

TEST(EngineAdversarialTest, DeadlinesApartByAMillisecondExpireInOrderInOneAdvance) {
  EngineOptions options;
  options.ttl = absl::Milliseconds(2000);
  CheckedEngine engine(options);
  constexpr std::uint64_t kUsers = 40;
  for (std::uint64_t a = 0; a < kUsers; ++a) {
    for (std::uint64_t b = 0; b < a; ++b) engine.Commit(a, b, kFriends);
  }
  engine.Advance(0);
  for (std::uint64_t user = 0; user < kUsers; ++user) engine.Join(user);
  for (std::uint64_t i = 0; i < kUsers; ++i) {
    engine.Advance(static_cast<std::int64_t>(i * 53 / 2));
    engine.Report(i * 29 % kUsers, kMunich);
  }
  engine.Advance(10'000);
  Time last{0};
  for (const Delivery& delivery : engine.effects().deliveries) {
    EXPECT_GE(delivery.time, last);
    last = delivery.time;
  }
}

TEST(EngineAdversarialTest, AClientWhoseFriendsAreStillLoadingIsToldNothing) {
  CheckedEngine engine;
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Join(2);
  engine.Report(1, kMunich);
  engine.Report(2, kMunich);
  engine.Connect(1);
  engine.Report(2, kMunich);
  engine.Report(1, kMunich);  // 2 goes on seeing it
  EXPECT_THAT(engine.effects().deliveries, SizeIs(1));
  engine.SetRadius(1, 5);
  engine.Change(1, 2, kStrangers);
  engine.Change(1, 2, kFriends);
  engine.Advance(600'000);
  engine.Load(1);
  EXPECT_THAT(engine.effects().answers, SizeIs(1));
}

// --- Slots ---------------------------------------------------------------------------------------

TEST(EngineAdversarialTest, AReportHeldForASlotIsNotForTheNextInIt) {
  EngineOptions options;
  options.min_report_interval = absl::Seconds(10);
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Commit(1, 3, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Report(1, kMunich);
  engine.Join(2);
  engine.Report(2, kMunich);
  engine.Advance(5000);
  const ClientHandle stale = engine.client(2);
  EXPECT_EQ(engine.Report(2, kMunich), ReportOutcome::kConflated);
  engine.Disconnect(2);
  engine.Join(3);
  EXPECT_EQ(engine.client(3).slot, stale.slot);
  EXPECT_NE(engine.client(3), stale);
  engine.Report(3, kMunich);
  engine.Advance(9000);
  EXPECT_EQ(engine.Report(3, kMunich), ReportOutcome::kConflated);
  engine.Advance(10'000);  // when the report of 2 was due
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  engine.Advance(14'999);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  engine.Advance(15'000);
  EXPECT_THAT(engine.effects().deliveries, SizeIs(1)) << "3 moves, as 1 sees it";
  engine.effects().Clear();
  EXPECT_EQ(engine.engine().Report({stale, kMunich, Time{15'000}}, &engine.effects()),
            ReportOutcome::kUnknownClient);
  engine.ExpectNothingDelivered();
}

TEST(EngineAdversarialTest, AMoveWithheldForASlotIsNotForTheNextInIt) {
  EngineOptions options;
  options.min_move_interval = absl::Seconds(10);
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Commit(1, 3, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Report(1, kMunich);
  engine.Join(2);
  engine.Report(2, kMunich);
  engine.Advance(5000);
  const ClientHandle gone = engine.client(2);
  engine.Report(2, kMunich);
  engine.Disconnect(2);
  engine.Join(3);
  EXPECT_EQ(engine.client(3).slot, gone.slot);
  engine.Report(3, kMunich);
  engine.Advance(9000);
  engine.Report(3, kMunich);
  engine.Advance(14'999);  // past the time at which the move of 2 was due
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  engine.Advance(15'000);
  EXPECT_THAT(engine.effects().deliveries, SizeIs(1));
}

TEST(EngineAdversarialTest, HandlesThatNoConnectGaveAreRefused) {
  CheckedEngine engine;
  engine.Advance(0);
  engine.Join(1);
  const ClientHandle good = engine.client(1);
  const std::vector<ClientHandle> handles = {ClientHandle(),
                                             {good.slot, 0},
                                             {good.slot, good.generation + 1},
                                             {Slot{1}, 1},
                                             {kNoSlot, good.generation},
                                             {Slot{1u << 26}, good.generation}};
  for (const ClientHandle handle : handles) {
    engine.effects().Clear();
    Effects& effects = engine.effects();
    EXPECT_EQ(engine.engine().Report({handle, kMunich, Time{0}}, &effects),
              ReportOutcome::kUnknownClient);
    EXPECT_TRUE(absl::IsNotFound(engine.engine().Disconnect(handle, &effects)));
    EXPECT_TRUE(absl::IsNotFound(engine.engine().SetRadius(handle, 5, &effects)));
    EXPECT_TRUE(absl::IsNotFound(engine.engine().Nearby(handle, {}, 5, &effects).status()));
    EXPECT_TRUE(
        absl::IsNotFound(engine.engine().FriendsLoaded(handle, FriendVersion{1}, {}, &effects)));
    engine.ExpectNothingDelivered();
  }
}

// --- Intervals that end when something else happens ----------------------------------------------

TEST(EngineAdversarialTest, AWithheldMoveDiesWithWhatItWasAbout) {
  EngineOptions options;
  options.min_move_interval = absl::Seconds(10);
  options.ttl = absl::Seconds(15);
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Join(2);
  const auto meet_and_withhold = [&engine](std::int64_t ms) {
    engine.Advance(ms);
    engine.Report(1, kMunich);
    engine.Report(2, kMunich);
    engine.Advance(ms + 5000);
    engine.Report(2, testing::Destination(kMunich, 0, 50));
    EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  };
  meet_and_withhold(0);
  engine.Advance(15'000);  // 1 expires at the time at which the move of 2 is long gone
  meet_and_withhold(100'000);
  engine.Report(2, {0, 0});
  engine.Report(2, kMunich);  // gone and back: a new interval
  engine.Advance(110'000);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  meet_and_withhold(200'000);
  engine.Change(1, 2, {true, false, true});
  engine.Advance(210'000);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  engine.Change(1, 2, kFriends);
  meet_and_withhold(300'000);
  engine.Join(1);  // the new session sees 2 afresh
  EXPECT_THAT(engine.effects().answers, SizeIs(1));
  engine.Advance(310'000);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  meet_and_withhold(400'000);
  engine.Disconnect(2);
  engine.Join(2);
  engine.Report(2, kMunich);
  engine.Advance(410'000);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
}

TEST(EngineAdversarialTest, AnExpiryComesBeforeAMoveDueAtTheSameTime) {
  EngineOptions options;
  options.min_move_interval = absl::Seconds(10);
  options.ttl = absl::Seconds(5);
  CheckedEngine engine(options);
  engine.Commit(1, 2, kFriends);
  engine.Advance(0);
  engine.Join(1);
  engine.Join(2);
  engine.Report(1, kMunich);
  engine.Report(2, kMunich);
  engine.Advance(4000);
  engine.Report(1, kMunich);
  engine.Report(2, kMunich);
  engine.Advance(5000);
  engine.Report(2, kMunich);
  engine.Advance(8000);
  engine.Report(1, kMunich);
  engine.Advance(10'000);
  EXPECT_THAT(engine.effects().deliveries, SizeIs(2)) << "2 expired: a leave and a reset";
}

}  // namespace
}  // namespace nearby::test
