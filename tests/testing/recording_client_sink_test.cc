#include "nearby/testing/recording_client_sink.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {
namespace {

using Flow = ClientSink::Flow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kCookie = 77;
const UserId kAlice{1};
const UserId kBob{2};
const UserId kCarol{3};
const SessionId kSession{ShardId{0}, {Slot{4}, 5}};

ClientEvent Sighting(DeliveryKind kind, UserId friend_id, std::int64_t ms) {
  ClientEvent event;
  event.kind = kind;
  event.friend_id = friend_id;
  event.time = Time::Millis(ms);
  event.reported_at = Time::Millis(ms - 1);
  event.position = Position::FromLatLng({1, 2});
  event.distance_mm = 5;
  return event;
}

ClientEvent Enter(UserId friend_id, std::int64_t ms = 10) {
  return Sighting(DeliveryKind::kEnter, friend_id, ms);
}
ClientEvent Move(UserId friend_id, std::int64_t ms = 10) {
  return Sighting(DeliveryKind::kMove, friend_id, ms);
}
ClientEvent Leave(UserId friend_id, std::int64_t ms = 10) {
  ClientEvent event;
  event.kind = DeliveryKind::kLeave;
  event.friend_id = friend_id;
  event.time = Time::Millis(ms);
  event.reason = LeaveReason::kRange;
  return event;
}

// A session of Alice's that has been connected.
class RecordingClientSinkTest : public ::testing::Test {
 protected:
  RecordingClientSinkTest() { sink_.Connected(kCookie, kAlice); }

  Flow Deliver(const std::vector<ClientEvent>& events, BatchStart start = BatchStart::kGoesOn) {
    ClientBatch batch;
    batch.session = kSession;
    batch.cookie = kCookie;
    batch.user = kAlice;
    batch.start = start;
    batch.events = events;
    return sink_.Deliver(batch);
  }

  std::vector<std::uint64_t> InSight() const {
    std::vector<std::uint64_t> ids;
    for (const auto& [friend_id, event] : sink_.InSight(kCookie)) ids.push_back(ToInt(friend_id));
    return ids;
  }

  // That there is one violation, which says this.
  void ExpectViolation(const std::string& what) const {
    EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr(what)));
    EXPECT_EQ(sink_.counts().violations, 1u);
  }

  RecordingClientSink sink_;
};

TEST_F(RecordingClientSinkTest, KeepsWhatTheClientBelieves) {
  Deliver({Enter(kBob, 10), Enter(kCarol, 10)});
  EXPECT_THAT(InSight(), ElementsAre(2, 3));
  Deliver({Move(kBob, 20), Leave(kCarol, 20)});
  EXPECT_THAT(InSight(), ElementsAre(2));
  EXPECT_EQ(sink_.InSight(kCookie).at(kBob).time, Time::Millis(20));
  Deliver({Enter(kCarol, 30)}, BatchStart::kReset);
  EXPECT_THAT(InSight(), ElementsAre(3));
  Deliver({Enter(kBob, 5), Enter(kCarol, 25)}, BatchStart::kResync);
  EXPECT_THAT(InSight(), ElementsAre(2, 3)) << "in sight since before what was told last";
  Deliver({}, BatchStart::kReset);
  EXPECT_THAT(InSight(), IsEmpty());
  EXPECT_THAT(sink_.violations(), IsEmpty());

  const RecordingClientSink::Counts counts = sink_.counts();
  EXPECT_EQ(counts.batches, 5u);
  EXPECT_EQ(counts.enters, 5u);
  EXPECT_EQ(counts.moves, 1u);
  EXPECT_EQ(counts.leaves, 1u);
  EXPECT_EQ(counts.resets, 2u);
  EXPECT_EQ(counts.resyncs, 1u);
  EXPECT_EQ(counts.violations, 0u);
  const auto batches = sink_.batches(kCookie);
  ASSERT_EQ(batches.size(), 5u);
  EXPECT_EQ(batches[1].events.size(), 2u);
  EXPECT_EQ(batches[3].start, BatchStart::kResync);
}

TEST_F(RecordingClientSinkTest, BeginsWithTheAnswerToTheConnect) {
  const std::vector<NearbyFriend> friends = {
      {kBob, Position::FromLatLng({1, 2}), 7, Time::Millis(50)}};
  sink_.Connected(78, kCarol, friends);
  EXPECT_EQ(sink_.InSight(78).at(kBob).distance_mm, 7);
  ClientBatch batch;
  batch.cookie = 78;
  batch.user = kCarol;
  const std::vector<ClientEvent> events = {Move(kBob, 60)};
  batch.events = events;
  EXPECT_EQ(sink_.Deliver(batch), Flow::kReady);
  EXPECT_THAT(sink_.violations(), IsEmpty());
}

