#include "examples/adapters/sqlite_history_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/adapters/sqlite_friend_store.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "tests/host/answer.h"
#include "tests/host/gate.h"

namespace adapters {
namespace {

using nearby::AcceptedLocation;
using nearby::HistoryStore;
using nearby::Position;
using nearby::Time;
using nearby::UserId;
using nearby::test::Answer;
using nearby::test::Gate;

using Locations = std::vector<AcceptedLocation>;

const UserId kAlice{1};

AcceptedLocation At(UserId user, std::int64_t accepted_at_ms, std::int32_t mark = 0) {
  return {user, Position::FromUnits(mark, -mark), Time::Millis(accepted_at_ms),
          Time::Millis(accepted_at_ms - 5)};
}

absl::Status Append(HistoryStore& store, const Locations& locations) {
  Answer<absl::Status> answer;
  store.Append(locations, answer.Done());
  return answer.Get();
}

absl::StatusOr<Locations> Read(HistoryStore& store, const HistoryStore::Query& query) {
  Answer<absl::StatusOr<Locations>> answer;
  store.Read(query, answer.Done());
  return answer.Get();
}

Locations ReadAll(HistoryStore& store, UserId user) {
  return Read(store, {user, Time::Millis(-nearby::kMaxTimeMs), nearby::kNever, 1'000'000}).value();
}

void ExpectSame(const Locations& a, const Locations& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].user, b[i].user);
    EXPECT_EQ(a[i].position, b[i].position) << i;
    EXPECT_EQ(a[i].accepted_at, b[i].accepted_at) << i;
    EXPECT_EQ(a[i].reported_at, b[i].reported_at);
  }
}

class SqliteHistoryStoreTest : public ::testing::Test {
 protected:
  SqliteHistoryStoreTest() { Remove(); }
  ~SqliteHistoryStoreTest() override {
    store_.reset();
    Remove();
  }

