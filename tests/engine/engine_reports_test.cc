// What engine.h and effects.h document of reports and of the deliveries they bring.

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/engine.h"
#include "tests/engine/engine_fixture.h"

namespace nearby::test {
namespace {

// --- Report ---

struct OutcomeCase {
  LocationReport report;
  ReportOutcome outcome;
  absl::StatusCode code;
};

class ReportOutcomes : public EngineTest {
 protected:
  /// Runs the cases in order; none of them has effects.
  void Run(const std::vector<OutcomeCase>& cases) {
    for (const OutcomeCase& test : cases) {
      SCOPED_TRACE(::testing::Message()
                   << test.report.location << " at " << test.report.reported_at.ms);
      const ReportOutcome outcome = engine_->Report(test.report, &effects_);
      EXPECT_EQ(outcome, test.outcome);
      EXPECT_EQ(ToStatus(outcome).code(), test.code);
      EXPECT_EQ(ToStatus(outcome).ok(), ToStatus(outcome).message().empty());
      EXPECT_TRUE(IsEmpty(effects_));
    }
  }
};

TEST_F(ReportOutcomes, OfNonsense) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr auto kWhere = ReportOutcome::kInvalidLocation;
  constexpr auto kWhen = ReportOutcome::kInvalidTime;
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  alice_ = Connect(kAlice, {});
  Run({{{alice_, {kNaN, 0}, kNow}, kWhere, kInvalid},
       {{alice_, {0, kInfinity}, kNow}, kWhere, kInvalid},
       {{alice_, {90.1, 0}, kNow}, kWhere, kInvalid},
       {{alice_, {0, -180.1}, kNow}, kWhere, kInvalid},
       {{alice_, kHome, {kMaxTimeMs + 1}}, kWhen, kInvalid},
       {{alice_, kHome, {std::numeric_limits<std::int64_t>::min()}}, kWhen, kInvalid}});
  EXPECT_EQ(engine_->stats().reports_invalid, 6u);
}

TEST_F(ReportOutcomes, OfHandlesThatNameNoSession) {
  alice_ = Connect(kAlice, {});
  constexpr auto kUnknown = ReportOutcome::kUnknownClient;
  Run({{{ClientHandle(), kHome, kNow}, kUnknown, absl::StatusCode::kNotFound},
       {{{Slot{99}, 1}, kHome, kNow}, kUnknown, absl::StatusCode::kNotFound},
       {{{alice_.slot, 0}, kHome, kNow}, kUnknown, absl::StatusCode::kNotFound}});
  EXPECT_EQ(engine_->stats().reports_unknown_client, 3u);
}

TEST_F(ReportOutcomes, ByTime) {
  EngineOptions options;
  options.min_report_interval = absl::Seconds(1);
  Restart(options);
  alice_ = Connect(kAlice, {});
  const auto ahead = [](std::int64_t ms) { return Time{kNow.ms + ms}; };
  Run({{{alice_, kHome, ahead(60'001)}, ReportOutcome::kFuture, absl::StatusCode::kInvalidArgument},
       {{alice_, kHome, ahead(60'000)}, ReportOutcome::kAccepted, absl::StatusCode::kOk},
       {{alice_, kHome, ahead(59'999)},
        ReportOutcome::kStale,
        absl::StatusCode::kFailedPrecondition},
       {{alice_, kHome, ahead(60'000)}, ReportOutcome::kConflated, absl::StatusCode::kOk}});
  const EngineStats& stats = engine_->stats();
  EXPECT_EQ(stats.reports_future, 1u);
  EXPECT_EQ(stats.reports_accepted, 1u);
  EXPECT_EQ(stats.reports_stale, 1u);
  EXPECT_EQ(stats.reports_conflated, 1u);
}

TEST_F(EngineTest, ReportAllIsReportInOrder) {
  Meet();
  const std::vector<LocationReport> reports = {{alice_, kNearby, kNow},
                                               {ClientHandle(), kHome, kNow},
                                               {bob_, kFar, kNow},
                                               {bob_, kHome, {kNow.ms - 1}}};
  std::vector<ReportOutcome> outcomes(reports.size(), ReportOutcome::kInvalidTime);
  engine_->ReportAll(reports, outcomes.data(), &effects_);
  EXPECT_EQ(outcomes,
            (std::vector<ReportOutcome>{ReportOutcome::kAccepted, ReportOutcome::kUnknownClient,
                                        ReportOutcome::kAccepted, ReportOutcome::kStale}));
  ASSERT_EQ(effects_.deliveries.size(), 3u);
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kMove);
  EXPECT_EQ(effects_.deliveries[1].kind, DeliveryKind::kLeave);
  engine_->ReportAll(reports, nullptr, &effects_);
  engine_->ReportAll({}, nullptr, &effects_);
  EXPECT_EQ(engine_->stats().reports_accepted, 6u);
}

TEST_F(EngineTest, AcceptedLocationsAreEmittedIfAskedFor) {
  Meet();
  EXPECT_TRUE(effects_.locations.empty());
  EngineOptions options;
  options.emit_locations = true;
  Restart(options);
  alice_ = Connect(kAlice, {});
  Report(alice_, kHome, {kNow.ms - 5});
  Report(alice_, {91, 0});
  ASSERT_EQ(effects_.locations.size(), 1u);
  EXPECT_EQ(effects_.locations[0].user, kAlice);
  EXPECT_EQ(effects_.locations[0].position, Position::FromLatLng(kHome));
  EXPECT_EQ(effects_.locations[0].accepted_at, kNow);
  EXPECT_EQ(effects_.locations[0].reported_at, Time{kNow.ms - 5});
}

TEST_F(EngineTest, AnAcceptedLocationSaysHowFastItsUserGoes) {
  EngineOptions options;
  options.emit_locations = true;
  Restart(options);
  alice_ = Connect(kAlice, {});
  // 2.2 km in ten seconds, then out of all bounds.
  Report(alice_, kHome);
  ASSERT_TRUE(engine_->Advance({kNow.ms + 10'000}, &effects_).ok());
  Report(alice_, {kHome.lat + 0.02, kHome.lng});
  Report(alice_, {kHome.lat + 10, kHome.lng});
  ASSERT_EQ(effects_.locations.size(), 3u);
  EXPECT_EQ(effects_.locations[0].speed_bound_mm_s, 25'000u);
  EXPECT_EQ(effects_.locations[1].speed_bound_mm_s, 300'000u);
  EXPECT_EQ(effects_.locations[2].speed_bound_mm_s, AcceptedLocation::kNoSpeedBound);
  // An engine that checks every pair learns no speeds.
  options.skip_far_pairs = false;
  Restart(options);
  effects_.Clear();
  alice_ = Connect(kAlice, {});
  Report(alice_, kHome);
  EXPECT_EQ(effects_.locations.at(0).speed_bound_mm_s, AcceptedLocation::kUnknownSpeed);
}

// --- deliveries ---

TEST_F(EngineTest, EveryFieldOfEnterAndMove) {
  alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
  bob_ = Connect(kBob, {EntryFor(kAlice)}, 72);
  Report(alice_, kHome);
  ASSERT_TRUE(engine_->Advance({kNow.ms + 10}, &effects_).ok());
  Report(bob_, kNearby, {kNow.ms + 7});
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  const bool alice_first = effects_.deliveries[0].subscriber == kAlice;
  const Delivery& enter = effects_.deliveries[alice_first ? 0 : 1];
  EXPECT_EQ(enter.kind, DeliveryKind::kEnter);
  EXPECT_EQ(enter.cookie, 71u);
  EXPECT_EQ(enter.subscriber, kAlice);
  EXPECT_EQ(enter.friend_id, kBob);
  EXPECT_EQ(enter.time, Time{kNow.ms + 10});
  EXPECT_EQ(enter.reported_at, Time{kNow.ms + 7});
  EXPECT_EQ(enter.position, Position::FromLatLng(kNearby));
  EXPECT_EQ(enter.distance_mm,
            DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kNearby)));
  EXPECT_NEAR(static_cast<double>(enter.distance_mm), 1000 * HaversineMeters(kHome, kNearby), 20);
  EXPECT_EQ(enter.reason, LeaveReason::kNone);

  // Effects are appended to.
  Report(bob_, kHome, {kNow.ms + 8});
  ASSERT_EQ(effects_.deliveries.size(), 3u);
  const Delivery& move = effects_.deliveries[2];
  EXPECT_EQ(move.kind, DeliveryKind::kMove);
  EXPECT_EQ(move.reported_at, Time{kNow.ms + 8});
  EXPECT_EQ(move.position, Position::FromLatLng(kHome));
  EXPECT_EQ(move.distance_mm, 0);
}

TEST_F(EngineTest, EveryFieldOfLeaveAndReset) {
  Meet();
  Report(bob_, kFar);
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  for (const Delivery& leave : effects_.deliveries) {
    EXPECT_EQ(leave.kind, DeliveryKind::kLeave);
    EXPECT_EQ(leave.reason, LeaveReason::kRange);
    EXPECT_EQ(leave.position, Position::Nowhere());
    EXPECT_EQ(leave.reported_at, Time());
    EXPECT_EQ(leave.distance_mm,
              DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kFar)));
  }

  ASSERT_TRUE(engine_->Advance({kNow.ms + 10}, &effects_).ok());
  Report(bob_, kHome, {kNow.ms + 10});
  effects_.Clear();
  ASSERT_TRUE(engine_->Advance({kNow.ms + 600'005}, &effects_).ok());
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  for (const Delivery& delivery : effects_.deliveries) {
    const bool is_reset = delivery.subscriber == kAlice;
    EXPECT_EQ(delivery.kind, is_reset ? DeliveryKind::kReset : DeliveryKind::kLeave);
    EXPECT_EQ(delivery.reason, is_reset ? LeaveReason::kNone : LeaveReason::kExpired);
    EXPECT_EQ(delivery.friend_id, kAlice);
    EXPECT_EQ(delivery.time, Time{kNow.ms + 600'000});
    EXPECT_EQ(delivery.position, Position::Nowhere());
    EXPECT_EQ(delivery.distance_mm, 0);
  }
}

TEST(Delivery, NamesAndWhatClientsAreTold) {
  EXPECT_STREQ(ToString(DeliveryKind::kEnter), "enter");
  EXPECT_STREQ(ToString(DeliveryKind::kMove), "move");
  EXPECT_STREQ(ToString(DeliveryKind::kLeave), "leave");
  EXPECT_STREQ(ToString(DeliveryKind::kReset), "reset");
  struct Case {
    LeaveReason reason;
    const char* name;
    LeaveReason told;
  };
  const Case cases[] = {{LeaveReason::kRange, "range", LeaveReason::kRange},
                        {LeaveReason::kExpired, "expired", LeaveReason::kExpired},
                        {LeaveReason::kOffline, "offline", LeaveReason::kOffline},
                        {LeaveReason::kUnfriended, "unfriended", LeaveReason::kOffline},
                        {LeaveReason::kUnsubscribed, "unsubscribed", LeaveReason::kUnsubscribed},
                        {LeaveReason::kHidden, "hidden", LeaveReason::kOffline}};
  for (const Case& test : cases) {
    EXPECT_STREQ(ToString(test.reason), test.name);
    EXPECT_EQ(ReasonForClient(test.reason), test.told) << test.name;
  }
}

}  // namespace
}  // namespace nearby::test