TEST_F(RecordingClientSinkTest, KnowsNothingOfOtherCookies) {
  EXPECT_THAT(sink_.InSight(5), IsEmpty());
  EXPECT_THAT(sink_.batches(5), IsEmpty());
  EXPECT_THAT(sink_.refused(5), IsEmpty());
  EXPECT_THAT(sink_.moved_away(5), IsEmpty());
  EXPECT_FALSE(sink_.is_busy(5));
  EXPECT_FALSE(sink_.ended(5).has_value());
}

TEST_F(RecordingClientSinkTest, AnswersWithTheFlowSet) {
  EXPECT_EQ(Deliver({Enter(kBob)}), Flow::kReady);
  sink_.SetFlow(kCookie, Flow::kBusy);
  EXPECT_FALSE(sink_.is_busy(kCookie));
  EXPECT_EQ(Deliver({Move(kBob)}), Flow::kBusy);
  EXPECT_TRUE(sink_.is_busy(kCookie));
  sink_.Ready(kCookie);
  EXPECT_EQ(Deliver({Move(kBob)}), Flow::kBusy) << "the flow stays as set";
  sink_.SetFlow(kCookie, Flow::kReady);
  sink_.Ready(kCookie);
  EXPECT_EQ(Deliver({Move(kBob)}), Flow::kReady);
  EXPECT_THAT(sink_.violations(), IsEmpty());
}

TEST_F(RecordingClientSinkTest, KeepsTheOtherCalls) {
  sink_.ReportRefused(kSession, kCookie, Time::Millis(1), ReportOutcome::kStale);
  sink_.ReportRefused(kSession, kCookie, Time::Millis(2), ReportOutcome::kFuture);
  sink_.MoveAway(kSession, kCookie, absl::Seconds(3));
  sink_.Ended(kSession, kCookie, ClientSink::EndReason::kReplaced);
  const auto refused = sink_.refused(kCookie);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].reported_at, Time::Millis(1));
  EXPECT_EQ(refused[0].outcome, ReportOutcome::kStale);
  EXPECT_EQ(refused[1].reported_at, Time::Millis(2));
  EXPECT_EQ(refused[1].outcome, ReportOutcome::kFuture);
  EXPECT_THAT(sink_.moved_away(kCookie), ElementsAre(absl::Seconds(3)));
  EXPECT_EQ(sink_.ended(kCookie), ClientSink::EndReason::kReplaced);
  EXPECT_EQ(sink_.counts().ended, 1u);
  EXPECT_THAT(sink_.violations(), IsEmpty());
}

TEST_F(RecordingClientSinkTest, BoundsWhatItKeeps) {
  RecordingClientSink::Options options;
  options.expect_connected = false;
  options.max_batches = 3;
  options.max_violations = 2;
  RecordingClientSink sink(options);
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::vector<ClientEvent> events = {Enter(kBob, i)};
    sink.Deliver({kSession, kCookie, kAlice, BatchStart::kGoesOn, events});
  }
  const auto batches = sink.batches(kCookie);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches.back().events[0].time, Time::Millis(9));
  EXPECT_THAT(sink.violations(), SizeIs(2));
  EXPECT_EQ(sink.counts().violations, 9u) << "all but the first enter";
}

// --- each kind of violation ---

TEST_F(RecordingClientSinkTest, CatchesWhatComesBeforeConnected) {
  sink_.ReportRefused(kSession, 5, Time::Millis(1), ReportOutcome::kStale);
  ExpectViolation("ReportRefused before Connected");
}

TEST_F(RecordingClientSinkTest, CatchesACookieConnectedTwice) {
  sink_.Connected(kCookie, kBob);
  ExpectViolation("a cookie that has been used");
}

TEST_F(RecordingClientSinkTest, CatchesAnAnswerThatNamesAFriendTwice) {
  sink_.Connected(78, kAlice, {{kBob, Position(), 7, Time()}, {kBob, Position(), 8, Time()}});
  ExpectViolation("names a friend twice");
}

TEST_F(RecordingClientSinkTest, CatchesWhatComesAfterEnded) {
  sink_.Ended(kSession, kCookie, ClientSink::EndReason::kReplaced);
  Deliver({Enter(kBob)});
  sink_.Ended(kSession, kCookie, ClientSink::EndReason::kReplaced);
  sink_.MoveAway(kSession, kCookie, absl::Seconds(1));
  sink_.ReportRefused(kSession, kCookie, Time::Millis(1), ReportOutcome::kStale);
  EXPECT_THAT(
      sink_.violations(),
      ElementsAre(HasSubstr("Deliver after Ended"), HasSubstr("Ended after Ended"),
                  HasSubstr("MoveAway after Ended"), HasSubstr("ReportRefused after Ended")));
}

