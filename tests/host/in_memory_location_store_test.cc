#include "nearby/in_memory_location_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/location_store_conformance.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"
#include "tests/host/answer.h"

namespace nearby {
namespace {

using Found = std::vector<std::optional<AcceptedLocation>>;

const UserId kAlice{1};
const UserId kBob{2};
const absl::Duration kTtl = absl::Seconds(10);

AcceptedLocation At(UserId user, std::int64_t accepted_at_ms, double lat = 1) {
  return {user,
          Position::FromLatLng({lat, 2}),
          Time::Millis(accepted_at_ms),
          Time::Millis(accepted_at_ms - 5),
          Epoch{},
          static_cast<std::uint32_t>(lat * 1000)};
}

void ExpectSame(const AcceptedLocation& a, const AcceptedLocation& b) {
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.accepted_at, b.accepted_at);
  EXPECT_EQ(a.reported_at, b.reported_at);
  EXPECT_EQ(a.speed_bound_mm_s, b.speed_bound_mm_s);
}

absl::Status Write(LocationStore& store, std::vector<AcceptedLocation> locations,
                   absl::Duration ttl = kTtl) {
  test::Answer<absl::Status> answer;
  store.Write(locations, ttl, answer.Done());
  return answer.Get();
}

absl::Status Erase(LocationStore& store, UserId user, std::int64_t accepted_at_ms) {
  test::Answer<absl::Status> answer;
  store.Erase({{user, Time::Millis(accepted_at_ms)}}, answer.Done());
  return answer.Get();
}

Found Read(LocationStore& store, std::vector<UserId> users) {
  test::Answer<absl::StatusOr<Found>> answer;
  store.Read(users, answer.Done());
  EXPECT_TRUE(answer.Get().ok());
  return *answer.Get();
}

std::optional<AcceptedLocation> ReadOne(LocationStore& store, UserId user) {
  const Found found = Read(store, {user});
  EXPECT_EQ(found.size(), 1u);
  return found[0];
}

const bool kConformance = RegisterConformance(
    "InMemoryLocationStoreConformance", LocationStoreConformance([] {
      const auto clock = std::make_shared<SimulatedClock>(Time::Millis(1'000));
      InMemoryLocationStore::Options options;
      options.max_users = 100;
      LocationStoreUnderTest test;
      test.keeps = clock;
      test.adapter = std::make_unique<InMemoryLocationStore>(clock.get(), options);
      test.clock = clock.get();
      test.pass = [clock](absl::Duration by) { clock->Advance(by); };
      test.max_users = options.max_users;
      // It waits for nothing.
      test.stall = [](bool) {};
      return test;
    }));

TEST(InMemoryLocationStoreTest, CompletesBeforeItReturns) {
  SimulatedClock clock;
  InMemoryLocationStore store(&clock);
  test::Answer<absl::Status> write;
  store.Write({At(kAlice, 0)}, kTtl, write.Done());
  EXPECT_EQ(write.times(), 1u);
  test::Answer<absl::StatusOr<Found>> read;
  store.Read({kAlice}, read.Done());
  EXPECT_EQ(read.times(), 1u);
  test::Answer<absl::Status> erase;
  store.Erase({{kAlice, Time::Millis(0)}}, erase.Done());
  EXPECT_EQ(erase.times(), 1u);
  test::Answer<absl::Status> nothing;
  store.Write({}, kTtl, nothing.Done());
  EXPECT_TRUE(nothing.Get().ok());
}

TEST(InMemoryLocationStoreTest, ThreadsWriteAndTheNewestStays) {
  constexpr std::int64_t kWrites = 2'000;
  constexpr std::uint64_t kUsers = 5;
  SimulatedClock clock;
  InMemoryLocationStore store(&clock);
  std::vector<std::thread> threads;
  for (std::int64_t writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&store, writer] {
      std::mt19937_64 random(static_cast<std::uint64_t>(writer) + 1);
      std::vector<std::int64_t> times;
      for (std::int64_t i = 0; i < kWrites; ++i) times.push_back(1 + 3 * i + writer);
      // Somewhat out of order, as when a batch is written once more.
      for (std::size_t i = 0; i + 4 < times.size(); i += 4) {
        std::swap(times[i], times[i + random() % 4]);
      }
      for (const std::int64_t time : times) {
        const UserId user{random() % kUsers};
        EXPECT_TRUE(Write(store, {At(user, time)}).ok());
        EXPECT_TRUE(Write(store, {At(UserId{100}, time)}).ok());
      }
    });
  }
  threads.emplace_back([&store] {
    std::map<UserId, Time> seen;
    for (int i = 0; i < kWrites; ++i) {
      for (const auto& found : Read(store, {UserId{0}, UserId{1}, UserId{100}})) {
        if (!found.has_value()) continue;
        EXPECT_GE(found->accepted_at, seen[found->user]);
        seen[found->user] = found->accepted_at;
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadOne(store, UserId{100})->accepted_at, Time::Millis(3 * kWrites));
  EXPECT_EQ(store.size(), kUsers + 1);
}

TEST(InMemoryLocationStoreTest, ReadableUntilTheDeadlineAndGoneLater) {
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore store(&clock);
  ASSERT_TRUE(Write(store, {At(kAlice, 0)}).ok());
  clock.Set(Time::Millis(9'999));
  EXPECT_TRUE(ReadOne(store, kAlice).has_value());
  clock.Set(Time::Millis(10'000));
  EXPECT_FALSE(ReadOne(store, kAlice).has_value());
  EXPECT_EQ(store.size(), 1u);
  ASSERT_TRUE(Write(store, {At(kBob, 10'000)}).ok());
  EXPECT_EQ(store.size(), 1u) << "a write takes with it what is due";
  EXPECT_TRUE(ReadOne(store, kBob).has_value());
}

TEST(InMemoryLocationStoreTest, RenewalPutsTheDeadlineOff) {
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore store(&clock);
  ASSERT_TRUE(Write(store, {At(kAlice, 0)}).ok());
  clock.Set(Time::Millis(6'000));
  ASSERT_TRUE(Write(store, {At(kAlice, 6'000)}).ok());
  clock.Set(Time::Millis(15'999));
  ASSERT_TRUE(Write(store, {At(kBob, 15'999)}).ok());
  EXPECT_TRUE(ReadOne(store, kAlice).has_value());
  clock.Set(Time::Millis(16'000));
  ASSERT_TRUE(Write(store, {At(kBob, 16'000)}).ok());
  EXPECT_FALSE(ReadOne(store, kAlice).has_value());
  EXPECT_EQ(store.size(), 1u);
}

TEST(InMemoryLocationStoreTest, AShorterTimeToLiveCountsAtOnce) {
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore store(&clock);
  ASSERT_TRUE(Write(store, {At(kAlice, 0)}, absl::Hours(1)).ok());
  ASSERT_TRUE(Write(store, {At(kAlice, 1)}, absl::Seconds(1)).ok());
  clock.Set(Time::Millis(1'001));
  EXPECT_FALSE(ReadOne(store, kAlice).has_value());
  ASSERT_TRUE(Write(store, {}).ok());
  EXPECT_EQ(store.size(), 0u);
}

TEST(InMemoryLocationStoreTest, TimesToLiveWithoutEndOrBeginning) {
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore store(&clock);
  ASSERT_TRUE(Write(store, {At(kAlice, 1)}, absl::InfiniteDuration()).ok());
  ASSERT_TRUE(Write(store, {At(kBob, -1)}, -absl::InfiniteDuration()).ok());
  clock.Set(Time::Millis(kMaxTimeMs));
  EXPECT_TRUE(ReadOne(store, kAlice).has_value());
  EXPECT_FALSE(ReadOne(store, kBob).has_value());
}

TEST(InMemoryLocationStoreTest, ExpiryIsSpreadOverWrites) {
  constexpr std::uint64_t kUsers = 10'000;
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore store(&clock);
  std::vector<AcceptedLocation> all;
  for (std::uint64_t user = 0; user < kUsers; ++user) all.push_back(At(UserId{user}, 0));
  ASSERT_TRUE(Write(store, all).ok());
  // Half of them go on.
  clock.Set(Time::Millis(5'000));
  for (AcceptedLocation& location : all) location.accepted_at = clock.Now();
  ASSERT_TRUE(Write(store, {all.begin(), all.begin() + kUsers / 2}).ok());
  EXPECT_EQ(store.size(), kUsers);

  clock.Set(Time::Millis(10'000));
  std::size_t writes = 0;
  for (std::size_t before = store.size(); store.size() > kUsers / 2; before = store.size()) {
    ASSERT_TRUE(Write(store, {At(UserId{0}, 10'000)}).ok());
    ++writes;
    EXPECT_LE(before - store.size(), 32u) << "no write pays for all";
    ASSERT_LE(writes, kUsers) << "and yet they keep up";
  }
  for (std::uint64_t user = 0; user < kUsers / 2; ++user) {
    ASSERT_TRUE(ReadOne(store, UserId{user}).has_value());
  }
}

TEST(InMemoryLocationStoreTest, AFullStoreRefusesTheNewAndKeepsTheOthers) {
  SimulatedClock clock(Time::Millis(0));
  InMemoryLocationStore::Options options;
  options.max_users = 2;
  InMemoryLocationStore store(&clock, options);
  const absl::Status status =
      Write(store, {At(kAlice, 0), At(kBob, 0), At(UserId{3}, 0), At(kAlice, 1)});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadOne(store, kAlice)->accepted_at, Time::Millis(1)) << "in part, it succeeded";
  EXPECT_TRUE(ReadOne(store, kBob).has_value());
  EXPECT_FALSE(ReadOne(store, UserId{3}).has_value());
  EXPECT_TRUE(Write(store, {At(kBob, 1)}).ok());

  clock.Set(Time::Millis(10'001));
  EXPECT_TRUE(Write(store, {At(UserId{3}, 10'001)}).ok()) << "what is due makes room";
}

// The oracle: all that was written, looked through at each question.
class Model {
 public:
  void Write(const AcceptedLocation& location, Time deadline, Time now) {
    const auto it = held_.find(location.user);
    if (it != held_.end()) {
      if (location.accepted_at < it->second.location.accepted_at) {
        // Whether an expired one still stands in the way is up to the store.
        if (it->second.deadline <= now) it->second.is_open = true;
        return;
      }
    }
    held_[location.user] = {location, deadline, false};
  }
  void Erase(UserId user, Time accepted_at) {
    const auto it = held_.find(user);
    if (it == held_.end() || it->second.location.accepted_at > accepted_at) return;
    // One that may stand behind it is older still, and goes too.
    held_.erase(it);
  }
  // False where either answer is right.
  bool Knows(UserId user) const {
    const auto it = held_.find(user);
    return it == held_.end() || !it->second.is_open;
  }
  std::optional<AcceptedLocation> Read(UserId user, Time now) const {
    const auto it = held_.find(user);
    if (it == held_.end() || it->second.deadline <= now) return std::nullopt;
    return it->second.location;
  }
  std::size_t size() const { return held_.size(); }

 private:
  struct Held {
    AcceptedLocation location;
    Time deadline;
    bool is_open = false;
  };
  std::map<UserId, Held> held_;
};

TEST(InMemoryLocationStoreTest, RandomOperationsAgreeWithTheModel) {
  constexpr std::uint64_t kUsers = 12;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    SimulatedClock clock(Time::Millis(0));
    InMemoryLocationStore store(&clock);
    Model model;
    for (int step = 0; step < 2'000; ++step) {
      const Time now = clock.Now();
      switch (random() % 8) {
        case 0:
          clock.Advance(absl::Milliseconds(static_cast<std::int64_t>(random() % 1'000)));
          break;
        case 1: {
          const UserId user{random() % kUsers};
          const Time until{now.ms - static_cast<std::int64_t>(random() % 300)};
          ASSERT_TRUE(Erase(store, user, until.ms).ok());
          model.Erase(user, until);
          break;
        }
        default: {
          const absl::Duration ttl = absl::Milliseconds(random() % 4 == 0 ? 200 : 1'500);
          std::vector<AcceptedLocation> batch;
          for (std::uint64_t i = random() % 4; i > 0; --i) {
            const auto late_ms = static_cast<std::int64_t>(random() % 100);
            batch.push_back(At(UserId{random() % kUsers}, now.ms - late_ms,
                               static_cast<double>(random() % 80)));
            model.Write(batch.back(), Time{now.ms - late_ms + absl::ToInt64Milliseconds(ttl)}, now);
          }
          ASSERT_TRUE(Write(store, batch, ttl).ok());
        }
      }
      for (std::uint64_t user = 0; user < kUsers; ++user) {
        if (!model.Knows(UserId{user})) continue;
        const auto found = ReadOne(store, UserId{user});
        const auto expected = model.Read(UserId{user}, clock.Now());
        ASSERT_EQ(found.has_value(), expected.has_value()) << "user " << user;
        if (found.has_value()) ExpectSame(*found, *expected);
      }
      ASSERT_LE(store.size(), kUsers);
    }
    clock.Advance(absl::Seconds(5));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(Write(store, {}).ok());
    EXPECT_EQ(store.size(), 0u);
  }
}

}  // namespace
}  // namespace nearby
