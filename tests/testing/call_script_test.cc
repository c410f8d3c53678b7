#include "nearby/testing/call_script.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/testing/scripted_friend_store.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = FriendEdit::Kind;

const UserId kAlice{1};
const UserId kBob{2};
const UserId kCarol{3};

// A script is tried out on the lists of a friend store.
class CallScriptTest : public ::testing::Test {
 protected:
  CallScript& script() { return store_->lists(); }

  void List(UserId user) {
    store_->List(user, [this, user](absl::StatusOr<FriendList> list) {
      order_.push_back(ToInt(user));
      thread_ = std::this_thread::get_id();
      status_ = list.ok() ? absl::OkStatus() : absl::Status(list.status());
      if (list.ok()) list_ = *std::move(list);
    });
  }

  void Befriend(UserId a, UserId b) {
    store_->Edit({Kind::kBefriend, a, b},
                 [](absl::StatusOr<FriendshipOutcome> outcome) { EXPECT_TRUE(outcome.ok()); });
  }

  InMemoryFriendStore friends_;
  std::unique_ptr<ScriptedFriendStore> store_ = std::make_unique<ScriptedFriendStore>(&friends_);
  std::vector<std::uint64_t> order_;  // users whose lists came
  std::thread::id thread_;
  absl::Status status_;
  FriendList list_;
};

TEST_F(CallScriptTest, LetsCallsThrough) {
  Befriend(kAlice, kBob);
  List(kAlice);
  EXPECT_THAT(order_, ElementsAre(1));
  EXPECT_EQ(list_.friends.size(), 1u);
  EXPECT_EQ(thread_, std::this_thread::get_id());
  EXPECT_EQ(script().counts().calls, 1u);
  EXPECT_EQ(script().counts().answered, 1u);
}

TEST_F(CallScriptTest, HoldsAnswersAndReleasesThemInAnyOrder) {
  script().Hold();
  for (const UserId user : {kAlice, kBob, kCarol, kAlice}) List(user);
  EXPECT_THAT(order_, IsEmpty());
  EXPECT_THAT(script().held(), ElementsAre(ElementsAre(kAlice), ElementsAre(kBob),
                                           ElementsAre(kCarol), ElementsAre(kAlice)));
  EXPECT_TRUE(script().ReleaseFor(kBob));
  EXPECT_FALSE(script().ReleaseFor(kBob));
  EXPECT_TRUE(script().ReleaseNewest());
  EXPECT_TRUE(script().ReleaseOldest());
  EXPECT_THAT(order_, ElementsAre(2, 1, 1));
  EXPECT_EQ(script().ReleaseAll(), 1u);
  EXPECT_THAT(order_, ElementsAre(2, 1, 1, 3));
  EXPECT_FALSE(script().ReleaseOldest());
  EXPECT_FALSE(script().ReleaseNewest());
  EXPECT_EQ(script().counts().answered, 4u);
}

TEST_F(CallScriptTest, ResumeReleasesAndHoldsNoMore) {
  script().Hold();
  List(kAlice);
  List(kBob);
  script().Resume();
  List(kCarol);
  EXPECT_THAT(order_, ElementsAre(1, 2, 3));
}

TEST_F(CallScriptTest, WhatIsHeldIsTheAnswerOfWhenTheCallWasMade) {
  script().Hold();
  List(kAlice);
  Befriend(kAlice, kBob);
  EXPECT_TRUE(script().ReleaseOldest());
  EXPECT_THAT(list_.friends, IsEmpty());
  EXPECT_EQ(list_.version, FriendVersion{0});
}

TEST_F(CallScriptTest, ReleaseAllLeavesWhatComesMeanwhile) {
  script().Hold();
  store_->List(kAlice, [this](absl::StatusOr<FriendList>) { List(kBob); });
  EXPECT_EQ(script().ReleaseAll(), 1u);
  EXPECT_THAT(script().held(), ElementsAre(ElementsAre(kBob)));
}

TEST_F(CallScriptTest, ScriptsFollowEachOther) {
  script().FailNext(2, absl::UnavailableError("down"));
  script().FailNextAfterwards(1, absl::DeadlineExceededError("slow"));
  script().FailNext(0, absl::InternalError("for no call"));
  script().LoseNext(1);
  script().FailNext(1, absl::OkStatus());
  std::vector<absl::Status> statuses;
  for (int i = 0; i < 6; ++i) {
    status_ = absl::InternalError("not answered");
    List(kAlice);
    statuses.push_back(status_);
  }
  EXPECT_THAT(statuses,
              ElementsAre(absl::UnavailableError("down"), absl::UnavailableError("down"),
                          absl::DeadlineExceededError("slow"), absl::InternalError("not answered"),
                          absl::UnknownError("a scripted failure"), absl::OkStatus()));
  const CallScript::Counts counts = script().counts();
  EXPECT_EQ(counts.calls, 6u);
  EXPECT_EQ(counts.answered, 5u);
  EXPECT_EQ(counts.failed, 4u);
  EXPECT_EQ(counts.lost, 1u);
}

