// Accepted locations on their way to a location store and a history that may be slow or down.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

World::Options WithStores(std::uint32_t shards = 1) {
  World::Options options;
  options.runtime.shards = shards;
  options.has_location_store = true;
  options.has_history_store = true;
  return options;
}

class RuntimeStorageTest : public ::testing::Test {
 protected:
  RuntimeStorageTest() : RuntimeStorageTest(WithStores()) {}
  explicit RuntimeStorageTest(const World::Options& options) : world_(options) {}

  RuntimeStats stats() { return world_.runtime().stats(); }

  std::optional<AcceptedLocation> Stored(UserId user) {
    std::optional<AcceptedLocation> stored;
    world_.stored().Read({&user, 1}, [&stored](const auto& found) { stored = (*found)[0]; });
    return stored;
  }

  std::size_t Logged(UserId user) {
    std::size_t count = 0;
    HistoryStore::Query query;
    query.user = user;
    query.from = Time{-kMaxTimeMs};
    query.until = Time{kMaxTimeMs};
    world_.logged().Read(query, [&count](const auto& found) { count = found->size(); });
    return count;
  }

  void AnotherNodeWrites(UserId user) {
    const AcceptedLocation location{user, Position::FromLatLng(kFarAway), world_.now(),
                                    world_.now()};
    world_.stored().Write({&location, 1}, absl::Minutes(10), [](const absl::Status&) {});
  }

  void ReportAndSettle(const Client& client, double north) {
    world_.clock().Advance(absl::Seconds(1));
    world_.Report(client, North(north));
    world_.Settle();
  }

  World world_;
};

TEST_F(RuntimeStorageTest, WhatIsAcceptedIsWrittenToBoth) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  ReportAndSettle(alice, 10);
  ReportAndSettle(alice, 20);
  const std::optional<AcceptedLocation> stored = Stored(alice.user);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->position, Position::FromLatLng(North(20)));
  EXPECT_EQ(stored->accepted_at, world_.now());
  EXPECT_EQ(Logged(alice.user), 3u);
  EXPECT_EQ(stats().locations_stored, 3u);
  EXPECT_EQ(stats().histories_stored, 3u);
}

TEST_F(RuntimeStorageTest, WhatIsRefusedIsNotWritten) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  EXPECT_TRUE(world_.runtime().Report({alice.session, North(10), Time{kStart.ms - 5}}).ok());
  world_.Settle();
  EXPECT_EQ(Logged(alice.user), 1u);
}

TEST_F(RuntimeStorageTest, OneStoreMayBeThereWithoutTheOther) {
  for (const bool has_history : {false, true}) {
    World::Options options;
    options.has_history_store = has_history;
    options.has_location_store = !has_history;
    World world(options);
    const Client alice = world.Connect(world.User(0), kHere);
    EXPECT_EQ(world.stored().size(), has_history ? 0u : 1u);
    EXPECT_EQ(world.logged().size(), has_history ? 1u : 0u);
    world.Disconnect(alice);
    world.Settle();
    EXPECT_EQ(world.stored().size(), 0u);
  }
}

TEST_F(RuntimeStorageTest, OneWhoDisconnectsIsErased) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  const Client bob = world_.Connect(world_.User(1), kHere);
  world_.Disconnect(alice);
  world_.Settle();
  EXPECT_FALSE(Stored(alice.user).has_value());
  EXPECT_TRUE(Stored(bob.user).has_value());
  EXPECT_EQ(Logged(alice.user), 1u) << "the history stays";
}

TEST_F(RuntimeStorageTest, OneWhoIsReplacedIsNotErased) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.Connect(alice.user);
  EXPECT_TRUE(Stored(alice.user).has_value());
  EXPECT_EQ(world_.locations().erasures().counts().calls, 0u);
}

TEST_F(RuntimeStorageTest, OneWhoHasReplacedTheirOwnSessionIsErasedWithIt) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  const Client again = world_.Connect(alice.user);
  world_.Disconnect(again);
  world_.Settle();
  EXPECT_FALSE(Stored(alice.user).has_value());
}

