// Changes of friendships, by way of the store and the shards.

#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Kind = FriendEdit::Kind;

class RuntimeEditsTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world_{GetParam()};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeEditsTest, ::testing::Values(1, 2, 4));

TEST_P(RuntimeEditsTest, FriendsMadeWhileOnlineSeeEachOther) {
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  const EditReply reply = world_.Edit(Kind::kBefriend, alice_, bob_);
  EXPECT_EQ(reply.times(), 0);
  world_.Settle();
  EXPECT_TRUE(reply.status().ok());
  EXPECT_FALSE((*reply)->has_value()) << "only a subscription tells where the friend is";
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  EXPECT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
}

TEST_P(RuntimeEditsTest, EachKindDoesWhatItSaysAndItsOppositeUndoesIt) {
  world_.Befriend(alice_, bob_);
  const Client alice = world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  const auto expect = [&](Kind kind, UserId user, UserId friend_id, bool alice_sees,
                          bool bob_sees) {
    const EditReply reply = world_.Edit(kind, user, friend_id);
    world_.Settle();
    EXPECT_TRUE(reply.status().ok()) << reply.status();
    EXPECT_EQ(reply.times(), 1);
    EXPECT_EQ(world_.InSight(alice).count(bob_), alice_sees ? 1u : 0u);
    EXPECT_EQ(world_.InSight(bob).count(alice_), bob_sees ? 1u : 0u);
  };
  expect(Kind::kHide, alice_, bob_, true, false);
  expect(Kind::kUnsubscribe, alice_, bob_, false, false);
  expect(Kind::kShare, alice_, bob_, false, true);
  expect(Kind::kSubscribe, alice_, bob_, true, true);
  expect(Kind::kUnfriend, bob_, alice_, false, false);
  expect(Kind::kBefriend, bob_, alice_, true, true);
  EXPECT_EQ(world_.runtime().stats().edits, 6u);
}

TEST_P(RuntimeEditsTest, OneThatChangesNothingIsAcknowledgedAndTellsNobody) {
  world_.Befriend(alice_, bob_);
  const Client alice = world_.Connect(alice_, kHere);
  world_.Connect(bob_, North(100));
  const std::size_t batches = world_.sink().counts().batches;
  for (const Kind kind : {Kind::kBefriend, Kind::kShare, Kind::kSubscribe}) {
    const EditReply reply = world_.Edit(kind, alice_, bob_);
    world_.Settle();
    EXPECT_TRUE(reply.status().ok());
  }
  EXPECT_EQ(world_.sink().counts().batches, batches);
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeEditsTest, ThoseWhoAreNotOnlineAreEditedAllTheSame) {
  const EditReply reply = world_.Edit(Kind::kBefriend, alice_, bob_);
  const EditReply subscribed = world_.Edit(Kind::kSubscribe, alice_, bob_);
  world_.Settle();
  EXPECT_TRUE(reply.status().ok());
  EXPECT_TRUE(subscribed.status().ok());
  EXPECT_FALSE((*subscribed)->has_value());
  world_.Connect(bob_, North(100));
  EXPECT_THAT(world_.InSight(world_.Connect(alice_, kHere)), UnorderedElementsAre(bob_));
}