TEST_F(CallScriptTest, OnlyAFailureAfterwardsHasAnEffect) {
  absl::Status status;
  const auto edit = [&] {
    store_->Edit({Kind::kBefriend, kAlice, kBob},
                 [&](absl::StatusOr<FriendshipOutcome> outcome) { status = outcome.status(); });
  };
  store_->edits().FailNext(1, absl::UnavailableError("down"));
  edit();
  EXPECT_EQ(status, absl::UnavailableError("down"));
  EXPECT_EQ(friends_.graph().friendship_count(), 0u);
  store_->edits().FailNextAfterwards(1, absl::UnavailableError("down"));
  edit();
  EXPECT_EQ(status, absl::UnavailableError("down"));
  EXPECT_EQ(friends_.graph().friendship_count(), 1u);
}

TEST_F(CallScriptTest, FailuresAreHeldLikeOtherAnswers) {
  script().Hold();
  script().FailNext(1, absl::UnavailableError("down"));
  List(kAlice);
  EXPECT_THAT(order_, IsEmpty());
  EXPECT_TRUE(script().ReleaseFor(kAlice));
  EXPECT_EQ(status_, absl::UnavailableError("down"));
}

TEST_F(CallScriptTest, KeepsWhatItHasLostOrHoldsUntilItGoes) {
  const auto alive = std::make_shared<int>(1);
  const auto list = [&] {
    store_->List(kAlice, [alive](absl::StatusOr<FriendList>) { ADD_FAILURE() << "called"; });
  };
  script().LoseNext(1);
  list();
  script().Hold();
  list();
  EXPECT_EQ(alive.use_count(), 3);
  store_.reset();
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(CallScriptTest, AnswersOnItsOwnThread) {
  script().AnswerOnOwnThread(true);
  for (const UserId user : {kAlice, kBob, kCarol}) List(user);
  script().AwaitAnswers();
  EXPECT_THAT(order_, ElementsAre(1, 2, 3));
  EXPECT_NE(thread_, std::thread::id());
  EXPECT_NE(thread_, std::this_thread::get_id());
  const std::thread::id own = thread_;

  script().Hold();
  List(kAlice);
  EXPECT_TRUE(script().ReleaseOldest());
  script().AwaitAnswers();
  EXPECT_EQ(thread_, own);

  script().Resume();
  script().AnswerOnOwnThread(false);
  List(kAlice);
  EXPECT_EQ(thread_, std::this_thread::get_id());
  EXPECT_EQ(script().counts().answered, 5u);
}

TEST_F(CallScriptTest, AnAnswerOnTheOwnThreadMayCallAgain) {
  script().AnswerOnOwnThread(true);
  std::atomic<int> answers{0};
  store_->List(kAlice, [&](absl::StatusOr<FriendList>) {
    ++answers;
    store_->List(kBob, [&](absl::StatusOr<FriendList>) { ++answers; });
  });
  script().AwaitAnswers();
  EXPECT_EQ(answers.load(), 2);
}

TEST_F(CallScriptTest, CallsFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 200;
  script().Hold();
  script().FailNext(100, absl::UnavailableError("down"));
  script().LoseNext(50);
  std::atomic<int> answers{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call) {
        store_->List(kAlice, [&](absl::StatusOr<FriendList> list) {
          ++answers;
          if (!list.ok()) ++failures;
        });
      }
    });
  }
  script().AwaitHeld(kThreads * kCalls - 50);
  EXPECT_EQ(answers.load(), 0);
  script().AnswerOnOwnThread(true);
  std::vector<std::thread> releasers;
  for (int i = 0; i < 2; ++i) {
    releasers.emplace_back([&] {
      while (script().ReleaseOldest()) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::thread& thread : releasers) thread.join();
  script().AwaitAnswers();
  EXPECT_EQ(answers.load(), kThreads * kCalls - 50);
  EXPECT_EQ(failures.load(), 100);
  EXPECT_EQ(script().counts().lost, 50u);
}

// A store that answers when it is told to, be it after the scripted one has gone.
class LateStore : public FriendStore {
 public:
  void List(UserId, ListDone done) override { late_ = std::move(done); }
  void Edit(const FriendEdit&, EditDone) override {}
  void Answer() { late_(FriendList()); }

 private:
  ListDone late_;
};

TEST_F(CallScriptTest, AnAnswerAfterItHasGoneIsDropped) {
  LateStore late;
  auto scripted = std::make_unique<ScriptedFriendStore>(&late);
  scripted->List(kAlice, [](absl::StatusOr<FriendList>) { ADD_FAILURE() << "called"; });
  EXPECT_THAT(scripted->lists().held(), IsEmpty());
  scripted.reset();
  late.Answer();
}

TEST_F(CallScriptTest, HoldsAnswersThatComeLate) {
  LateStore late;
  ScriptedFriendStore scripted(&late);
  bool answered = false;
  scripted.lists().Hold();
  scripted.List(kAlice, [&](absl::StatusOr<FriendList>) { answered = true; });
  EXPECT_THAT(scripted.lists().held(), IsEmpty());
  late.Answer();
  EXPECT_FALSE(answered);
  EXPECT_TRUE(scripted.lists().ReleaseFor(kAlice));
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace nearby
