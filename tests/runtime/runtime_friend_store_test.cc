// A friend store that is slow, fails, loses calls, answers late or twice.

#include <cstdint>
#include <optional>
#include <utility>
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

class RuntimeFriendStoreTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  RuntimeFriendStoreTest() { world_.Befriend(alice_, bob_); }

  CallScript& lists() { return world_.friends().lists(); }
  std::size_t loads() { return lists().counts().calls; }

  World world_{GetParam()};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeFriendStoreTest, ::testing::Values(1, 2));

TEST_P(RuntimeFriendStoreTest, AConnectWaitsForASlowStore) {
  world_.Connect(bob_, kHere);
  lists().Hold();
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Pass(absl::Seconds(9));
  EXPECT_EQ(alice.reply.times(), 0);
  lists().Resume();
  world_.Settle();
  ASSERT_TRUE(alice.reply.status().ok());
  EXPECT_EQ((*alice.reply)->in_sight, 1u);
}

TEST_P(RuntimeFriendStoreTest, FriendsSeeOneWhoseOwnListIsStillBeingLoaded) {
  // The one who connects is told nothing yet; what friends see of them does not wait, once those
  // know of it.
  const Client bob = world_.Connect(bob_, kHere);
  lists().Hold();
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  lists().Resume();
  world_.Settle();
  EXPECT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
  EXPECT_EQ(alice.reply.times(), 1);
}

TEST_P(RuntimeFriendStoreTest, AFailureIsRetriedLaterEachTimeUntilItSucceeds) {
  lists().FailNext(4, absl::UnavailableError("down"));
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  EXPECT_EQ(loads(), 1u);
  std::size_t calls = 1;
  for (const int least_ms : {100, 200, 400, 800}) {
    world_.Pass(absl::Milliseconds(least_ms - 1));
    EXPECT_EQ(loads(), calls) << "too early";
    world_.Pass(absl::Milliseconds(least_ms / 2 + 1));
    EXPECT_EQ(loads(), ++calls);
  }
  EXPECT_TRUE(alice.reply.status().ok()) << alice.reply.status();
  EXPECT_EQ(world_.runtime().stats().loads_failed, 4u);
  EXPECT_EQ(world_.runtime().stats().lists_loaded, 1u);
}