TEST_P(RuntimeEditsTest, TheStoresErrorIsTheAnswer) {
  const EditReply self = world_.Edit(Kind::kBefriend, alice_, alice_);
  world_.friends().edits().FailNext(1, absl::PermissionDeniedError("no"));
  const EditReply denied = world_.Edit(Kind::kBefriend, alice_, bob_);
  world_.Settle();
  EXPECT_EQ(self.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(world_.runtime().stats().edits_failed, 2u);
  EXPECT_EQ(world_.runtime().stats().edits_in_flight, 0u);
  EXPECT_EQ(world_.friends().lists().counts().calls, 0u) << "nothing is open";
}

TEST_P(RuntimeEditsTest, AfterAnErrorThatLeavesItOpenTheListsAreLoadedAgain) {
  world_.Befriend(alice_, bob_);
  for (const absl::Status& error :
       {absl::UnavailableError("?"), absl::DeadlineExceededError("?"), absl::UnknownError("?")}) {
    const Client alice = world_.Connect(alice_, kHere);
    const Client bob = world_.Connect(bob_, North(100));
    ASSERT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
    // The store has done it, and the answer is lost on the way.
    world_.friends().edits().FailNextAfterwards(1, error);
    const EditReply hide = world_.Edit(Kind::kHide, alice_, bob_);
    world_.Settle();
    EXPECT_EQ(hide.status(), error);
    EXPECT_THAT(world_.InSight(bob), IsEmpty()) << error;
    EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
    world_.Edit(Kind::kShare, alice_, bob_);
    world_.Settle();
  }
}

TEST_P(RuntimeEditsTest, AReloadGoesOnUntilItSucceeds) {
  world_.Befriend(alice_, bob_);
  world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, North(100));
  world_.friends().edits().FailNextAfterwards(1, absl::UnavailableError("?"));
  world_.friends().lists().FailNext(20, absl::UnavailableError("down"));
  world_.Edit(Kind::kHide, alice_, bob_);
  for (int i = 0; i < 200; ++i) world_.Pass(absl::Seconds(1));
  EXPECT_THAT(world_.InSight(bob), IsEmpty());
  EXPECT_EQ(world_.friends().lists().counts().failed, 20u);
}

TEST_P(RuntimeEditsTest, ASubscriptionIsAnsweredWithWhereTheFriendIs) {
  world_.Befriend(alice_, bob_);
  ASSERT_TRUE(world_.graph().Unsubscribe({/*viewer=*/alice_, /*owner=*/bob_}).ok());
  const Client alice = world_.Connect(alice_, kHere);
  world_.Connect(bob_, North(100));
  EXPECT_THAT(world_.InSight(alice), IsEmpty());
  const EditReply reply = world_.Edit(Kind::kSubscribe, alice_, bob_);
  world_.Settle();
  ASSERT_TRUE(reply.status().ok());
  ASSERT_TRUE((*reply)->has_value());
  EXPECT_EQ((**reply)->friend_id, bob_);
  EXPECT_EQ((**reply)->position, Position::FromLatLng(North(100)));
  EXPECT_EQ((**reply)->reported_at, kStart);
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));
  EXPECT_EQ(reply.times(), 1);
}

TEST_P(RuntimeEditsTest, ASubscriptionIsAnsweredAlikeForTheFarTheHiddenAndTheAbsent) {
  const UserId hidden = world_.User(1);
  const UserId far = world_.User(GetParam() + 1);
  const UserId absent = world_.User(2 * GetParam() + 1);
  for (const UserId user : {hidden, far, absent}) world_.Befriend(alice_, user);
  ASSERT_TRUE(world_.graph().Hide({/*viewer=*/alice_, /*owner=*/hidden}).ok());
  world_.Connect(alice_, kHere);
  world_.Connect(hidden, North(100));
  world_.Connect(far, kFarAway);
  std::vector<int> polls;
  for (const UserId user : {hidden, far, absent}) {
    const EditReply reply = world_.Edit(Kind::kSubscribe, alice_, user);
    polls.push_back(0);
    for (; reply.times() == 0 && polls.back() < 100; ++polls.back()) {
      for (std::uint32_t i = 0; i < GetParam(); ++i) world_.runtime().Poll(ShardId{i});
    }
    EXPECT_TRUE(reply.status().ok());
    EXPECT_FALSE((*reply)->has_value());
  }
  EXPECT_EQ(polls[0], polls[1]) << "the time that it takes must not tell either";
  EXPECT_EQ(polls[1], polls[2]);
}

