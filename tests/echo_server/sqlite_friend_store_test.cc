#include "examples/adapters/sqlite_friend_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <future>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "nearby/in_memory_friend_store.h"

namespace adapters {
namespace {

using nearby::FriendEdit;
using nearby::FriendEntry;
using nearby::FriendList;
using nearby::Friendship;
using nearby::FriendshipOutcome;
using nearby::FriendStore;
using nearby::ToInt;
using nearby::UserId;
using Kind = nearby::FriendEdit::Kind;

absl::StatusOr<FriendshipOutcome> Edit(FriendStore* store, const FriendEdit& edit) {
  std::promise<absl::StatusOr<FriendshipOutcome>> promise;
  store->Edit(edit, [&promise](auto outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

FriendList List(FriendStore* store, UserId user) {
  std::promise<absl::StatusOr<FriendList>> promise;
  store->List(user, [&promise](auto list) { promise.set_value(std::move(list)); });
  FriendList list = promise.get_future().get().value();
  std::sort(list.friends.begin(), list.friends.end(),
            [](const FriendEntry& a, const FriendEntry& b) { return a.friend_id < b.friend_id; });
  return list;
}

class SqliteFriendStoreTest : public ::testing::Test {
 protected:
  SqliteFriendStoreTest() { Remove(); }
  ~SqliteFriendStoreTest() override {
    store_.reset();
    Remove();
  }

  void Remove() {
    for (const char* const suffix : {"", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
  }

  SqliteFriendStore* Open(const SqliteFriendStore::Options& options = {}) {
    store_.reset();
    absl::StatusOr<std::unique_ptr<SqliteFriendStore>> store =
        SqliteFriendStore::Open(path_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    return store_.get();
  }

  // Of this process alone: the same test may run in another build at the same time.
  const std::string path_ = ::testing::TempDir() + "/sqlite_friend_store_" +
                            std::to_string(getpid()) + "_" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<SqliteFriendStore> store_;
};

void ExpectSameLists(FriendStore* a, FriendStore* b, const std::vector<UserId>& users) {
  for (const UserId user : users) {
    const FriendList in_a = List(a, user);
    const FriendList in_b = List(b, user);
    EXPECT_EQ(in_a.version, in_b.version);
    ASSERT_EQ(in_a.friends.size(), in_b.friends.size()) << "of " << ToInt(user);
    for (std::size_t i = 0; i < in_a.friends.size(); ++i) {
      EXPECT_EQ(in_a.friends[i].friend_id, in_b.friends[i].friend_id);
      EXPECT_EQ(in_a.friends[i].friendship, in_b.friends[i].friendship);
    }
  }
}

// The embedded store is the oracle: every answer is the same, versions included.
TEST_F(SqliteFriendStoreTest, DoesWhatTheStoreInMemoryDoes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  SqliteFriendStore::Options options;
  options.limits.max_friends = 4;
  options.limits.max_settings = 3;
  nearby::FriendGraph::Options oracle_limits;
  oracle_limits.max_friends = options.limits.max_friends;
  oracle_limits.max_settings = options.limits.max_settings;
  nearby::InMemoryFriendStore oracle(oracle_limits);
  SqliteFriendStore* store = Open(options);
  // Ids on both sides of the sign bit.
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < 4; ++i) {
    users.push_back(UserId{i});
    users.push_back(UserId{std::numeric_limits<std::uint64_t>::max() - i});
  }
  const auto any_user = [&] { return users[random() % users.size()]; };

  for (int step = 0; step < 1500; ++step) {
    const FriendEdit edit{static_cast<Kind>(random() % 6), any_user(), any_user()};
    const absl::StatusOr<FriendshipOutcome> expected = Edit(&oracle, edit);
    const absl::StatusOr<FriendshipOutcome> actual = Edit(store, edit);
    ASSERT_EQ(actual.status(), expected.status()) << "step " << step;
    if (expected.ok()) {
      ASSERT_EQ(actual->changed, expected->changed) << "step " << step;
      EXPECT_EQ(actual->change.user, expected->change.user);
      EXPECT_EQ(actual->change.friend_id, expected->change.friend_id);
      ASSERT_EQ(actual->change.friendship, expected->change.friendship) << "step " << step;
      ASSERT_EQ(actual->change.version, expected->change.version) << "step " << step;
    }
    if (step % 300 == 299) {
      store = Open(options);
      ExpectSameLists(store, &oracle, users);
    }
  }
}

TEST_F(SqliteFriendStoreTest, KeepsSettingsOfStrangers) {
  SqliteFriendStore* store = Open();
  EXPECT_TRUE(Edit(store, {Kind::kHide, UserId{1}, UserId{2}})->changed);
  EXPECT_TRUE(Edit(store, {Kind::kBefriend, UserId{2}, UserId{1}})->changed);
  EXPECT_TRUE(List(store, UserId{2}).friends[0].friendship.friend_hides);
  EXPECT_TRUE(Edit(store, {Kind::kUnfriend, UserId{2}, UserId{1}})->changed);
  EXPECT_TRUE(List(store, UserId{2}).friends.empty());
  EXPECT_TRUE(Edit(store, {Kind::kBefriend, UserId{2}, UserId{1}})->changed);
  EXPECT_TRUE(List(store, UserId{1}).friends[0].friendship.i_hide);
}

TEST_F(SqliteFriendStoreTest, KnowsNothingOfUnknownUsers) {
  EXPECT_TRUE(List(Open(), UserId{77}).friends.empty());
}

TEST_F(SqliteFriendStoreTest, TakesCallsFromSeveralThreads) {
  SqliteFriendStore* const store = Open();
  constexpr int kThreads = 4;
  constexpr std::uint64_t kEdits = 200;
  std::vector<std::vector<std::uint64_t>> versions(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([store, t, &versions] {
      std::vector<std::future<std::uint64_t>> answers;
      for (std::uint64_t i = 0; i < kEdits; ++i) {
        auto promise = std::make_shared<std::promise<std::uint64_t>>();
        answers.push_back(promise->get_future());
        const auto user = static_cast<std::uint64_t>(t);
        store->Edit({Kind::kBefriend, UserId{user}, UserId{1000 + i}}, [promise](auto outcome) {
          promise->set_value(ToInt(outcome.value().change.version));
        });
        if (i % 50 == 0) List(store, UserId{user});
      }
      for (std::future<std::uint64_t>& answer : answers) {
        versions[static_cast<std::size_t>(t)].push_back(answer.get());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Each change has a version of its own, and those of one sender rise.
  std::vector<std::uint64_t> all;
  for (const std::vector<std::uint64_t>& of_thread : versions) {
    EXPECT_TRUE(std::is_sorted(of_thread.begin(), of_thread.end()));
    all.insert(all.end(), of_thread.begin(), of_thread.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(all.back(), kThreads * kEdits);
  EXPECT_EQ(List(store, UserId{1000}).friends.size(), static_cast<std::size_t>(kThreads));
  EXPECT_EQ(ToInt(List(store, UserId{0}).version), kThreads * kEdits);
}

TEST_F(SqliteFriendStoreTest, SharesItsFile) {
  SqliteFriendStore* const store = Open();
  const std::unique_ptr<SqliteFriendStore> other = SqliteFriendStore::Open(path_).value();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    SqliteFriendStore* const writer = i % 2 == 0 ? store : other.get();
    EXPECT_EQ(ToInt(Edit(writer, {Kind::kBefriend, UserId{0}, UserId{i}})->change.version), i);
    EXPECT_EQ(ToInt(List(store, UserId{0}).version), i);
    EXPECT_EQ(List(other.get(), UserId{0}).friends.size(), i);
  }
}

// Every change here is one of user 0, so a list of version v has v friends, whoever made them.
TEST_F(SqliteFriendStoreTest, KeepsVersionsInOrderAcrossProcesses) {
  constexpr std::uint64_t kProcesses = 3;
  constexpr std::uint64_t kEdits = 60;
  Open();
  store_.reset();  // no thread is to be there when the process forks
  std::vector<pid_t> children;
  for (std::uint64_t process = 0; process < kProcesses; ++process) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = SqliteFriendStore::Open(path_).value();
      std::uint64_t last = 0;
      bool is_right = true;
      for (std::uint64_t i = 0; i < kEdits; ++i) {
        const UserId friend_id{1 + process * kEdits + i};
        const auto outcome = Edit(store.get(), {Kind::kBefriend, UserId{0}, friend_id});
        const FriendList list = List(store.get(), UserId{0});
        const std::uint64_t version = outcome.ok() ? ToInt(outcome->change.version) : 0;
        is_right = is_right && version > last && ToInt(list.version) >= version &&
                   list.friends.size() == ToInt(list.version);
        last = version;
      }
      _exit(is_right ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(ToInt(List(Open(), UserId{0}).version), kProcesses * kEdits);
}

TEST_F(SqliteFriendStoreTest, RefusesWhatItCannotQueue) {
  SqliteFriendStore::Options options;
  options.max_waiting = 1;
  SqliteFriendStore* const store = Open(options);
  // The thread is busy with an answer; one call may wait, the next may not.
  std::promise<void> entered;
  std::promise<void> leave;
  std::shared_future<void> may_leave = leave.get_future().share();
  store->List(UserId{1}, [&entered, may_leave](const auto&) {
    entered.set_value();
    may_leave.wait();
  });
  entered.get_future().wait();
  std::promise<absl::Status> waiting;
  store->List(UserId{1}, [&waiting](const auto& list) { waiting.set_value(list.status()); });
  absl::Status refused;
  store->Edit({Kind::kHide, UserId{1}, UserId{2}},
              [&refused](const auto& outcome) { refused = outcome.status(); });
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  leave.set_value();
  EXPECT_TRUE(waiting.get_future().get().ok());
}

TEST_F(SqliteFriendStoreTest, DropsWhatWaitsWhenItGoes) {
  SqliteFriendStore* const store = Open();
  auto alive = std::make_shared<int>(0);
  std::promise<void> entered;
  std::promise<void> leave;
  store->List(UserId{1}, [&](const auto&) {
    entered.set_value();
    leave.get_future().wait();
  });
  entered.get_future().wait();
  for (int i = 0; i < 10; ++i) {
    store->List(UserId{1}, [alive](const auto&) { ++*alive; });
  }
  std::thread closing([this] { store_.reset(); });
  // Whether it stops before or after it has taken the next is not ours to say.
  leave.set_value();
  closing.join();
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(SqliteFriendStoreTest, RefusesFilesThatAreNotItsOwn) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_FALSE(SqliteFriendStore::Open(path_).ok());
  EXPECT_FALSE(SqliteFriendStore::Open("/nowhere/at/all").ok());
  EXPECT_FALSE(SqliteFriendStore::Open(::testing::TempDir()).ok());
}

}  // namespace
}  // namespace adapters
