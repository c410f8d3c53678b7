#include "nearby/in_memory_history_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/history_store_conformance.h"
#include "nearby/time.h"
#include "tests/host/answer.h"

namespace nearby {
namespace {

using Locations = std::vector<AcceptedLocation>;
using Query = HistoryStore::Query;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};

// Told apart by reported_at.
AcceptedLocation At(UserId user, std::int64_t accepted_at_ms, std::int64_t reported_at_ms = 0) {
  return {user, Position::FromLatLng({1, 2}), Time::Millis(accepted_at_ms),
          Time::Millis(reported_at_ms)};
}

InMemoryHistoryStore::Options Limits(std::size_t max_per_user, std::size_t max_users) {
  InMemoryHistoryStore::Options options;
  options.max_per_user = max_per_user;
  options.max_users = max_users;
  return options;
}

void Append(HistoryStore& store, const Locations& locations) {
  test::Answer<absl::Status> answer;
  store.Append(locations, answer.Done());
  EXPECT_TRUE(answer.Get().ok());
}

Locations Read(HistoryStore& store, const Query& query) {
  test::Answer<absl::StatusOr<Locations>> answer;
  store.Read(query, answer.Done());
  EXPECT_TRUE(answer.Get().ok());
  return *answer.Get();
}

Query All(UserId user) {
  Query query;
  query.user = user;
  query.from = Time::Millis(std::numeric_limits<std::int64_t>::min());
  query.until = kNever;
  return query;
}

Query Between(UserId user, std::int64_t from_ms, std::int64_t until_ms, std::size_t limit = 1000) {
  return {user, Time::Millis(from_ms), Time::Millis(until_ms), limit};
}

std::vector<std::int64_t> AcceptedAt(const Locations& locations) {
  std::vector<std::int64_t> times;
  for (const AcceptedLocation& location : locations) times.push_back(location.accepted_at.ms);
  return times;
}

std::vector<std::int64_t> ReportedAt(const Locations& locations) {
  std::vector<std::int64_t> times;
  for (const AcceptedLocation& location : locations) times.push_back(location.reported_at.ms);
  return times;
}

const bool kConformance =
    RegisterConformance("InMemoryHistoryStoreConformance", HistoryStoreConformance([] {
                          HistoryStoreUnderTest test;
                          test.adapter = std::make_unique<InMemoryHistoryStore>();
                          // It waits for nothing.
                          test.stall = [](bool) {};
                          return test;
                        }));

TEST(InMemoryHistoryStoreTest, CompletesBeforeItReturns) {
  InMemoryHistoryStore store;
  test::Answer<absl::Status> append;
  store.Append({At(kAlice, 1)}, append.Done());
  EXPECT_EQ(append.times(), 1u);
  test::Answer<absl::StatusOr<Locations>> read;
  store.Read(All(kAlice), read.Done());
  EXPECT_EQ(read.times(), 1u);
}

TEST(InMemoryHistoryStoreTest, TheOldestOfAUserMakeRoom) {
  InMemoryHistoryStore store(Limits(3, 10));
  for (std::int64_t i = 1; i <= 8; ++i) Append(store, {At(kAlice, i)});
  EXPECT_THAT(AcceptedAt(Read(store, All(kAlice))), ElementsAre(6, 7, 8));
  Append(store, {At(kAlice, 2)});
  EXPECT_THAT(AcceptedAt(Read(store, All(kAlice))), ElementsAre(6, 7, 8)) << "older than all";
  EXPECT_EQ(store.size(), 3u);
}

TEST(InMemoryHistoryStoreTest, TheUserAppendedToTheLongestAgoMakesRoom) {
  InMemoryHistoryStore store(Limits(10, 2));
  Append(store, {At(kAlice, 1), At(kBob, 2), At(kAlice, 3)});
  EXPECT_THAT(AcceptedAt(Read(store, All(kBob))), ElementsAre(2)) << "reading is not appending";
  Append(store, {At(UserId{3}, 4)});
  EXPECT_THAT(Read(store, All(kBob)), IsEmpty());
  EXPECT_THAT(AcceptedAt(Read(store, All(kAlice))), ElementsAre(1, 3));
  EXPECT_EQ(store.size(), 3u);
}

TEST(InMemoryHistoryStoreTest, LimitsOfZeroKeepNothing) {
  for (const auto& options : {Limits(0, 10), Limits(10, 0)}) {
    InMemoryHistoryStore store(options);
    Append(store, {At(kAlice, 1)});
    EXPECT_THAT(Read(store, All(kAlice)), IsEmpty());
    EXPECT_EQ(store.size(), 0u);
  }
}

// The oracle: a list of users, each with a list of locations.
class Model {
 public:
  explicit Model(const InMemoryHistoryStore::Options& options) : options_(options) {}

  void Append(const AcceptedLocation& location) {
    Locations track;
    for (auto it = tracks_.begin(); it != tracks_.end(); ++it) {
      if (it->first != location.user) continue;
      track = it->second;
      tracks_.erase(it);
      break;
    }
    track.push_back(location);
    std::stable_sort(track.begin(), track.end(),
                     [](const auto& a, const auto& b) { return a.accepted_at < b.accepted_at; });
    if (track.size() > options_.max_per_user) track.erase(track.begin());
    tracks_.emplace_back(location.user, track);
    if (tracks_.size() > options_.max_users) tracks_.pop_front();
  }

  Locations Read(const Query& query) const {
    Locations found;
    for (const auto& [user, track] : tracks_) {
      for (const AcceptedLocation& location : track) {
        if (user == query.user && location.accepted_at >= query.from &&
            location.accepted_at < query.until && found.size() < query.limit) {
          found.push_back(location);
        }
      }
    }
    return found;
  }

  std::size_t size() const {
    std::size_t size = 0;
    for (const auto& [user, track] : tracks_) size += track.size();
    return size;
  }

 private:
  InMemoryHistoryStore::Options options_;
  std::list<std::pair<UserId, Locations>> tracks_;
};

TEST(InMemoryHistoryStoreTest, RandomOperationsAgreeWithTheModel) {
  for (const auto& options : {Limits(5, 4), Limits(1, 1), Limits(20, 3), Limits(7, 100)}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(absl::StrCat("max_per_user ", options.max_per_user, ", max_users ",
                                options.max_users, ", seed ", seed));
      std::mt19937_64 random(seed);
      InMemoryHistoryStore store(options);
      Model model(options);
      for (std::int64_t step = 0; step < 2'000; ++step) {
        Locations batch;
        for (std::uint64_t i = random() % 4; i > 0; --i) {
          const auto late_ms = static_cast<std::int64_t>(random() % 5 == 0 ? random() % 60 : 0);
          batch.push_back(At(UserId{random() % 6}, step - late_ms, step * 4 + late_ms));
          model.Append(batch.back());
        }
        Append(store, batch);
        const auto from = static_cast<std::int64_t>(random() % 2'000);
        for (const Query& query : {All(UserId{random() % 6}),
                                   Between(UserId{random() % 6}, from, from + 50, random() % 8)}) {
          const Locations found = Read(store, query);
          ASSERT_EQ(AcceptedAt(found), AcceptedAt(model.Read(query)));
          ASSERT_EQ(ReportedAt(found), ReportedAt(model.Read(query)));
        }
        ASSERT_EQ(store.size(), model.size());
      }
    }
  }
}

}  // namespace
}  // namespace nearby