TEST_F(RuntimeStorageTest, OneWhoseConnectFailsIsErased) {
  world_.friends().lists().FailNext(1, absl::PermissionDeniedError("no"));
  world_.BeginConnect(world_.User(0), kHere);
  world_.Settle();
  EXPECT_EQ(world_.locations().writes().counts().calls, 1u);
  EXPECT_FALSE(Stored(world_.User(0)).has_value());
}

// --- users who have gone on to another node ---

TEST_F(RuntimeStorageTest, WhatAnotherNodeHasWrittenSinceIsNotErased) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.clock().Advance(absl::Seconds(5));
  AnotherNodeWrites(alice.user);
  // The phone is there already when the connection that it has left behind is noticed to be dead.
  world_.Pass(absl::Seconds(30));
  world_.Disconnect(alice);
  world_.Settle();
  EXPECT_EQ(world_.locations().erasures().counts().calls, 1u);
  EXPECT_TRUE(Stored(alice.user).has_value());
}

TEST_F(RuntimeStorageTest, AConnectThatFailsHereErasesNothingOfAnotherNodes) {
  AnotherNodeWrites(world_.User(0));
  world_.Pass(absl::Seconds(5));
  world_.friends().lists().FailNext(1, absl::PermissionDeniedError("no"));
  world_.BeginConnect(world_.User(0));
  world_.Settle();
  EXPECT_EQ(world_.runtime().stats().connects_failed, 1u);
  EXPECT_TRUE(Stored(world_.User(0)).has_value());
  EXPECT_EQ(world_.locations().erasures().counts().calls, 0u);
}

TEST_F(RuntimeStorageTest, NorDoesASessionThatHasReportedNothing) {
  AnotherNodeWrites(world_.User(0));
  const Client alice = world_.Connect(world_.User(0));
  const Time far_ahead{kStart.ms + 86'400'000};
  EXPECT_TRUE(world_.runtime().Report({alice.session, North(10), far_ahead}).ok());
  world_.Pass(absl::Seconds(5));
  world_.Disconnect(alice);
  world_.Settle();
  EXPECT_TRUE(Stored(alice.user).has_value());
  EXPECT_EQ(world_.locations().erasures().counts().calls, 0u);
}

TEST_F(RuntimeStorageTest, NorDoesALaterSessionWithWhatAnEarlierOneReported) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.Disconnect(alice);
  const Client again = world_.Connect(alice.user);
  world_.Disconnect(again);
  world_.Settle();
  EXPECT_EQ(world_.locations().erasures().counts().calls, 1u);
}

// --- slow ---

TEST_F(RuntimeStorageTest,
       WhileAWriteIsUnderWayTheNewestOfEachUserGathersInTheStoreAndAllInTheLog) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.locations().writes().Hold();
  world_.history().appends().Hold();
  for (int i = 1; i <= 10; ++i) ReportAndSettle(alice, i);
  EXPECT_THAT(world_.locations().writes().held(), SizeIs(1)) << "one at a time";
  EXPECT_THAT(world_.history().appends().held(), SizeIs(1));
  world_.locations().writes().Resume();
  world_.history().appends().Resume();
  world_.Settle();
  EXPECT_EQ(Stored(alice.user)->position, Position::FromLatLng(North(10)));
  EXPECT_EQ(Logged(alice.user), 11u);
  EXPECT_EQ(stats().locations_stored, 3u) << "the first, that which was held, and the newest";
  EXPECT_EQ(stats().locations_unstored, 0u);
}

TEST_F(RuntimeStorageTest, DeliveriesGoOnWhileTheStoresAreDown) {
  world_.Befriend(world_.User(0), world_.User(1));
  world_.locations().writes().Hold();
  world_.history().appends().Hold();
  const Client alice = world_.Connect(world_.User(0), kHere);
  const Client bob = world_.Connect(world_.User(1), kHere);
  ReportAndSettle(bob, 10);
  EXPECT_EQ(world_.sink().InSight(alice.cookie).at(bob.user).position,
            Position::FromLatLng(North(10)));
}