TEST_P(RuntimeEditsTest, AChangeThatTheStoreMadeElsewhereIsApplied) {
  const Client alice = world_.Connect(alice_, kHere);
  world_.Connect(bob_, North(100));
  const FriendshipChange change = world_.graph().Befriend(alice_, bob_)->change;
  StatusReply once;
  StatusReply twice;
  world_.runtime().Apply(change, once.Done());
  world_.runtime().Apply(change, twice.Done());
  world_.Settle();
  EXPECT_TRUE(once.status().ok());
  EXPECT_TRUE(twice.status().ok());
  EXPECT_THAT(world_.InSight(alice), UnorderedElementsAre(bob_));

  StatusReply self;
  world_.runtime().Apply({alice_, alice_, {}, FriendVersion{99}}, self.Done());
  world_.Settle();
  EXPECT_EQ(self.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(self.times(), 1);
}

TEST_P(RuntimeEditsTest, ChangesThatCannotBeJudgedAnyMoreAreSettledByTheLists) {
  World::Options options;
  options.runtime.shards = GetParam();
  options.runtime.engine.max_remembered_changes = 2;
  World world(options);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  const Client alices = world.Connect(alice, kHere);
  world.Connect(bob, North(100));
  const FriendshipChange befriended = world.graph().Befriend(alice, bob)->change;
  // So many others that the shards have to forget some before they hear of this one.
  for (std::uint64_t i = 0; i < 20; ++i) {
    world.Edit(Kind::kBefriend, world.User(100 + i), world.User(200 + i));
  }
  world.Settle();
  StatusReply reply;
  world.runtime().Apply(befriended, reply.Done());
  world.Settle();
  EXPECT_TRUE(reply.status().ok()) << reply.status();
  EXPECT_THAT(world.InSight(alices), UnorderedElementsAre(bob));
}

TEST_P(RuntimeEditsTest, CompletionsComeOnAThreadThatPollsThoughTheStoreHasItsOwn) {
  world_.Befriend(alice_, bob_);
  world_.friends().edits().AnswerOnOwnThread(true);
  world_.friends().edits().FailNext(1, absl::PermissionDeniedError("no"));
  const EditReply fails = world_.Edit(Kind::kHide, alice_, bob_);
  const EditReply succeeds = world_.Edit(Kind::kHide, alice_, bob_);
  world_.friends().edits().AwaitAnswers();
  EXPECT_EQ(fails.times(), 0);
  EXPECT_EQ(succeeds.times(), 0);
  world_.Settle();
  EXPECT_EQ(fails.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(succeeds.status().ok());
  EXPECT_EQ(fails.thread(), std::this_thread::get_id());
  EXPECT_EQ(succeeds.thread(), std::this_thread::get_id());
}

TEST(RuntimeEditsThreadTest, ACallIsNotCompletedWithinItselfHoweverQuickTheShardsAre) {
  // Whoever calls may hold a lock that the completion takes. The wake, which comes within the call,
  // has another thread poll everything before the call returns.
  std::function<void()> poll_elsewhere = [] {};
  World::Options options;
  options.runtime.shards = 2;
  bool is_polling = false;
  options.wake = [&](ShardId) {
    if (std::exchange(is_polling, true)) return;
    std::thread(poll_elsewhere).join();
    is_polling = false;
  };
  World world(options);
  poll_elsewhere = [&] { world.runtime().PollAll(); };
  const UserId users[] = {world.User(0), world.User(1), world.User(2)};
  for (const UserId other : {users[1], users[2]}) {
    StatusReply applied;
    world.runtime().Apply(world.graph().Befriend(users[0], other)->change, applied.Done());
    const EditReply hidden = world.Edit(Kind::kHide, users[0], other);
    world.Settle();
    EXPECT_TRUE(applied.status().ok());
    EXPECT_TRUE(hidden.status().ok());
    EXPECT_NE(applied.thread(), std::this_thread::get_id());
    EXPECT_NE(hidden.thread(), std::this_thread::get_id());
  }
  StatusReply drained;
  world.runtime().Drain(drained.Done());
  world.Settle();
  EXPECT_TRUE(drained.status().ok());
  EXPECT_NE(drained.thread(), std::this_thread::get_id());
}

}  // namespace
}  // namespace nearby::test