TEST_F(RecordingClientSinkTest, IgnoresWhatComesAfterDisconnected) {
  Deliver({Enter(kBob)});
  sink_.Disconnected(kCookie);
  Deliver({Enter(kBob)});
  sink_.Ended(kSession, kCookie, ClientSink::EndReason::kReplaced);
  EXPECT_THAT(sink_.violations(), IsEmpty());
  EXPECT_EQ(sink_.counts().late, 2u);
  EXPECT_EQ(sink_.counts().enters, 1u);
  EXPECT_FALSE(sink_.ended(kCookie).has_value());
}

TEST_F(RecordingClientSinkTest, CatchesAnotherSessionOrUserUnderTheCookie) {
  Deliver({Enter(kBob)});
  sink_.MoveAway({ShardId{1}, kSession.client}, kCookie, absl::Seconds(1));
  const std::vector<ClientEvent> events = {Move(kBob)};
  sink_.Deliver({{ShardId{1}, kSession.client}, kCookie, kCarol, BatchStart::kGoesOn, events});
  EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr("MoveAway for another session"),
                                              HasSubstr("a batch for user 3, not 1")));
}

TEST_F(RecordingClientSinkTest, CatchesABatchWhileBusy) {
  sink_.SetFlow(kCookie, Flow::kBusy);
  Deliver({Enter(kBob)});
  Deliver({Move(kBob)});
  ExpectViolation("while the session is busy");
}

TEST_F(RecordingClientSinkTest, CatchesABatchThatSaysNothing) {
  Deliver({});
  ExpectViolation("says nothing");
}

TEST_F(RecordingClientSinkTest, CatchesCallsWithinACall) {
  sink_.SetHook([this](const ClientBatch& batch) {
    if (batch.events[0].kind == DeliveryKind::kEnter) Deliver({Move(kBob)});
  });
  Deliver({Enter(kBob)});
  ExpectViolation("Deliver overlaps another call");
}

TEST_F(RecordingClientSinkTest, CatchesCallsOfTwoThreadsThatOverlap) {
  std::atomic<bool> is_first{true};
  sink_.SetHook([&](const ClientBatch&) {
    if (!is_first.exchange(false)) return;
    std::thread([this] { sink_.MoveAway(kSession, kCookie, absl::Seconds(1)); }).join();
  });
  Deliver({Enter(kBob)});
  ExpectViolation("MoveAway overlaps another call");
}

TEST_F(RecordingClientSinkTest, CatchesTwoEventsForOneFriendInABatch) {
  Deliver({Enter(kBob), Move(kBob)});
  ExpectViolation("a second event for one friend");
}

TEST_F(RecordingClientSinkTest, CatchesAnEnterOfOneInSight) {
  Deliver({Enter(kBob)});
  Deliver({Enter(kBob)});
  ExpectViolation("an enter of one who is in sight");
}

TEST_F(RecordingClientSinkTest, CatchesAMoveOrLeaveOfOneNotInSight) {
  Deliver({Move(kBob), Leave(kCarol)});
  Deliver({Leave(kBob)});
  Deliver({Leave(kBob)});
  EXPECT_THAT(sink_.violations(),
              ElementsAre(HasSubstr("a move of one who is not in sight"),
                          HasSubstr("a leave of one who is not in sight: leave of 3"),
                          HasSubstr("a leave of one who is not in sight: leave of 2")));
}

TEST_F(RecordingClientSinkTest, CatchesAMoveAfterAReset) {
  Deliver({Enter(kBob)});
  Deliver({Move(kBob)}, BatchStart::kReset);
  ExpectViolation("a move of one who is not in sight");
}

TEST_F(RecordingClientSinkTest, CatchesAnythingButEntersInAResync) {
  Deliver({Enter(kBob)});
  Deliver({Leave(kBob)}, BatchStart::kResync);
  EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr("not an enter in a resync"),
                                              HasSubstr("a leave of one who is not in sight")));
}

TEST_F(RecordingClientSinkTest, CatchesTimeThatGoesBackward) {
  Deliver({Enter(kBob, 10)});
  Deliver({Leave(kBob, 20)});
  Deliver({Enter(kBob, 19)});
  ExpectViolation("time goes backward from 20 ms");
}

TEST_F(RecordingClientSinkTest, AFriendWhoConnectsAgainMayReportAnEarlierTime) {
  ClientEvent late = Move(kBob, 20);
  late.reported_at = Time::Millis(8);
  sink_.Connected(kCookie + 1, kBob);
  Deliver({Enter(kBob, 10)});
  sink_.Disconnected(kCookie + 1);
  Deliver({late});
  EXPECT_THAT(sink_.violations(), IsEmpty());
}