  void Remove() {
    for (const char* const suffix : {"", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
  }

  SqliteHistoryStore& Open(const SqliteHistoryStore::Options& options = {}) {
    store_.reset();
    store_ = SqliteHistoryStore::Open(path_, options).value();
    return *store_;
  }

  // Of this process alone: the same test may run in another build at the same time.
  const std::string path_ = ::testing::TempDir() + "/sqlite_history_store_" +
                            std::to_string(getpid()) + "_" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<SqliteHistoryStore> store_;
};

TEST_F(SqliteHistoryStoreTest, Clause3CallsFromManyThreadsAndFromWithinADone) {
  SqliteHistoryStore& store = Open();
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      Answer<absl::Status> last;
      for (std::int64_t i = 0; i < 200; ++i) {
        store.Append({At(UserId{t}, i), At(kAlice, i, static_cast<std::int32_t>(t))},
                     [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
      }
      store.Append({At(UserId{t}, 200)}, last.Done());
      EXPECT_TRUE(last.Get().ok());
      const std::size_t count = ReadAll(store, UserId{t}).size();
      if (UserId{t} == kAlice) {
        // What the others append may be there, or not yet.
        EXPECT_GE(count, 2 * 200 + 1u);
        EXPECT_LE(count, 4 * 200 + 201u);
      } else {
        EXPECT_EQ(count, 201u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadAll(store, kAlice).size(), 4 * 200 + 201u);
  Answer<absl::StatusOr<Locations>> from_within;
  store.Append({At(UserId{9}, 1)}, [&](absl::Status) {
    store.Read({UserId{9}, Time::Millis(0), nearby::kNever}, from_within.Done());
  });
  EXPECT_EQ(from_within.Get()->size(), 1u);
}

TEST_F(SqliteHistoryStoreTest, Clause4DropsWhatWaitsWhenItGoes) {
  SqliteHistoryStore& store = Open();
  auto alive = std::make_shared<int>(0);
  Gate entered;
  Gate leave;
  store.Append({At(kAlice, 1)}, [&](absl::Status) {
    entered.Open();
    leave.Await();
  });
  entered.Await();
  for (int i = 0; i < 10; ++i) store.Append({At(kAlice, 2)}, [alive](absl::Status) { ++*alive; });
  std::thread closing([this] { store_.reset(); });
  leave.Open();
  closing.join();
  EXPECT_EQ(alive.use_count(), 1);
}

// The oracle: a list that is sorted without changing the order of equals.
TEST_F(SqliteHistoryStoreTest, Clause6ReadsAgreeWithTheModel) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  SqliteHistoryStore& store = Open();
  Locations appended;
  for (std::int32_t batch = 0; batch < 100; ++batch) {
    Locations locations;
    for (std::size_t i = random() % 20; i > 0; --i) {
      const UserId user{random() % 2 == 0 ? random() % 3 : ~std::uint64_t{0} - random() % 3};
      locations.push_back(At(user, static_cast<std::int64_t>(random() % 50) - 10, batch));
    }
    ASSERT_TRUE(Append(store, locations).ok());
    appended.insert(appended.end(), locations.begin(), locations.end());
  }
  std::stable_sort(appended.begin(), appended.end(),
                   [](const auto& a, const auto& b) { return a.accepted_at < b.accepted_at; });
  for (int i = 0; i < 200; ++i) {
    HistoryStore::Query query{
        UserId{random() % 2 == 0 ? random() % 4 : ~std::uint64_t{0} - random() % 3},
        Time::Millis(static_cast<std::int64_t>(random() % 60) - 15),
        Time::Millis(static_cast<std::int64_t>(random() % 60) - 15), random() % 40};
    if (i % 10 == 0) query.limit = std::numeric_limits<std::size_t>::max();
    Locations expected;
    for (const AcceptedLocation& location : appended) {
      if (location.user == query.user && location.accepted_at >= query.from &&
          location.accepted_at < query.until && expected.size() < query.limit) {
        expected.push_back(location);
      }
    }
    ExpectSame(Read(store, query).value(), expected);
  }
}

TEST_F(SqliteHistoryStoreTest, KeepsWhatItHasOverARestart) {
  ASSERT_TRUE(Append(Open(), {At(kAlice, 1, 1), At(kAlice, 1, 2)}).ok());
  SqliteHistoryStore& store = Open();
  ASSERT_TRUE(Append(store, {At(kAlice, 1, 3)}).ok());
  ExpectSame(ReadAll(store, kAlice), {At(kAlice, 1, 1), At(kAlice, 1, 2), At(kAlice, 1, 3)});
  const auto other = SqliteHistoryStore::Open(path_).value();
  ASSERT_TRUE(Append(*other, {At(kAlice, 1, 4)}).ok());
  ASSERT_TRUE(Append(store, {At(kAlice, 1, 5)}).ok());
  EXPECT_EQ(ReadAll(store, kAlice).back().position, At(kAlice, 1, 5).position);
  EXPECT_EQ(ReadAll(*other, kAlice).size(), 5u);
}

TEST_F(SqliteHistoryStoreTest, EveryValueComesBack) {
  SqliteHistoryStore& store = Open();
  for (const std::int64_t time : {-nearby::kMaxTimeMs, std::int64_t{0}, nearby::kMaxTimeMs - 1}) {
    const AcceptedLocation location{UserId{~std::uint64_t{0}}, Position::FromUnits(1 << 30, -1),
                                    Time::Millis(time), Time::Millis(-time)};
    ASSERT_TRUE(Append(store, {location}).ok());
    ExpectSame({ReadAll(store, location.user).back()}, {location});
  }
}

TEST_F(SqliteHistoryStoreTest, ForgetsWhatIsOlderThanItIsToKeep) {
  SqliteHistoryStore::Options options;
  options.keep = absl::Milliseconds(100);
  SqliteHistoryStore& store = Open(options);
  ASSERT_TRUE(
      Append(store, {At(kAlice, 0), At(UserId{2}, 0), At(kAlice, 1), At(kAlice, 100)}).ok());
  EXPECT_EQ(ReadAll(store, kAlice).size(), 3u);
  ASSERT_TRUE(Append(store, {At(kAlice, 101)}).ok());
  ExpectSame(ReadAll(store, kAlice), {At(kAlice, 1), At(kAlice, 100), At(kAlice, 101)});
  EXPECT_EQ(ReadAll(store, UserId{2}).size(), 1u);
}

TEST_F(SqliteHistoryStoreTest, RefusesWhatItCannotQueue) {
  SqliteHistoryStore::Options options;
  options.max_waiting = 3;
  SqliteHistoryStore& store = Open(options);
  Gate entered;
  Gate leave;
  store.Append({At(kAlice, 1)}, [&](absl::Status) {
    entered.Open();
    leave.Await();
  });
  entered.Await();
  Answer<absl::Status> waiting;
  store.Append({At(kAlice, 2), At(kAlice, 3), At(kAlice, 4)}, waiting.Done());
  EXPECT_TRUE(absl::IsResourceExhausted(Append(store, {At(kAlice, 5)})));
  EXPECT_TRUE(
      absl::IsResourceExhausted(Read(store, {kAlice, Time::Millis(0), nearby::kNever}).status()));
  leave.Open();
  EXPECT_TRUE(waiting.Get().ok()) << "nothing else waited: it was taken, though it is too large";
  EXPECT_EQ(ReadAll(store, kAlice).size(), 4u);
}

TEST_F(SqliteHistoryStoreTest, RefusesFilesThatAreNotItsOwn) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_FALSE(SqliteHistoryStore::Open(path_).ok());
  EXPECT_FALSE(SqliteHistoryStore::Open("/nowhere/at/all").ok());
}

}  // namespace
}  // namespace adapters
