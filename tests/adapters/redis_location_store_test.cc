#include "examples/adapters/redis_location_store.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "tests/adapters/redis_server.h"
#include "tests/host/answer.h"
#include "tests/host/patience.h"

namespace adapters {
namespace {

using nearby::AcceptedLocation;
using nearby::Epoch;
using nearby::LocationStore;
using nearby::Position;
using nearby::Time;
using nearby::UserId;
using nearby::test::Answer;
using nearby::test::Eventually;
using test::RedisServer;

using Found = std::vector<std::optional<AcceptedLocation>>;

const UserId kAlice{1};
const absl::Duration kTtl = absl::Minutes(10);

AcceptedLocation At(UserId user, std::int64_t accepted_at_ms, double lat = 1,
                    Epoch session = Epoch{}) {
  return {user, Position::FromLatLng({lat, -2}), Time::Millis(accepted_at_ms),
          Time::Millis(accepted_at_ms - 5), session};
}

absl::Status Write(LocationStore& store, const std::vector<AcceptedLocation>& locations,
                   absl::Duration ttl = kTtl) {
  Answer<absl::Status> answer;
  store.Write(locations, ttl, answer.Done());
  return answer.Get();
}

absl::Status Erase(LocationStore& store, UserId user, std::int64_t accepted_at_ms,
                   Epoch session = Epoch{}) {
  Answer<absl::Status> answer;
  store.Erase({{user, Time::Millis(accepted_at_ms), session}}, answer.Done());
  return answer.Get();
}

absl::StatusOr<Found> Read(LocationStore& store, const std::vector<UserId>& users) {
  Answer<absl::StatusOr<Found>> answer;
  store.Read(users, answer.Done());
  return answer.Get();
}

std::optional<AcceptedLocation> ReadOne(LocationStore& store, UserId user) {
  return Read(store, {user}).value().at(0);
}

void ExpectSame(const std::optional<AcceptedLocation>& found, const AcceptedLocation& expected) {
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->user, expected.user);
  EXPECT_EQ(found->position, expected.position);
  EXPECT_EQ(found->accepted_at, expected.accepted_at);
  EXPECT_EQ(found->reported_at, expected.reported_at);
  EXPECT_EQ(found->session, expected.session);
  EXPECT_EQ(found->speed_bound_mm_s, expected.speed_bound_mm_s);
}

// Two servers, and a store on them. Skips where there is no redis-server.
class RedisLocationStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    for (std::unique_ptr<RedisServer>& server : servers_) server = std::make_unique<RedisServer>();
    store_ = Make();
  }

  std::unique_ptr<RedisLocationStore> Make(const RedisLocationStore::Options& options = {}) {
    return RedisLocationStore::Create({servers_[0]->name(), servers_[1]->name()}, options).value();
  }

  bool KnowsAll(const std::vector<UserId>& users) {
    const Found found = Read(*store_, users).value();
    return std::all_of(found.begin(), found.end(), [](const auto& one) { return one.has_value(); });
  }

  std::int64_t KeyCount(std::size_t i) { return servers_[i]->CallForInteger({"DBSIZE"}); }

  std::unique_ptr<RedisServer> servers_[2];
  std::unique_ptr<RedisLocationStore> store_;
};

