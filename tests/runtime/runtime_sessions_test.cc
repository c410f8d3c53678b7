// Sessions after their answer: replaced, ended, addressed by handles that are over.

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RuntimeSessionsTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  RuntimeSessionsTest() { world_.Befriend(alice_, bob_); }

  std::uint64_t sessions() { return world_.runtime().stats().sessions; }

  World world_{GetParam()};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeSessionsTest, ::testing::Values(1, 2, 4));

// --- replaced ---

TEST_P(RuntimeSessionsTest, ASecondConnectEndsTheFirstSession) {
  const Client bob = world_.Connect(bob_, North(100));
  const Client first = world_.Connect(alice_, kHere);
  const std::size_t told_bob = world_.sink().batches(bob.cookie).size();
  const Client second = world_.Connect(alice_);
  EXPECT_EQ(world_.sink().ended(first.cookie), ClientSink::EndReason::kReplaced);
  EXPECT_FALSE(world_.sink().ended(second.cookie).has_value());
  EXPECT_THAT(world_.InSight(second), UnorderedElementsAre(bob_)) << "the location is still known";
  EXPECT_EQ(world_.sink().batches(bob.cookie).size(), told_bob) << "friends notice nothing";
  EXPECT_EQ(sessions(), 2u);
}

TEST_P(RuntimeSessionsTest, ConnectsReplacedBeforeTheyWereAnsweredAreAborted) {
  world_.friends().lists().Hold();
  const Connecting first = world_.BeginConnect(alice_, kHere);
  const Connecting second = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  const Connecting third = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  EXPECT_EQ(first.reply.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(second.reply.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(third.reply.times(), 0);
  // The lists of the first two come all the same, and are nobody's.
  world_.friends().lists().Resume();
  world_.Settle();
  EXPECT_TRUE(third.reply.status().ok());
  for (const Connecting* one : {&first, &second, &third}) EXPECT_EQ(one->reply.times(), 1);
  EXPECT_EQ(sessions(), 1u);
  EXPECT_EQ(world_.sink().counts().ended, 0u) << "the host knew of no session";
}

TEST_P(RuntimeSessionsTest, ASessionReplacedWithEventsWaitingIsToldNoMore) {
  const Client first = world_.Connect(alice_, kHere);
  world_.SetBusy(first, true);
  const Client bob = world_.Connect(bob_, North(100));
  ASSERT_TRUE(world_.sink().is_busy(first.cookie));
  world_.clock().Advance(absl::Seconds(1));
  world_.Report(bob, North(90));
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().pending_events, 1u);
  world_.Connect(alice_);
  EXPECT_EQ(world_.runtime().stats().pending_events, 0u);
  EXPECT_EQ(world_.runtime().stats().busy_sessions, 0u);
  world_.Ready(first);
  world_.Settle();
}

// --- ended ---

TEST_P(RuntimeSessionsTest, FriendsSeeOneWhoDisconnectsLeave) {
  const Client bob = world_.Connect(bob_, North(100));
  const Client alice = world_.Connect(alice_, kHere);
  EXPECT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
  world_.Disconnect(alice);
  world_.Settle();
  EXPECT_THAT(world_.InSight(bob), IsEmpty());
  const auto batches = world_.sink().batches(bob.cookie);
  EXPECT_EQ(batches.back().events.back().reason, LeaveReason::kOffline);
  EXPECT_EQ(sessions(), 1u);
}

TEST_P(RuntimeSessionsTest, DisconnectingTwiceIsDisconnectingOnce) {
  const Client alice = world_.Connect(alice_, kHere);
  world_.Disconnect(alice);
  world_.Disconnect(alice);
  world_.Settle();
  world_.Disconnect(alice);
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().engine.disconnects, 1u);
}