TEST_F(RuntimeStorageTest, WhatFailedIsWrittenAgainLaterEachTime) {
  const Client alice = world_.Connect(world_.User(0));
  world_.locations().writes().FailNext(3, absl::UnavailableError("down"));
  world_.history().appends().FailNext(3, absl::UnavailableError("down"));
  ReportAndSettle(alice, 1);
  EXPECT_EQ(world_.locations().writes().counts().calls, 1u);
  world_.Pass(absl::Milliseconds(99));
  EXPECT_EQ(world_.locations().writes().counts().calls, 1u) << "too early";
  for (int i = 0; i < 10; ++i) world_.Pass(absl::Milliseconds(200));
  EXPECT_EQ(world_.locations().writes().counts().calls, 4u);
  EXPECT_EQ(world_.history().appends().counts().calls, 4u);
  EXPECT_TRUE(Stored(alice.user).has_value());
  EXPECT_EQ(Logged(alice.user), 1u);
  EXPECT_EQ(stats().store_failures, 6u);
}

TEST_F(RuntimeStorageTest, ARetryIsAskedForInTime) {
  const Client alice = world_.Connect(world_.User(0));
  world_.history().appends().FailNext(1, absl::UnavailableError("down"));
  ReportAndSettle(alice, 1);
  EXPECT_LE(world_.runtime().PollAll(), absl::Milliseconds(150));
  EXPECT_GE(world_.runtime().PollAll(), absl::Milliseconds(1));
}

TEST_F(RuntimeStorageTest, WhatTheStoreWillNeverTakeIsDroppedAndCounted) {
  const Client alice = world_.Connect(world_.User(0));
  world_.history().appends().FailNext(1, absl::InvalidArgumentError("no"));
  ReportAndSettle(alice, 1);
  for (int i = 0; i < 5; ++i) ReportAndSettle(alice, 2 + i);
  EXPECT_EQ(stats().histories_unstored, 1u);
  EXPECT_EQ(Logged(alice.user), 5u);
}

TEST_F(RuntimeStorageTest, AStoreThatIsFullIsNotAskedAgainForTheSame) {
  const Client alice = world_.Connect(world_.User(0));
  world_.locations().writes().FailNext(1, absl::ResourceExhaustedError("full"));
  world_.history().appends().FailNext(1, absl::ResourceExhaustedError("full"));
  ReportAndSettle(alice, 1);
  for (int i = 0; i < 10; ++i) world_.Pass(absl::Seconds(1));
  EXPECT_EQ(world_.locations().writes().counts().calls, 1u);
  EXPECT_EQ(stats().locations_unstored, 1u);
  EXPECT_EQ(world_.history().appends().counts().calls, 2u) << "no report makes up for history";
  EXPECT_EQ(stats().histories_unstored, 0u);
  ReportAndSettle(alice, 2);
  EXPECT_TRUE(Stored(alice.user).has_value()) << "the next report makes up for it";
}

TEST_F(RuntimeStorageTest, WhatNeverSucceedsIsGivenUpAndCountedAndHoldsTheRestUpNoLonger) {
  const Client alice = world_.Connect(world_.User(0));
  world_.locations().writes().FailNext(10, absl::InternalError("cannot be encoded"));
  world_.history().appends().FailNext(10, absl::InternalError("cannot be encoded"));
  ReportAndSettle(alice, 1);
  const Client bob = world_.Connect(world_.User(1), kHere);
  for (int i = 0; i < 120; ++i) world_.Pass(absl::Seconds(1));
  EXPECT_EQ(stats().locations_unstored, 1u);
  EXPECT_EQ(stats().histories_unstored, 1u);
  EXPECT_TRUE(Stored(bob.user).has_value());
  EXPECT_EQ(Logged(bob.user), 1u);
}

