// A friend store for each clause that keeps all but that one: the suite must say which.

#include "nearby/testing/friend_store_conformance.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/friend_graph.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/in_memory_friend_store.h"
#include "tests/conformance/failed_clauses.h"
#include "tests/conformance/flawed_calls.h"

namespace nearby {
namespace {

using Kind = FriendEdit::Kind;
using test::CallFlaw;

constexpr std::uint32_t kMaxFriends = 30;

enum class Flaw {
  kNone,
  kVersionsRunAhead,
  kHidesOnOneSide,
  kAnswersFromTheOtherSide,
  kUndoesTheLastEdit,
  kKnowsNoStrangers,
};

FriendGraph::Options Limits() {
  FriendGraph::Options options;
  options.max_friends = kMaxFriends;
  return options;
}

class FlawedFriendStore : public FriendStore {
 public:
  FlawedFriendStore(std::shared_ptr<test::FlawedCalls> calls, Flaw flaw)
      : calls_(std::move(calls)), flaw_(flaw), store_(Limits()) {}
  ~FlawedFriendStore() override { calls_->End(); }

  void List(UserId user, ListDone done) override {
    calls_->Do(std::move(done), [this, user](ListDone answer) {
      store_.List(user, [&](absl::StatusOr<FriendList> list) { answer(Alter(std::move(list))); });
    });
  }

  void Edit(const FriendEdit& edit, EditDone done) override {
    calls_->Do(std::move(done), [this, edit](EditDone answer) {
      if (flaw_ == Flaw::kUndoesTheLastEdit && edit.user == edit.friend_id) {
        store_.Edit({Kind::kUnfriend, UserId{1}, UserId{2}}, [](const auto&) {});
      }
      store_.Edit(edit, [&](absl::StatusOr<FriendshipOutcome> outcome) {
        if (flaw_ == Flaw::kAnswersFromTheOtherSide && outcome.ok()) {
          outcome->change.friendship = outcome->change.friendship.Flipped();
        }
        answer(std::move(outcome));
      });
    });
  }

 private:
  absl::StatusOr<FriendList> Alter(absl::StatusOr<FriendList> list) const {
    if (!list.ok()) return list;
    if (flaw_ == Flaw::kVersionsRunAhead) list->version = FriendVersion{ToInt(list->version) + 1};
    if (flaw_ == Flaw::kKnowsNoStrangers && list->friends.empty()) {
      return absl::NotFoundError("who?");
    }
    if (flaw_ == Flaw::kHidesOnOneSide) {
      for (FriendEntry& entry : list->friends) entry.friendship.friend_hides = false;
    }
    return list;
  }

  std::shared_ptr<test::FlawedCalls> calls_;
  const Flaw flaw_;
  InMemoryFriendStore store_;
};

std::vector<ConformanceCase> Cases(CallFlaw call_flaw, Flaw flaw) {
  return FriendStoreConformance([=] {
    const auto calls = std::make_shared<test::FlawedCalls>(call_flaw);
    FriendStoreUnderTest test;
    test.adapter = std::make_unique<FlawedFriendStore>(calls, flaw);
    test.stall = [calls](bool on) { calls->Stall(on); };
    test.patience = absl::Seconds(2);
    test.max_friends = kMaxFriends;
    return test;
  });
}

TEST(FriendStoreConformanceTest, PassesWhatIsRight) {
  test::ExpectFails(0, Cases(CallFlaw::kNone, Flaw::kNone));
}

TEST(FriendStoreConformanceTest, FindsEachFlawInTheCalls) {
  test::ExpectFails(1, Cases(CallFlaw::kCompletesTwice, Flaw::kNone));
  test::ExpectFails(2, Cases(CallFlaw::kBlocks, Flaw::kNone));
  test::ExpectFails(3, Cases(CallFlaw::kRefusesReentrantCalls, Flaw::kNone));
  test::ExpectFails(4, Cases(CallFlaw::kKeepsDones, Flaw::kNone));
}

TEST(FriendStoreConformanceTest, FindsEachFlawInTheData) {
  test::ExpectFails(5, Cases(CallFlaw::kNone, Flaw::kVersionsRunAhead));
  test::ExpectFails(6, Cases(CallFlaw::kNone, Flaw::kHidesOnOneSide));
  test::ExpectFails(7, Cases(CallFlaw::kNone, Flaw::kAnswersFromTheOtherSide));
  test::ExpectFails(8, Cases(CallFlaw::kNone, Flaw::kUndoesTheLastEdit));
  test::ExpectFails(9, Cases(CallFlaw::kNone, Flaw::kKnowsNoStrangers));
}

TEST(FriendStoreConformanceTest, SkipsWhatNeedsAHook) {
  const auto cases = FriendStoreConformance([] {
    FriendStoreUnderTest test;
    test.adapter = std::make_unique<InMemoryFriendStore>();
    return test;
  });
  EXPECT_THAT(test::SkippedCases(cases),
              ::testing::ElementsAre("Clause2Blocking", "Clause8FullListsChangeNothing"));
}

}  // namespace
}  // namespace nearby