TEST(RedisLocationStoreCreateTest, RefusesBadServers) {
  EXPECT_TRUE(absl::IsInvalidArgument(RedisLocationStore::Create({}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RedisLocationStore::Create({"nonsense"}).status()));
}

TEST_F(RedisLocationStoreTest, Clauses1And7ReadAnswersInOrderOverAllServers) {
  constexpr std::uint64_t kUsers = 3'000;  // more than one command to each server
  std::vector<AcceptedLocation> locations;
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < kUsers; ++i) {
    const UserId user{i * 0x9E3779B97F4A7C15u};
    users.push_back(user);
    if (i % 3 != 0)
      locations.push_back(At(user, static_cast<std::int64_t>(i), 0.01 * static_cast<double>(i)));
  }
  ASSERT_TRUE(Write(*store_, locations).ok());
  EXPECT_GT(KeyCount(0), 800);
  EXPECT_GT(KeyCount(1), 800);
  EXPECT_EQ(KeyCount(0) + KeyCount(1), 2'000);
  const absl::StatusOr<Found> found = Read(*store_, users);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), kUsers);
  auto expected = locations.begin();
  for (std::uint64_t i = 0; i < kUsers; ++i) {
    if (i % 3 == 0) {
      ASSERT_FALSE((*found)[i].has_value());
    } else {
      ExpectSame((*found)[i], *expected++);
    }
  }
  EXPECT_TRUE(Write(*store_, {}).ok());
  EXPECT_TRUE(Read(*store_, {})->empty());
}

TEST_F(RedisLocationStoreTest, EveryValueComesBack) {
  constexpr std::int64_t kMax = nearby::kMaxTimeMs;
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{0x0D0A0D0A}, ~std::uint64_t{0}}) {
    for (const std::int64_t time : {-kMax, std::int64_t{-1}, std::int64_t{0}, kMax}) {
      const AcceptedLocation location{UserId{id},         Position::FromUnits(-(1 << 30), -1),
                                      Time::Millis(time), Time::Millis(-time),
                                      Epoch{id},          static_cast<std::uint32_t>(id)};
      ASSERT_TRUE(Write(*store_, {location}).ok());
      ExpectSame(ReadOne(*store_, UserId{id}), location);
    }
  }
}

TEST_F(RedisLocationStoreTest, Clause3CallsFromManyThreadsAndTheNewestStays) {
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (std::int64_t i = 0; i < 200; ++i) {
        const std::int64_t time = 4 * (199 - i) + t;
        EXPECT_TRUE(
            Write(*store_, {At(kAlice, time), At(UserId{100 + static_cast<std::uint64_t>(t)}, i)})
                .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 4 * 199 + 3));
  for (std::uint64_t t = 0; t < 4; ++t) {
    ExpectSame(ReadOne(*store_, UserId{100 + t}), At(UserId{100 + t}, 199));
  }
}

TEST_F(RedisLocationStoreTest, Clause3CallsFromWithinADone) {
  Answer<absl::StatusOr<Found>> answer;
  store_->Write({At(kAlice, 7)}, kTtl,
                [&](absl::Status) { store_->Read({kAlice}, answer.Done()); });
  ExpectSame(answer.Get().value()[0], At(kAlice, 7));
}