// --- stores that do not answer ---

TEST_F(RuntimeStorageTest, WhatIsNeverAnsweredHasFailedAtTheDeadlineAndIsTriedAgain) {
  const Client alice = world_.Connect(world_.User(0));
  world_.locations().writes().LoseNext(1);
  world_.history().appends().LoseNext(1);
  ReportAndSettle(alice, 1);
  ReportAndSettle(alice, 2);
  world_.Pass(absl::Milliseconds(8'999));
  EXPECT_EQ(world_.locations().writes().counts().calls, 1u);
  EXPECT_EQ(world_.history().appends().counts().calls, 1u);
  EXPECT_EQ(world_.runtime().PollAll(), absl::Milliseconds(1));
  world_.Pass(absl::Milliseconds(1));
  EXPECT_EQ(stats().store_failures, 2u);
  EXPECT_EQ(stats().store_timeouts, 2u);
  for (int i = 0; i < 5; ++i) world_.Pass(absl::Seconds(1));
  EXPECT_EQ(Stored(alice.user)->position, Position::FromLatLng(North(2)));
  EXPECT_EQ(Logged(alice.user), 3u) << "the first is there twice, as it may be";
  EXPECT_EQ(stats().locations_stored, 2u);
  EXPECT_EQ(stats().histories_stored, 2u);
}

TEST_F(RuntimeStorageTest, AnErasureThatIsNeverAnsweredHoldsTheWritesUpUntilTheDeadline) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.locations().erasures().LoseNext(1);
  world_.Disconnect(alice);
  world_.Settle();
  const Client bob = world_.Connect(world_.User(1), kHere);
  world_.Pass(absl::Milliseconds(9'999));
  EXPECT_FALSE(Stored(bob.user).has_value());
  world_.Pass(absl::Milliseconds(1));
  EXPECT_TRUE(Stored(bob.user).has_value());
  EXPECT_EQ(stats().store_failures, 1u);
  EXPECT_EQ(stats().store_timeouts, 1u);
}

class RuntimeStorageLimitTest : public RuntimeStorageTest {
 protected:
  static World::Options Limited() {
    World::Options options = WithStores();
    options.runtime.max_unstored_locations = 3;
    return options;
  }
  RuntimeStorageLimitTest() : RuntimeStorageTest(Limited()) {}
};

TEST_F(RuntimeStorageLimitTest, PastTheLimitLocationsAreDroppedAndCountedAndItRecovers) {
  world_.locations().writes().Hold();
  world_.history().appends().Hold();
  std::vector<Client> clients;
  for (std::uint64_t i = 0; i < 6; ++i) {
    clients.push_back(world_.Connect(world_.User(i), kHere));
    world_.Pass(absl::Seconds(1));
  }
  EXPECT_EQ(stats().locations_unstored, 3u);
  EXPECT_EQ(stats().histories_unstored, 3u);
  world_.locations().writes().Resume();
  world_.history().appends().Resume();
  world_.Settle();
  EXPECT_EQ(world_.stored().size(), 3u);
  EXPECT_EQ(world_.logged().size(), 3u);
  for (const Client& client : clients) ReportAndSettle(client, 5);
  EXPECT_EQ(world_.stored().size(), 6u) << "the next report makes up for it";
  EXPECT_EQ(stats().locations_unstored, 3u);
}

TEST_F(RuntimeStorageLimitTest, ErasuresPastTheLimitAreLeftToExpire) {
  world_.locations().erasures().Hold();
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Client client = world_.Connect(world_.User(i), kHere);
    world_.Disconnect(client);
    world_.Settle();
  }
  world_.locations().erasures().Resume();
  world_.Settle();
  EXPECT_EQ(world_.locations().erasures().counts().calls, 2u);
  EXPECT_THAT(world_.locations().erasures().held(), IsEmpty());
}

}  // namespace
}  // namespace nearby::test
