// Reports: what is refused at once, what later, and in which order things happen.

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/clock.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RuntimeReportsTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  RuntimeReportsTest() { world_.Befriend(alice_, bob_); }

  absl::Status Report(const Client& client, LatLng location, Time reported_at) {
    return world_.runtime().Report({client.session, location, reported_at});
  }

  World world_{GetParam()};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeReportsTest, ::testing::Values(1, 2, 4));

TEST_P(RuntimeReportsTest, AMoveReachesTheFriend) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_TRUE(Report(bob, North(50), Time{kStart.ms + 29'000}).ok());
  world_.Settle();
  const auto batch = world_.sink().batches(alice.cookie).back();
  ASSERT_EQ(batch.events.size(), 1u);
  const ClientEvent& move = batch.events[0];
  EXPECT_EQ(move.kind, DeliveryKind::kMove);
  EXPECT_EQ(move.friend_id, bob_);
  EXPECT_EQ(move.position, Position::FromLatLng(North(50)));
  EXPECT_EQ(move.reported_at, (Time{kStart.ms + 29'000}));
  EXPECT_EQ(move.time, (Time{kStart.ms + 30'000}));
}

TEST_P(RuntimeReportsTest, WhatIsInvalidIsRefusedAtOnce) {
  const Client alice = world_.Connect(alice_, kHere);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const LatLng bad : {LatLng{kNan, 0}, LatLng{0, kNan}, LatLng{90.001, 0}, LatLng{0, 181}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Report(alice, bad, kStart)));
  }
  for (const std::int64_t bad : {kMaxTimeMs + 1, std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Report(alice, kHere, Time{bad})));
  }
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().reports_taken, 0u);
  EXPECT_THAT(world_.sink().refused(alice.cookie), IsEmpty());
}

TEST_P(RuntimeReportsTest, WhatIsStaleOrInTheFutureIsRefusedToTheSink) {
  const Client alice = world_.Connect(alice_, kHere);
  EXPECT_TRUE(Report(alice, kHere, Time{kStart.ms - 1}).ok()) << "under way";
  EXPECT_TRUE(Report(alice, kHere, Time{kStart.ms + 60'001}).ok());
  EXPECT_TRUE(Report(alice, kHere, Time{kStart.ms + 60'000}).ok());
  world_.Settle();
  const auto refused = world_.sink().refused(alice.cookie);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].reported_at, Time{kStart.ms - 1});
  EXPECT_EQ(refused[0].outcome, ReportOutcome::kStale);
  EXPECT_EQ(refused[1].reported_at, Time{kStart.ms + 60'001});
  EXPECT_EQ(refused[1].outcome, ReportOutcome::kFuture);
}

TEST_P(RuntimeReportsTest, WhatIsHeldBackIsNotRefused) {
  World::Options options;
  options.runtime.shards = GetParam();
  options.runtime.engine.min_report_interval = absl::Seconds(5);
  World world(options);
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), North(100));
  for (int i = 1; i <= 4; ++i) {
    world.clock().Advance(absl::Seconds(1));
    world.Report(bob, North(100 - i));
    world.Settle();
  }
  EXPECT_THAT(world.sink().refused(bob.cookie), IsEmpty());
  EXPECT_EQ(world.sink().InSight(alice.cookie).at(bob.user).position,
            Position::FromLatLng(North(100)));
  world.Pass(absl::Seconds(1));
  EXPECT_EQ(world.sink().InSight(alice.cookie).at(bob.user).position,
            Position::FromLatLng(North(96)));
}

TEST_P(RuntimeReportsTest, ManyAtOnceAreTakenInOrderAndTheBadOnesCounted) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.clock().Advance(absl::Seconds(10));
  const auto at = [](std::int64_t ms) { return Time{kStart.ms + ms}; };
  const std::vector<SessionReport> reports = {
      {alice.session, North(1), at(1)},        {bob.session, North(101), at(1)},
      {alice.session, LatLng{91, 0}, at(2)},   {{ShardId{77}, {}}, kHere, at(2)},
      {bob.session, North(102), Time{kNever}}, {alice.session, North(2), at(3)},
      {bob.session, North(103), at(4)}};
  EXPECT_EQ(world_.runtime().ReportAll(reports), 3u);
  EXPECT_EQ(world_.runtime().ReportAll({}), 0u);
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().reports_taken, 4u);
  EXPECT_EQ(world_.sink().InSight(alice.cookie).at(bob_).reported_at, at(4));
  EXPECT_EQ(world_.sink().InSight(bob.cookie).at(alice_).reported_at, at(3));
}

TEST_P(RuntimeReportsTest, ReportsAreAppliedInTheOrderOfTheirCalls) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.clock().Advance(absl::Seconds(10));
  // All of one client time, so that nothing but their order decides.
  for (int i = 1; i <= 2'000; ++i) world_.Report(bob, North(i % 97));
  world_.Settle();
  EXPECT_EQ(world_.sink().InSight(alice.cookie).at(bob_).position,
            Position::FromLatLng(North(2'000 % 97)));
  EXPECT_EQ(world_.runtime().stats().engine.reports_accepted, 2'002u);
}

TEST_P(RuntimeReportsTest, AReportBeforeADisconnectCountsAndOneAfterItDoesNoHarm) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_);
  world_.Report(bob, North(100));
  world_.Disconnect(bob);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
  EXPECT_EQ(world_.runtime().stats().engine.reports_accepted, 2u);
  world_.Report(bob, North(100));
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().engine.reports_unknown_client, 1u);
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
}

TEST_P(RuntimeReportsTest, OneReportAfterADisconnectInTheSamePollIsOfNoSession) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.Disconnect(bob);
  world_.Report(bob, North(90));
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice), IsEmpty()) << "whichever comes first, the session is over";
}

// --- time ---

TEST_P(RuntimeReportsTest, WhileTheClockIsBackTimeStandsStill) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.clock().Set(Time{kStart.ms - 3'600'000});
  EXPECT_TRUE(Report(bob, North(90), Time{kStart.ms + 1}).ok());
  world_.Settle();
  const ClientEvent move = world_.sink().InSight(alice.cookie).at(bob_);
  EXPECT_EQ(move.time, kStart);
  EXPECT_EQ(move.position, Position::FromLatLng(North(90)));
  // Nobody expires before the clock has caught up and the time has really passed.
  world_.clock().Set(Time{kStart.ms + 599'999});
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  world_.Pass(absl::Milliseconds(1));
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
}

// A clock that breaks its contract.
class BrokenClock : public Clock {
 public:
  Time Now() const override { return now_; }
  void Set(Time now) { now_ = now; }

 private:
  Time now_ = kStart;
};

TEST(RuntimeClockTest, AnInvalidTimeIsIgnored) {
  BrokenClock clock;
  RecordingClientSink sink;
  RecordingMetricsSink metrics;
  InMemoryFriendStore friends;
  RuntimeHost host;
  host.sink = &sink;
  host.friends = &friends;
  host.clock = &clock;
  host.metrics = &metrics;
  const std::unique_ptr<Runtime> runtime = Runtime::Create({}, std::move(host)).value();
  ConnectReply reply;
  ConnectCall call;
  call.location = TimedLocation{kHere, kStart};
  runtime->Connect(call, reply.Done());
  runtime->PollAll();
  ASSERT_TRUE(reply.status().ok());
  for (const std::int64_t ms : {std::numeric_limits<std::int64_t>::max(),
                                std::numeric_limits<std::int64_t>::min(), kMaxTimeMs + 1}) {
    clock.Set(Time{ms});
    runtime->PollAll();
    EXPECT_EQ(runtime->stats().engine.expiries, 0u);
    EXPECT_TRUE(runtime->CheckInvariants().ok());
  }
  EXPECT_EQ(metrics.exports(), 1u);
  clock.Set(Time{kStart.ms + 10'000});
  runtime->PollAll();
  EXPECT_EQ(metrics.exports(), 2u);
}

TEST(RuntimeClockTest, TheFarthestTimesThatAreValidDoNotOverflow) {
  for (const std::int64_t ms : {kMaxTimeMs, -kMaxTimeMs}) {
    World world(2);
    world.clock().Set(Time{ms});
    world.Befriend(world.User(0), world.User(1));
    const Client alice = world.Connect(world.User(0), kHere);
    world.Connect(world.User(1), kHere);
    EXPECT_THAT(world.InSight(alice), UnorderedElementsAre(world.User(1)));
    StatusReply drained;
    world.runtime().Drain(drained.Done());
    world.Settle();
  }
}

}  // namespace
}  // namespace nearby::test