TEST_F(RedisLocationStoreTest, Clause4DestructionWithCallsUnderWay) {
  auto alive = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 10; ++i) {
    const std::unique_ptr<RedisLocationStore> brief = Make();
    for (std::uint64_t k = 0; k < 50; ++k) {
      brief->Write({At(UserId{k}, 1)}, kTtl, [alive](absl::Status) { ++*alive; });
      brief->Read({UserId{k}}, [alive](const absl::StatusOr<Found>&) { ++*alive; });
    }
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(RedisLocationStoreTest, Clause5TheNewestWins) {
  ASSERT_TRUE(Write(*store_, {At(kAlice, 10, 1)}).ok());
  EXPECT_TRUE(Write(*store_, {At(kAlice, 9, 2)}).ok()) << "which is no failure";
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 10, 1));
  EXPECT_TRUE(Write(*store_, {At(kAlice, 10, 3)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 10, 3));
  EXPECT_TRUE(Write(*store_, {At(kAlice, 12, 4), At(kAlice, 11, 5), At(kAlice, 12, 6)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 12, 6));
  // Where bytes would be compared, not numbers.
  EXPECT_TRUE(Write(*store_, {At(UserId{2}, -300), At(UserId{2}, 255), At(UserId{2}, -1)}).ok());
  ExpectSame(ReadOne(*store_, UserId{2}), At(UserId{2}, 255));
}

// Numbers that Lua's own could not tell apart, and of which one half alone would mislead.
TEST_F(RedisLocationStoreTest, Clauses5And9SessionsAreComparedInFull) {
  constexpr std::uint64_t kHigh = std::uint64_t{0xFFFFFFFF} << 32;
  const Epoch ascending[] = {Epoch{1}, Epoch{0xFFFFFFFF}, Epoch{std::uint64_t{1} << 32},
                             Epoch{kHigh | 0xFFFFFFFE}, Epoch{kHigh | 0xFFFFFFFF}};
  std::int64_t time = 1'000;
  for (const Epoch session : ascending) {
    ASSERT_TRUE(Write(*store_, {At(kAlice, --time, 1, session)}).ok());
    ExpectSame(ReadOne(*store_, kAlice), At(kAlice, time, 1, session));
    const Epoch before{nearby::ToInt(session) - 1};
    EXPECT_TRUE(Write(*store_, {At(kAlice, 2'000, 2, before)}).ok());
    EXPECT_TRUE(Erase(*store_, kAlice, 2'000, before).ok());
    EXPECT_TRUE(Erase(*store_, kAlice, time - 1, session).ok());
    ExpectSame(ReadOne(*store_, kAlice), At(kAlice, time, 1, session));
  }
  EXPECT_TRUE(Erase(*store_, kAlice, time, ascending[4]).ok());
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
  EXPECT_TRUE(Write(*store_, {At(kAlice, 5, 1, Epoch{8})}).ok());
  EXPECT_TRUE(Erase(*store_, kAlice, 1, Epoch{9}).ok()) << "of a later session";
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
}

TEST_F(RedisLocationStoreTest, Clause6LocationsExpireByThemselves) {
  ASSERT_TRUE(Write(*store_, {At(kAlice, 1)}, absl::Milliseconds(1)).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{2}, 1)}, absl::Nanoseconds(1)).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{3}, 1)}, absl::Minutes(10)).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{4}, 1)}, absl::InfiniteDuration()).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{5}, 1)}, -absl::Seconds(1)).ok());
  EXPECT_TRUE(Eventually([&] {
    return !ReadOne(*store_, kAlice) && !ReadOne(*store_, UserId{2}) &&
           !ReadOne(*store_, UserId{5});
  }));
  EXPECT_TRUE(ReadOne(*store_, UserId{3}).has_value());
  EXPECT_TRUE(ReadOne(*store_, UserId{4}).has_value());
  // A newer one renews the time, an older one does not shorten it.
  ASSERT_TRUE(Write(*store_, {At(UserId{6}, 2)}, absl::Minutes(1)).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{6}, 1)}, absl::Milliseconds(1)).ok());
  ASSERT_TRUE(Write(*store_, {At(UserId{3}, 2)}, absl::Milliseconds(1)).ok());
  EXPECT_TRUE(Eventually([&] { return !ReadOne(*store_, UserId{3}); }));
  EXPECT_TRUE(ReadOne(*store_, UserId{6}).has_value());
}