TEST_F(RecordingClientSinkTest, CatchesAReportTimeThatGoesBackward) {
  ClientEvent late = Move(kBob, 20);
  late.reported_at = Time::Millis(8);
  Deliver({Enter(kBob, 10)});
  Deliver({late});
  ExpectViolation("report time goes backward from 9 ms");
  // A phone whose clock was set back may be seen again.
  late.kind = DeliveryKind::kEnter;
  late.reported_at = Time::Millis(2);
  Deliver({Leave(kBob, 21)});
  late.time = Time::Millis(22);
  Deliver({late});
  EXPECT_EQ(sink_.counts().violations, 1u);
}

TEST_F(RecordingClientSinkTest, CatchesAnEventAboutOneself) {
  Deliver({Enter(kAlice)});
  ExpectViolation("an event about oneself");
}

TEST_F(RecordingClientSinkTest, CatchesAResetAsAnEvent) {
  ClientEvent reset;
  reset.kind = DeliveryKind::kReset;
  reset.friend_id = kBob;
  Deliver({reset});
  ExpectViolation("not an event");
}

TEST_F(RecordingClientSinkTest, CatchesASightingWithoutAPosition) {
  ClientEvent event = Enter(kBob);
  event.position = Position();
  Deliver({event});
  ExpectViolation("a sighting without a position");
}

TEST_F(RecordingClientSinkTest, CatchesALeaveThatSaysTooMuch) {
  Deliver({Enter(kBob), Enter(kCarol)});
  ClientEvent placed = Leave(kBob);
  placed.position = Position::FromLatLng({1, 2});
  ClientEvent measured = Leave(kCarol);
  measured.distance_mm = 9;
  Deliver({placed, measured});
  EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr("a leave with a position"),
                                              HasSubstr("a leave with a distance")));
}

TEST_F(RecordingClientSinkTest, CatchesReasonsWhereNoneBelongAndNoneWhereOneDoes) {
  ClientEvent enter = Enter(kBob);
  enter.reason = LeaveReason::kRange;
  Deliver({enter});
  ClientEvent leave = Leave(kBob);
  leave.reason = LeaveReason::kNone;
  Deliver({leave});
  EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr("a sighting with a reason"),
                                              HasSubstr("a leave without a reason")));
}

TEST_F(RecordingClientSinkTest, CatchesReasonsThatClientsAreNotToKnow) {
  RecordingClientSink::Options options;
  options.coarse_reasons = false;
  RecordingClientSink frank(options);
  frank.Connected(kCookie, kAlice);
  for (const LeaveReason reason : {LeaveReason::kHidden, LeaveReason::kUnfriended}) {
    ClientEvent leave = Leave(kBob);
    leave.reason = reason;
    Deliver({Enter(kBob)});
    Deliver({leave});
    const std::vector<ClientEvent> enters = {Enter(kBob)};
    const std::vector<ClientEvent> leaves = {leave};
    frank.Deliver({kSession, kCookie, kAlice, BatchStart::kGoesOn, enters});
    frank.Deliver({kSession, kCookie, kAlice, BatchStart::kGoesOn, leaves});
  }
  EXPECT_THAT(sink_.violations(), ElementsAre(HasSubstr("clients are not to know: leave of 2"),
                                              HasSubstr("clients are not to know: leave of 2")));
  EXPECT_THAT(frank.violations(), IsEmpty());
}

TEST_F(RecordingClientSinkTest, CatchesASightingOfOneWhoMustNotBeSeen) {
  Deliver({Enter(kBob)});
  sink_.MustNotSee(kCookie, kBob);
  Deliver({Move(kBob)});
  ExpectViolation("a sighting of one who must not be seen");
  Deliver({Leave(kBob)});
  EXPECT_EQ(sink_.counts().violations, 1u) << "a leave may still come";
  Deliver({Enter(kBob)}, BatchStart::kResync);
  EXPECT_EQ(sink_.counts().violations, 2u);
  sink_.MaySee(kCookie, kBob);
  Deliver({Move(kBob)});
  EXPECT_EQ(sink_.counts().violations, 2u);
}

TEST_F(RecordingClientSinkTest, TakesBatchesOfManySessionsAtOnce) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::int64_t kRounds = 300;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      const SessionId session{ShardId{static_cast<std::uint32_t>(thread)}, {Slot{1}, 1}};
      const std::uint64_t cookie = 100 + thread;
      sink_.Connected(cookie, kAlice);
      for (std::int64_t i = 0; i < kRounds; ++i) {
        const std::vector<ClientEvent> events = {i % 2 == 0 ? Enter(kBob, i) : Leave(kBob, i)};
        sink_.Deliver({session, cookie, kAlice, BatchStart::kGoesOn, events});
        EXPECT_EQ(sink_.InSight(cookie).size(), i % 2 == 0 ? 1u : 0u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(sink_.violations(), IsEmpty());
  EXPECT_EQ(sink_.counts().batches, kThreads * kRounds);
}

}  // namespace
}  // namespace nearby