TEST_P(RuntimeFriendStoreTest, AStoreThatNeverRecoversFailsTheConnectInTime) {
  lists().FailNext(1'000, absl::UnavailableError("the database is down"));
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  for (int i = 0; i < 100 && alice.reply.times() == 0; ++i) world_.Pass(absl::Milliseconds(100));
  EXPECT_EQ(alice.reply.code(), absl::StatusCode::kUnavailable) << alice.reply.status();
  EXPECT_LT(loads(), 12u) << "retries must back off";
  EXPECT_EQ(world_.runtime().stats().connects_failed, 1u);
  EXPECT_EQ(world_.runtime().stats().sessions, 0u);
  const std::size_t calls = loads();
  world_.Pass(absl::Minutes(1));
  EXPECT_EQ(loads(), calls) << "nobody waits for it any more";
  EXPECT_EQ(alice.reply.times(), 1);
}

TEST_P(RuntimeFriendStoreTest, WhatIsWrongForGoodIsNotRetried) {
  lists().FailNext(1, absl::PermissionDeniedError("no"));
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  EXPECT_EQ(alice.reply.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(loads(), 1u);
}

TEST_P(RuntimeFriendStoreTest, AStoreThatNeverAnswersIsGivenUpAtTheDeadline) {
  lists().LoseNext(1);
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  world_.Pass(absl::Milliseconds(9'999));
  EXPECT_EQ(alice.reply.times(), 0);
  EXPECT_EQ(world_.runtime().stats().loads_in_flight, 1u);
  world_.Pass(absl::Milliseconds(1));
  EXPECT_EQ(alice.reply.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(world_.runtime().stats().loads_in_flight, 0u);
  EXPECT_EQ(world_.runtime().stats().sessions, 0u);
}

TEST_P(RuntimeFriendStoreTest, AFailedConnectIsLeftByFriendsWhoSawThem) {
  // Alice replaces her own session, so that her friends go on seeing her; then her list fails.
  const Client bob = world_.Connect(bob_, kHere);
  const Client old_alice = world_.Connect(alice_, kHere);
  EXPECT_THAT(world_.InSight(bob), UnorderedElementsAre(alice_));
  lists().FailNext(1, absl::PermissionDeniedError("no"));
  const Connecting alice = world_.BeginConnect(alice_);
  world_.Settle();
  EXPECT_FALSE(alice.reply.status().ok());
  EXPECT_TRUE(world_.sink().ended(old_alice.cookie).has_value());
  EXPECT_THAT(world_.InSight(bob), IsEmpty());
}

TEST_P(RuntimeFriendStoreTest, AnAnswerThatComesTooLateIsIgnored) {
  lists().Hold();
  const Connecting late = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  world_.Pass(absl::Seconds(10));
  EXPECT_EQ(late.reply.code(), absl::StatusCode::kDeadlineExceeded);
  const Connecting again = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  ASSERT_THAT(lists().held(), SizeIs(2));
  EXPECT_TRUE(lists().ReleaseOldest());
  world_.Settle();
  EXPECT_EQ(again.reply.times(), 0) << "that was the answer to another";
  lists().Resume();
  world_.Settle();
  EXPECT_TRUE(again.reply.status().ok());
  EXPECT_EQ(late.reply.times(), 1);
}

TEST_P(RuntimeFriendStoreTest, AListForASessionThatHasEndedIsDropped) {
  const Client alice = world_.Connect(alice_, kHere);
  lists().Hold();
  world_.friends().edits().FailNext(1, absl::UnknownError("?"));
  world_.Edit(FriendEdit::Kind::kUnfriend, alice_, bob_);
  world_.Settle();
  ASSERT_THAT(lists().held(), SizeIs(1));
  world_.Disconnect(alice);
  world_.Settle();
  lists().Resume();
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().lists_loaded, 1u);
  EXPECT_EQ(world_.runtime().stats().loads_in_flight, 0u);
}

class RuntimeLongListTest : public RuntimeFriendStoreTest {
 protected:
  static World::Options Limited() {
    World::Options options;
    options.runtime.shards = GetParam();
    options.runtime.engine.max_friends = 2;
    return options;
  }

  World limited_{Limited()};
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeLongListTest, ::testing::Values(1, 2));

TEST_P(RuntimeLongListTest, AListThatIsTooLongFailsTheConnectAndIsNotLoadedAgain) {
  for (std::uint64_t i = 1; i <= 3; ++i) limited_.Befriend(limited_.User(0), limited_.User(i));
  const Connecting alice = limited_.BeginConnect(limited_.User(0), kHere);
  for (int i = 0; i < 20; ++i) limited_.Pass(absl::Milliseconds(500));
  EXPECT_EQ(alice.reply.code(), absl::StatusCode::kResourceExhausted) << alice.reply.status();
  EXPECT_EQ(limited_.runtime().stats().sessions, 0u);
  EXPECT_EQ(limited_.friends().lists().counts().calls, 1u) << "it will not get any shorter";
}

TEST_P(RuntimeLongListTest, AReloadOfAListThatIsTooLongIsNotRepeated) {
  for (std::uint64_t i = 1; i <= 2; ++i) limited_.Befriend(limited_.User(0), limited_.User(i));
  const Client alice = limited_.Connect(limited_.User(0), kHere);
  // A third friend, made by an edit of open outcome, after which the lists are loaded again.
  limited_.friends().edits().FailNextAfterwards(1, absl::UnavailableError("?"));
  limited_.Edit(FriendEdit::Kind::kBefriend, alice.user, limited_.User(3));
  for (int i = 0; i < 120; ++i) limited_.Pass(absl::Milliseconds(500));
  EXPECT_EQ(limited_.friends().lists().counts().calls, 2u);
  EXPECT_EQ(limited_.runtime().stats().loads_failed, 1u);
  EXPECT_EQ(limited_.runtime().stats().loads_in_flight, 0u);
  EXPECT_EQ(limited_.runtime().stats().sessions, 1u) << "the session goes on with what it has";
}

TEST_P(RuntimeFriendStoreTest, AReloadThatWaitsDoesNotTakeTheDeadlineOfAConnect) {
  // The connect's list is under way when an edit of open outcome asks for it once more; both fail,
  // the later one first, and so does everything that follows.
  lists().Hold();
  lists().FailNext(1'000, absl::UnavailableError("down"));
  const Connecting alice = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  world_.friends().edits().FailNext(1, absl::UnavailableError("down"));
  world_.Edit(FriendEdit::Kind::kHide, alice_, bob_);
  world_.Settle();
  ASSERT_THAT(lists().held(), SizeIs(2));
  ASSERT_TRUE(lists().ReleaseNewest());
  world_.Settle();
  lists().Resume();
  for (int i = 0; i < 60; ++i) world_.Pass(absl::Milliseconds(500));
  EXPECT_EQ(alice.reply.times(), 1) << "the connect must not hang";
}

// --- edits ---

TEST_P(RuntimeFriendStoreTest, AnEditThatIsNeverAnsweredIsOfOpenOutcomeAtTheDeadline) {
  world_.Connect(alice_, kHere);
  const Client bob = world_.Connect(bob_, kHere);
  world_.friends().edits().LoseNext(1);
  const EditReply hide = world_.Edit(FriendEdit::Kind::kHide, alice_, bob_);
  world_.Settle();
  world_.Pass(absl::Milliseconds(9'999));
  EXPECT_EQ(hide.times(), 0);
  EXPECT_EQ(world_.runtime().stats().edits_in_flight, 1u);
  world_.Pass(absl::Milliseconds(1));
  EXPECT_EQ(hide.code(), absl::StatusCode::kDeadlineExceeded) << hide.status();
  EXPECT_THAT(world_.InSight(bob), IsEmpty()) << "the store has hidden them: the list tells";
  EXPECT_EQ(world_.runtime().stats().edits_failed, 1u);
  EXPECT_EQ(world_.runtime().stats().edits_in_flight, 0u);
  EXPECT_EQ(world_.runtime().stats().store_timeouts, 1u);
}

TEST_P(RuntimeFriendStoreTest, EditsThatAreNeverAnsweredDoNotKeepTheirPlaces) {
  World::Options options;
  options.runtime.shards = GetParam();
  options.runtime.max_edits_in_flight = 2;
  World world(options);
  world.friends().edits().LoseNext(2);
  const EditReply lost = world.Edit(FriendEdit::Kind::kBefriend, world.User(0), world.User(1));
  world.Edit(FriendEdit::Kind::kBefriend, world.User(0), world.User(2));
  const EditReply refused = world.Edit(FriendEdit::Kind::kBefriend, world.User(0), world.User(3));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  world.Pass(absl::Seconds(10));
  EXPECT_EQ(lost.code(), absl::StatusCode::kDeadlineExceeded);
  const EditReply edit = world.Edit(FriendEdit::Kind::kBefriend, world.User(0), world.User(3));
  world.Settle();
  EXPECT_TRUE(edit.status().ok()) << edit.status();
  world.Pass(absl::Minutes(1));
  EXPECT_EQ(lost.times(), 1);
}

// A store that completes its calls twice or for the wrong pair, lists what nobody can believe, or
// does what it is asked to long after.
class RudeFriendStore : public FriendStore {
 public:
  explicit RudeFriendStore(FriendStore* store) : store_(store) {}

  void List(UserId user, ListDone done) override {
    ++lists;
    store_->List(user,
                 [this, user, done = std::move(done)](absl::StatusOr<FriendList> list) mutable {
                   if (has_self) list->friends.push_back({user, {}});
                   if (old_lists > 0) {
                     --old_lists;
                     list->version = FriendVersion{0};
                   }
                   done(list);
                   if (is_twice) done(list);
                 });
  }
  void Edit(const FriendEdit& edit, EditDone done) override {
    if (is_late) {
      late_.emplace_back(edit, std::move(done));
      return;
    }
    FriendEdit made = edit;
    if (other) made.friend_id = *other;
    store_->Edit(made,
                 [this, done = std::move(done)](absl::StatusOr<FriendshipOutcome> outcome) mutable {
                   if (has_doubts) outcome = absl::UnavailableError("?");
                   done(outcome);
                   if (is_twice) done(outcome);
                 });
  }

  // Does what it has put off.
  void CatchUp() {
    is_late = false;
    for (auto& [edit, done] : std::exchange(late_, {})) Edit(edit, std::move(done));
  }

  bool is_twice = false;
  bool is_late = false;
  bool has_doubts = false;
  bool has_self = false;
  int old_lists = 0;
  int lists = 0;
  std::optional<UserId> other;

 private:
  std::vector<std::pair<FriendEdit, EditDone>> late_;
  FriendStore* store_;
};

class RudeStoreTest : public ::testing::Test {
 protected:
  RudeStoreTest() {
    RuntimeOptions options;
    options.shards = 2;
    RuntimeHost host;
    host.sink = &sink_;
    host.friends = &rude_;
    host.clock = &clock_;
    runtime_ = Runtime::Create(options, std::move(host)).value();
  }

  // Connects at kHere, with a cookie of the user's number.
  ConnectReply Connect(std::uint64_t user) {
    ConnectReply connect;
    ConnectCall call;
    call.user = UserId{user};
    call.cookie = user;
    call.location = TimedLocation{kHere, clock_.Now()};
    runtime_->Connect(call, connect.DoneAnd([this, user](const auto& result) {
      if (result.ok()) sink_.Connected(user, UserId{user}, result->friends);
    }));
    runtime_->PollAll();
    return connect;
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    runtime_->PollAll();
  }

  SimulatedClock clock_{kStart};
  InMemoryFriendStore store_;
  RudeFriendStore rude_{&store_};
  RecordingClientSink sink_;
  std::unique_ptr<Runtime> runtime_;
};

TEST_F(RudeStoreTest, WhatIsAnsweredTwiceCountsOnce) {
  rude_.is_twice = true;
  ConnectReply connect;
  EditReply edit;
  EditReply refused;
  runtime_->Connect({UserId{1}, 1, {}, {}},
                    connect.DoneAnd([&](const auto&) { sink_.Connected(1, UserId{1}); }));
  runtime_->Edit({FriendEdit::Kind::kBefriend, UserId{1}, UserId{2}}, edit.Done());
  runtime_->Edit({FriendEdit::Kind::kBefriend, UserId{1}, UserId{1}}, refused.Done());
  runtime_->PollAll();
  EXPECT_TRUE(connect.status().ok());
  EXPECT_TRUE(edit.status().ok());
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(connect.times(), 1);
  EXPECT_EQ(edit.times(), 1);
  EXPECT_EQ(refused.times(), 1);
  EXPECT_EQ(runtime_->stats().edits, 1u);
  EXPECT_EQ(runtime_->stats().edits_failed, 1u);
  EXPECT_TRUE(runtime_->CheckInvariants().ok());
}

TEST_F(RudeStoreTest, AnAnswerAboutAnotherPairIsAnErrorAndNotApplied) {
  rude_.other = UserId{9};
  EditReply edit;
  runtime_->Edit({FriendEdit::Kind::kBefriend, UserId{1}, UserId{2}}, edit.Done());
  runtime_->PollAll();
  EXPECT_EQ(edit.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(runtime_->stats().engine.changes_applied, 0u);
}

TEST_F(RudeStoreTest, AMalformedListFailsTheConnectAndIsNotLoadedAgain) {
  rude_.has_self = true;
  const ConnectReply connect = Connect(1);
  for (int i = 0; i < 20; ++i) Pass(absl::Milliseconds(500));
  EXPECT_EQ(connect.code(), absl::StatusCode::kInvalidArgument) << connect.status();
  EXPECT_EQ(rude_.lists, 1);
}

TEST_F(RudeStoreTest, AListThatIsTooOldIsLoadedAgain) {
  ASSERT_TRUE(store_.graph().Befriend(UserId{1}, UserId{2}).ok());
  ASSERT_TRUE(Connect(1).is_ok());
  rude_.is_late = true;
  rude_.old_lists = 2;
  EditReply edit;
  runtime_->Edit({FriendEdit::Kind::kHide, UserId{1}, UserId{2}}, edit.Done());
  for (int i = 0; i < 60; ++i) Pass(absl::Milliseconds(500));
  EXPECT_EQ(edit.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(rude_.lists, 4) << "that of the connect, two that were too old, and a good one";
}

TEST_F(RudeStoreTest, AnEditThatTheStoreMakesAfterTheDeadlineIsInForceHereToo) {
  ASSERT_TRUE(store_.graph().Befriend(UserId{1}, UserId{2}).ok());
  ASSERT_TRUE(Connect(1).is_ok());
  ASSERT_TRUE(Connect(2).is_ok());
  for (const bool is_told : {true, false}) {
    ASSERT_THAT(sink_.InSight(2), SizeIs(1));
    rude_.is_late = true;
    EditReply hide;
    runtime_->Edit({FriendEdit::Kind::kHide, UserId{1}, UserId{2}}, hide.Done());
    for (int i = 0; i < 20; ++i) Pass(absl::Milliseconds(500));
    EXPECT_EQ(hide.code(), absl::StatusCode::kDeadlineExceeded) << hide.status();
    EXPECT_THAT(sink_.InSight(2), SizeIs(1)) << "nothing has changed yet";
    // It makes it, and says so, or is not sure.
    rude_.has_doubts = !is_told;
    rude_.CatchUp();
    runtime_->PollAll();
    EXPECT_THAT(sink_.InSight(2), IsEmpty()) << is_told;
    EXPECT_EQ(hide.times(), 1);
    rude_.has_doubts = false;
    runtime_->Edit({FriendEdit::Kind::kShare, UserId{1}, UserId{2}}, [](const auto&) {});
    runtime_->PollAll();
  }
  EXPECT_EQ(runtime_->stats().edits, 2u);
  EXPECT_EQ(runtime_->stats().edits_failed, 2u);
}

}  // namespace
}  // namespace nearby::test