TEST_P(RuntimeSessionsTest, ASessionThatEndsWithinItsOwnAnswerIsOver) {
  const Client bob = world_.Connect(bob_, North(100));
  ConnectCall call;
  call.user = alice_;
  call.cookie = 1'000;
  call.location = TimedLocation{kHere, world_.now()};
  ConnectReply reply;
  world_.runtime().Connect(call, reply.DoneAnd([&](absl::StatusOr<ConnectResult> result) {
    world_.sink().Connected(1'000, alice_, result->friends);
    world_.Disconnect({alice_, 1'000, result->session});
  }));
  world_.Settle();
  EXPECT_TRUE(reply.status().ok());
  EXPECT_EQ(sessions(), 1u);
  EXPECT_THAT(world_.InSight(bob), IsEmpty());
}

TEST_P(RuntimeSessionsTest, ASessionThatIsBusyCanEnd) {
  const Client alice = world_.Connect(alice_, kHere);
  world_.SetBusy(alice, true);
  const Client bob = world_.Connect(bob_, North(100));
  world_.clock().Advance(absl::Seconds(1));
  world_.Report(bob, North(90));
  world_.Settle();
  world_.Disconnect(alice);
  world_.Ready(alice);
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().busy_sessions, 0u);
  EXPECT_EQ(world_.runtime().stats().pending_events, 0u);
}

TEST_P(RuntimeSessionsTest, ThePlaceOfASessionThatEndedIsTakenInTheSamePoll) {
  // The one who comes must not be handed what waited for the one who went.
  const Client bob = world_.Connect(bob_, North(100));
  const Client alice = world_.Connect(alice_, kHere);
  world_.clock().Advance(absl::Seconds(1));
  world_.Report(bob, North(90));
  world_.Disconnect(alice);
  const Connecting stranger = world_.BeginConnect(world_.User(GetParam() * 7), kHere);
  world_.Settle();
  ASSERT_TRUE(stranger.reply.status().ok());
  EXPECT_THAT(world_.InSight(stranger.client()), IsEmpty());
  EXPECT_THAT(world_.sink().batches(stranger.cookie), IsEmpty());
}

// --- handles that are over, or never were ---

TEST_P(RuntimeSessionsTest, AStaleHandleDoesNothingToTheSessionThatFollowed) {
  const Client old_alice = world_.Connect(alice_, kHere);
  const Client alice = world_.Connect(alice_);
  const Client bob = world_.Connect(bob_, North(100));
  world_.Disconnect(old_alice);
  world_.Ready(old_alice);
  world_.Report(old_alice, kFarAway);
  const StatusReply radius = world_.SetRadius(old_alice, 1);
  world_.Settle();
  EXPECT_EQ(radius.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(radius.times(), 1);
  EXPECT_EQ(sessions(), 2u);
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  EXPECT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
  EXPECT_THAT(world_.sink().refused(alice.cookie), IsEmpty());
  EXPECT_EQ(world_.runtime().stats().engine.reports_unknown_client, 1u);
}

TEST_P(RuntimeSessionsTest, ADefaultHandleNamesNobody) {
  world_.Connect(alice_, kHere);
  const Client nobody;
  world_.runtime().Disconnect(nobody.session);
  world_.runtime().Ready(nobody.session);
  const StatusReply radius = world_.SetRadius(nobody, 1);
  world_.Settle();
  EXPECT_EQ(radius.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(sessions(), 1u);
}

TEST_P(RuntimeSessionsTest, AShardThatDoesNotExistIsNotFound) {
  for (const std::uint32_t shard : {GetParam(), 64u, 0xFFFFFFFFu}) {
    const SessionId session{ShardId{shard}, {Slot{0}, 1}};
    world_.runtime().Disconnect(session);
    world_.runtime().Ready(session);
    EXPECT_TRUE(absl::IsNotFound(world_.runtime().Report({session, kHere, kStart})));
    EXPECT_EQ(world_.runtime().ReportAll(std::vector<SessionReport>{{session, kHere, kStart}}), 1u);
    StatusReply radius;
    world_.runtime().SetRadius(session, 1, radius.Done());
    EXPECT_EQ(radius.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(world_.runtime().Poll(ShardId{shard}), absl::InfiniteDuration());
    world_.runtime().Run(ShardId{shard});
  }
  world_.Settle();
}

TEST_P(RuntimeSessionsTest, AGuessedHandleOfASessionThatIsNotAnsweredYetDoesNothing) {
  // A connect must be answered exactly once, whoever guesses what its session will be called.
  const Client before = world_.Connect(alice_, kHere);
  world_.Disconnect(before);
  world_.Settle();
  world_.friends().lists().Hold();
  const Connecting connecting = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  for (std::uint32_t generation = 0; generation < 10; ++generation) {
    SessionId guess = before.session;
    guess.client.generation = generation;
    world_.runtime().Disconnect(guess);
    world_.runtime().Ready(guess);
  }
  world_.Settle();
  world_.friends().lists().Resume();
  world_.Settle();
  EXPECT_TRUE(connecting.reply.status().ok()) << connecting.reply.status();
  EXPECT_EQ(connecting.reply.times(), 1);
}

// --- radii and pages ---

TEST_P(RuntimeSessionsTest, ARadiusHoldsFromItsCompletionOn) {
  const Client alice = world_.Connect(alice_, kHere);
  world_.Connect(bob_, North(1'000));
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  const StatusReply smaller = world_.SetRadius(alice, 900);
  EXPECT_EQ(smaller.times(), 0);
  world_.Settle();
  EXPECT_TRUE(smaller.status().ok());
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
  const StatusReply larger = world_.SetRadius(alice, 1'100);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  const StatusReply bad = world_.SetRadius(alice, -5);
  world_.Settle();
  EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeSessionsTest, APageIsGivenToThoseWhoAreConnectedAndAnswered) {
  const PageReply before = world_.Page(alice_, 10);
  world_.friends().lists().Hold();
  const Connecting connecting = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  const PageReply during = world_.Page(alice_, 10);
  world_.Settle();
  world_.friends().lists().Resume();
  world_.Settle();
  world_.Connect(bob_, North(100));
  const PageReply after = world_.Page(alice_, 10);
  world_.Settle();
  EXPECT_EQ(before.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(during.code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(after.status().ok());
  ASSERT_EQ((*after)->friends.size(), 1u);
  EXPECT_EQ((*after)->friends[0].friend_id, bob_);
  world_.Disconnect(connecting.client());
  const PageReply gone = world_.Page(alice_, 10);
  world_.Settle();
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
}

TEST_P(RuntimeSessionsTest, APageOfNobodyOrOfTooManyIsInvalid) {
  world_.Connect(alice_, kHere);
  const PageReply none = world_.Page(alice_, 0);
  const PageReply many = world_.Page(alice_, 1'001);
  world_.Settle();
  EXPECT_EQ(none.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(many.code(), absl::StatusCode::kInvalidArgument);
}

// --- expiry ---

TEST_P(RuntimeSessionsTest, OneWhoExpiresIsResetAndEntersAfreshLater) {
  const Client alice = world_.Connect(alice_, kHere);
  world_.Pass(absl::Minutes(5));
  const Client bob = world_.Connect(bob_, North(100));
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  world_.Pass(absl::Minutes(5));
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
  EXPECT_THAT(world_.InSight(bob), IsEmpty()) << "nothing is told about one who has expired";
  EXPECT_EQ(world_.sink().batches(alice.cookie).back().start, BatchStart::kReset);
  EXPECT_EQ(world_.sink().batches(bob.cookie).back().events.back().reason, LeaveReason::kExpired);
  world_.Report(alice, kHere);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeSessionsTest, PollsAreAskedForNoMoreOftenThanThereIsSomethingToDo) {
  // Two clients that report every half a minute, for an hour, on a host that polls when it is told.
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  std::int64_t polls = 0;
  for (std::int64_t ms = 0; ms < 3'600'000; ++polls) {
    const std::int64_t wait_ms = absl::ToInt64Milliseconds(world_.runtime().PollAll());
    ASSERT_GE(wait_ms, 1);
    world_.clock().Advance(absl::Milliseconds(wait_ms));
    if (ms / 30'000 != (ms + wait_ms) / 30'000) {
      world_.Report(alice, kHere);
      world_.Report(bob, North(100));
    }
    ms += wait_ms;
  }
  // One for each second, for time must go on; the few more are for expiries that turned out to have
  // been put off.
  EXPECT_LT(polls, 3'900);
  EXPECT_EQ(world_.runtime().stats().engine.expiries, 0u);
}

TEST_P(RuntimeSessionsTest, APollIsAskedForInTimeForTheNextExpiry) {
  world_.Connect(alice_, kHere);
  // However often it is polled, at least every second, and to the millisecond where it matters.
  world_.clock().Set(Time{kStart.ms + 600'000 - 300});
  EXPECT_LE(world_.runtime().PollAll(), absl::Milliseconds(300));
  EXPECT_EQ(world_.runtime().stats().engine.expiries, 0u);
  world_.Pass(absl::Milliseconds(300));
  EXPECT_EQ(world_.runtime().stats().engine.expiries, 1u);
  EXPECT_LE(world_.runtime().PollAll(), absl::Seconds(1));
  EXPECT_GT(world_.runtime().PollAll(), absl::ZeroDuration());
}

}  // namespace
}  // namespace nearby::test
