#include "nearby/in_memory_friend_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/friend_graph.h"
#include "nearby/friend_store.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/friend_store_conformance.h"
#include "tests/host/answer.h"

namespace nearby {
namespace {

using Kind = FriendEdit::Kind;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};

absl::StatusOr<FriendshipOutcome> Edit(FriendStore& store, const FriendEdit& edit) {
  test::Answer<absl::StatusOr<FriendshipOutcome>> answer;
  store.Edit(edit, answer.Done());
  return answer.Get();
}

FriendList List(FriendStore& store, UserId user) {
  test::Answer<absl::StatusOr<FriendList>> answer;
  store.List(user, answer.Done());
  EXPECT_TRUE(answer.Get().ok()) << answer.Get().status();
  return *answer.Get();
}

std::map<UserId, Friendship> ById(const FriendList& list) {
  std::map<UserId, Friendship> by_id;
  for (const FriendEntry& entry : list.friends) {
    EXPECT_TRUE(by_id.try_emplace(entry.friend_id, entry.friendship).second) << "listed twice";
  }
  return by_id;
}

FriendGraph::Options Limits(std::uint32_t max_friends, std::uint32_t max_settings) {
  FriendGraph::Options options;
  options.max_friends = max_friends;
  options.max_settings = max_settings;
  return options;
}

const bool kConformance =
    RegisterConformance("InMemoryFriendStoreConformance", FriendStoreConformance([] {
                          FriendStoreUnderTest test;
                          test.adapter = std::make_unique<InMemoryFriendStore>(Limits(50, 50));
                          test.max_friends = 50;
                          // It waits for nothing.
                          test.stall = [](bool) {};
                          return test;
                        }));

TEST(InMemoryFriendStoreTest, CompletesBeforeItReturns) {
  InMemoryFriendStore store;
  test::Answer<absl::StatusOr<FriendList>> list;
  store.List(kAlice, list.Done());
  EXPECT_EQ(list.times(), 1u);
  for (const UserId other : {kBob, kAlice}) {
    test::Answer<absl::StatusOr<FriendshipOutcome>> edit;
    store.Edit({Kind::kBefriend, kAlice, other}, edit.Done());
    EXPECT_EQ(edit.times(), 1u);
    EXPECT_EQ(edit.Get().ok(), other == kBob);
  }
}

// What one thread did and saw.
struct Log {
  std::vector<std::pair<FriendEdit, FriendshipOutcome>> edits;
  std::vector<std::pair<UserId, FriendList>> lists;
};

Log EditAtRandom(FriendStore& store, std::uint64_t seed, int steps) {
  Log log;
  std::mt19937_64 random(seed);
  for (int step = 0; step < steps; ++step) {
    const UserId user{random() % 6};
    const UserId other{(ToInt(user) + 1 + random() % 5) % 6};
    if (random() % 3 == 0) {
      log.lists.emplace_back(user, List(store, user));
      continue;
    }
    const FriendEdit edit{static_cast<Kind>(random() % 6), user, other};
    const auto outcome = Edit(store, edit);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (outcome.ok()) log.edits.emplace_back(edit, *outcome);
  }
  return log;
}

// Replays the edits of all threads in the order of their versions, and holds against it every list
// and every outcome: whatever the threads did, it must be as if one had done it.
void ExpectOneOrder(const std::vector<Log>& logs) {
  std::map<FriendVersion, const std::pair<FriendEdit, FriendshipOutcome>*> changes;
  std::vector<std::pair<FriendEdit, FriendshipOutcome>> repetitions;
  std::multimap<FriendVersion, std::pair<UserId, FriendList>> lists;
  for (const Log& log : logs) {
    for (const auto& edit : log.edits) {
      if (!edit.second.changed) {
        repetitions.push_back(edit);
      } else {
        EXPECT_TRUE(changes.emplace(edit.second.change.version, &edit).second)
            << "two changes of one version";
      }
    }
    for (const auto& list : log.lists) lists.emplace(list.second.version, list);
  }
  FriendGraph graph;
  auto next = changes.begin();
  for (FriendVersion version{0}; version <= FriendVersion{changes.size()};
       version = FriendVersion{ToInt(version) + 1}) {
    if (ToInt(version) > 0) {
      ASSERT_EQ(next->first, version);
      const auto& [edit, outcome] = *(next++)->second;
      const auto expected = graph.Edit(edit);
      ASSERT_TRUE(expected.ok());
      EXPECT_TRUE(expected->changed);
      EXPECT_EQ(outcome.change.user, edit.user);
      EXPECT_EQ(outcome.change.friend_id, edit.friend_id);
      EXPECT_EQ(outcome.change.friendship, expected->change.friendship);
    }
    const auto [first, last] = lists.equal_range(version);
    for (auto it = first; it != last; ++it) {
      FriendList expected;
      graph.List(it->second.first, &expected.friends);
      EXPECT_EQ(ById(it->second.second), ById(expected));
    }
    for (const auto& [edit, outcome] : repetitions) {
      if (outcome.change.version != version) continue;
      EXPECT_EQ(outcome.change.friendship, graph.Get(edit.user, edit.friend_id));
    }
  }
}

TEST(InMemoryFriendStoreTest, ThreadsSeeOneOrderOfChangesWithoutGaps) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    InMemoryFriendStore store;
    std::vector<Log> logs(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      threads.emplace_back([&, i] { logs[i] = EditAtRandom(store, seed * 100 + i, 200); });
    }
    for (std::thread& thread : threads) thread.join();
    ExpectOneOrder(logs);
    EXPECT_TRUE(store.graph().CheckInvariants().ok());
  }
}

TEST(InMemoryFriendStoreTest, AFailedEditTakesNoVersion) {
  InMemoryFriendStore store(Limits(1, 1));
  ASSERT_TRUE(Edit(store, {Kind::kBefriend, kAlice, kBob}).ok());
  ASSERT_TRUE(Edit(store, {Kind::kHide, kAlice, kBob}).ok());
  const FriendList before = List(store, kAlice);
  const std::vector<std::pair<FriendEdit, absl::StatusCode>> failing = {
      {{Kind::kBefriend, kAlice, kAlice}, absl::StatusCode::kInvalidArgument},
      {{Kind::kUnsubscribe, kAlice, kAlice}, absl::StatusCode::kInvalidArgument},
      {{Kind::kBefriend, kAlice, UserId{3}}, absl::StatusCode::kResourceExhausted},
      {{Kind::kBefriend, UserId{3}, kAlice}, absl::StatusCode::kResourceExhausted},
      {{Kind::kHide, kAlice, UserId{3}}, absl::StatusCode::kResourceExhausted},
  };
  for (const auto& [edit, code] : failing) {
    EXPECT_EQ(Edit(store, edit).status().code(), code);
    const FriendList after = List(store, kAlice);
    EXPECT_EQ(after.version, before.version);
    EXPECT_EQ(ById(after), ById(before));
    EXPECT_THAT(List(store, UserId{3}).friends, IsEmpty());
  }
}

TEST(InMemoryFriendStoreTest, TheGraphMayBeFilledBefore) {
  InMemoryFriendStore store;
  ASSERT_TRUE(store.graph().Befriend(kAlice, kBob).ok());
  EXPECT_EQ(ById(List(store, kBob)).count(kAlice), 1u);
}

}  // namespace
}  // namespace nearby