TEST_F(RedisLocationStoreTest, Clause8AFullServerIsResourceExhausted) {
  ASSERT_TRUE(Write(*store_, {At(kAlice, 1)}).ok());
  for (const auto& server : servers_) server->Call({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(absl::IsResourceExhausted(Write(*store_, {At(kAlice, 2)})));
  EXPECT_TRUE(Erase(*store_, kAlice, 1).ok()) << "which needs no memory";
  for (const auto& server : servers_) server->Call({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(Write(*store_, {At(kAlice, 2)}).ok());
}

TEST_F(RedisLocationStoreTest, Clause8ADeadServerIsUnavailable) {
  std::vector<AcceptedLocation> locations;
  for (std::uint64_t i = 0; i < 100; ++i) locations.push_back(At(UserId{i}, 1));
  servers_[0]->Kill();
  EXPECT_TRUE(absl::IsUnavailable(Write(*store_, locations)));
  std::vector<UserId> of_dead;
  std::vector<UserId> of_live;
  for (const AcceptedLocation& location : locations) {
    (nearby::ToInt(nearby::HomeShard(location.user, 2)) == 0 ? of_dead : of_live)
        .push_back(location.user);
  }
  EXPECT_TRUE(absl::IsUnavailable(Read(*store_, of_dead).status()));
  EXPECT_TRUE(KnowsAll(of_live));
  servers_[0]->Start();
  EXPECT_TRUE(Eventually([&] { return Write(*store_, locations).ok(); }));
  EXPECT_TRUE(KnowsAll(of_dead));
}

// Whoever is told that the store is full does not write the same again. That too much waits is not
// of that kind.
TEST_F(RedisLocationStoreTest, Clause8TooMuchUnderWayIsUnavailable) {
  RedisLocationStore::Options options;
  options.client.max_calls = 1;
  const std::unique_ptr<RedisLocationStore> store = Make(options);
  for (const auto& server : servers_) server->Pause();
  Answer<absl::Status> waiting;
  store->Write({At(kAlice, 1)}, kTtl, waiting.Done());
  EXPECT_TRUE(absl::IsUnavailable(Write(*store, {At(kAlice, 2)})));
  for (const auto& server : servers_) server->Resume();
  EXPECT_TRUE(waiting.Get().ok());
}

TEST_F(RedisLocationStoreTest, Clause9EraseSparesWhatIsNewer) {
  ASSERT_TRUE(Write(*store_, {At(kAlice, 10)}).ok());
  EXPECT_TRUE(Erase(*store_, kAlice, 9).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 10));
  EXPECT_TRUE(Erase(*store_, kAlice, 10).ok());
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
  EXPECT_TRUE(Erase(*store_, kAlice, 10).ok()) << "who is not there";
  EXPECT_TRUE(Write(*store_, {At(kAlice, 5)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 5));
  EXPECT_TRUE(Erase(*store_, kAlice, 11).ok());
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
}

TEST_F(RedisLocationStoreTest, LocationsWithoutASpeedAreReadAndNotOverwrittenByOlderOnes) {
  RedisLocationStore::Options options;
  const std::string key = options.key_prefix + std::string(7, '\0') + '\1';
  // Alice's at 10, as of nodes that write no speeds, in no session and at the origin.
  const std::string value =
      std::string(15, '\0') + '\x0A' + std::string(7, '\0') + '\x05' + std::string(8, '\0');
  ASSERT_EQ(value.size(), 32u);
  for (const auto& server : servers_) server->Call({"SET", key, value});
  const AcceptedLocation held{kAlice, Position::FromUnits(0, 0), Time::Millis(10), Time::Millis(5)};
  ExpectSame(ReadOne(*store_, kAlice), held);
  EXPECT_TRUE(Write(*store_, {At(kAlice, 9)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), held);
  EXPECT_TRUE(Erase(*store_, kAlice, 9).ok());
  ExpectSame(ReadOne(*store_, kAlice), held);
  EXPECT_TRUE(Erase(*store_, kAlice, 10).ok());
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
  for (const auto& server : servers_) server->Call({"SET", key, value});
  EXPECT_TRUE(Write(*store_, {At(kAlice, 11)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 11));
}

TEST_F(RedisLocationStoreTest, WhatIsNotItsOwnIsNoLocation) {
  RedisLocationStore::Options options;
  const std::string key = options.key_prefix + std::string(7, '\0') + '\1';
  for (const auto& server : servers_) server->Call({"SET", key, "nonsense of some kind"});
  EXPECT_FALSE(ReadOne(*store_, kAlice).has_value());
  EXPECT_TRUE(Erase(*store_, kAlice, 1).ok());
  EXPECT_TRUE(Write(*store_, {At(kAlice, 1)}).ok());
  ExpectSame(ReadOne(*store_, kAlice), At(kAlice, 1));
}

}  // namespace
}  // namespace adapters
