// Friend lists and changes in the wrong order, and everything at its limit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "nearby/engine.h"
#include "tests/base/sphere_reference.h"
#include "tests/engine/checked_engine.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr LatLng kMunich{48.137, 11.575};

bool Sees(const CheckedEngine& engine, std::uint64_t subscriber, std::uint64_t friend_id) {
  return engine.oracle().Sees(UserId{subscriber}, UserId{friend_id});
}

// Users 1 and 2 in one place, both connected; the lists have not arrived.
void ConnectBoth(CheckedEngine* engine) {
  engine->Advance(0);
  for (const std::uint64_t user : {1, 2}) {
    engine->Connect(user);
    engine->Report(user, kMunich);
  }
}

// --- Lists that arrive late ----------------------------------------------------------------------

TEST(EngineListsTest, AListCannotUndoWhatChangedWhileItLoaded) {
  CheckedEngine engine;
  const FriendVersion old = engine.Commit(1, 2, kFriends).version;
  ConnectBoth(&engine);
  engine.Load(2, old);
  engine.Change(1, 2, kStrangers);
  engine.Load(1, old);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
  engine.Load(2, old);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
}

TEST(EngineListsTest, AFriendshipMadeWhileTheListLoadedStands) {
  CheckedEngine engine;
  ConnectBoth(&engine);
  engine.Load(2, FriendVersion{0});
  engine.Change(1, 2, kFriends);
  EXPECT_TRUE(Sees(engine, 2, 1));
  engine.Load(1, FriendVersion{0});
  EXPECT_TRUE(Sees(engine, 1, 2));
}

TEST(EngineListsTest, AHideMadeWhileAbsentStandsAgainstAnOlderList) {
  CheckedEngine engine;
  const FriendVersion old = engine.Commit(1, 2, kFriends).version;
  engine.Advance(0);
  engine.Change(1, 2, {/*friends=*/true, /*i_hide=*/true});  // before either connects
  ConnectBoth(&engine);
  engine.Load(2, old);
  engine.Load(1, old);
  EXPECT_TRUE(Sees(engine, 1, 2));
  EXPECT_FALSE(Sees(engine, 2, 1));
}

// A list takes account of every change up to its version: such a change, arriving later, is old
// news.
TEST(EngineListsTest, AChangeThatTheListAlreadyTookAccountOfIsIgnored) {
  CheckedEngine engine;
  const FriendshipChange befriended = engine.Commit(1, 2, kFriends);
  const FriendshipChange unfriended = engine.Commit(1, 2, kStrangers);
  ConnectBoth(&engine);
  engine.Load(1);
  engine.Load(2);
  engine.Apply(befriended);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty()) << "the store says that they are strangers";
  engine.Apply(unfriended);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
}

TEST(EngineListsTest, ChangesOutOfOrderLeaveTheLatest) {
  CheckedEngine engine;
  ConnectBoth(&engine);
  engine.Load(1);
  engine.Load(2);
  const FriendshipChange first = engine.Commit(1, 2, kFriends);
  const FriendshipChange second = engine.Commit(2, 1, {true, /*i_hide=*/true});
  engine.Apply(second);
  engine.Apply(first);
  EXPECT_TRUE(Sees(engine, 2, 1));
  EXPECT_FALSE(Sees(engine, 1, 2));
}

TEST(EngineListsTest, AListForAReplacedSessionIsRefused) {
  CheckedEngine engine;
  const FriendVersion version = engine.Commit(1, 2, kFriends).version;
  ConnectBoth(&engine);
  const ClientHandle first = engine.client(1);
  engine.Connect(1);
  engine.effects().Clear();
  EXPECT_TRUE(absl::IsNotFound(engine.engine().FriendsLoaded(
      first, version, engine.store().ListAt(UserId{1}, version), &engine.effects())));
  engine.ExpectNothingDelivered();
  EXPECT_THAT(engine.effects().answers, IsEmpty());
  engine.Load(1);
  EXPECT_TRUE(Sees(engine, 1, 2));
}

TEST(EngineListsTest, OfAnIdListedTwiceTheLastEntryCountsForBothSides) {
  CheckedEngine engine;
  engine.Commit(1, 2, {/*friends=*/true, /*i_hide=*/true});
  ConnectBoth(&engine);
  engine.Load(2);
  const FriendEntry shown{UserId{2}, kFriends};
  const FriendEntry hidden{UserId{2}, {/*friends=*/true, /*i_hide=*/true}};
  const FriendEntry gone{UserId{2}, kStrangers};
  engine.LoadList(1, engine.store().version(), {shown, gone, shown, hidden});
  EXPECT_FALSE(Sees(engine, 2, 1));
  EXPECT_TRUE(Sees(engine, 1, 2));
  engine.LoadList(1, engine.store().version(), {hidden, shown, gone});
  EXPECT_FALSE(Sees(engine, 1, 2));
}

TEST(EngineListsTest, AFreshListEndsWhatItDoesNotBear) {
  CheckedEngine engine;
  engine.Commit(1, 2, kFriends);
  ConnectBoth(&engine);
  engine.Load(1);
  engine.Load(2);
  engine.Commit(1, 2, kStrangers);  // and nobody told the engine
  engine.Load(1);
  EXPECT_THAT(engine.effects().deliveries, SizeIs(2)) << "both are told";
  engine.Load(1);
  EXPECT_THAT(engine.effects().deliveries, IsEmpty());
}

TEST(EngineListsTest, AListOlderThanAForgottenChangeIsRefused) {
  EngineOptions options;
  options.max_remembered_changes = 2;
  CheckedEngine engine(options);
  const FriendVersion old = engine.Commit(1, 2, kFriends).version;
  ConnectBoth(&engine);
  engine.Load(2, old);
  const FriendshipChange forgotten = engine.Change(1, 2, kStrangers);
  for (const std::uint64_t other : {3, 4}) engine.Change(1, other, kFriends);
  engine.effects().Clear();
  EXPECT_TRUE(absl::IsFailedPrecondition(engine.engine().FriendsLoaded(
      engine.client(1), old, engine.store().ListAt(UserId{1}, old), &engine.effects())));
  engine.ExpectNothingDelivered();
  EXPECT_THAT(engine.effects().answers, IsEmpty());
  // A list that took account of it is as good as any.
  engine.Load(1, forgotten.version);
  EXPECT_THAT(engine.effects().answers, SizeIs(1));
  EXPECT_FALSE(Sees(engine, 1, 2));
}

// --- Limits --------------------------------------------------------------------------------------

TEST(EngineLimitsTest, AFullShardRefusesTheNextUserAndTakesItWhenOneLeaves) {
  EngineOptions options;
  options.max_entities = 3;
  CheckedEngine engine(options);
  engine.Advance(0);
  for (const std::uint64_t user : {1, 2, 3}) engine.Join(user);
  for (int attempt = 0; attempt < 3; ++attempt) {
    engine.effects().Clear();
    EXPECT_TRUE(absl::IsResourceExhausted(
        engine.engine().Connect({UserId{4}, 4, {}}, &engine.effects()).status()));
    EXPECT_THAT(engine.effects().friend_requests, IsEmpty());
    EXPECT_FALSE(engine.engine().Find(UserId{4}).has_value());
    EXPECT_EQ(engine.engine().stats().clients, 3u);
    engine.ExpectNothingDelivered();
  }
  engine.Join(3);  // replacing a session needs no room
  engine.Disconnect(2);
  engine.Join(4);
}

TEST(EngineLimitsTest, AFullRowRefusesTheNextFriendAndNoRevocation) {
  EngineOptions options;
  options.max_friends = 3;
  CheckedEngine engine(options);
  engine.Advance(0);
  for (std::uint64_t user = 1; user <= 5; ++user) {
    engine.Join(user);
    engine.Report(user, kMunich);
  }
  for (const std::uint64_t friend_id : {2, 3, 4}) engine.Change(1, friend_id, kFriends);
  engine.effects().Clear();
  const FriendshipChange fourth = engine.Commit(5, 1, kFriends);
  EXPECT_TRUE(absl::IsResourceExhausted(engine.engine().Apply(fourth, &engine.effects())));
  engine.ExpectNothingDelivered();
  engine.Change(1, 2, {true, /*i_hide=*/true});  // no room needed
  engine.Change(1, 3, kStrangers);
  engine.Join(5);  // the refused friendship was remembered
  EXPECT_TRUE(Sees(engine, 1, 5));
}

// Too many pairs for the oracle: each distance is looked at here.
TEST(EngineLimitsTest, AWhaleWithFiveThousandFriendsOnlineIsServedWhole) {
  constexpr std::uint64_t kFriendCount = 5000;
  const UserId whale{0};
  const std::unique_ptr<Engine> engine = Engine::Create(EngineOptions()).value();
  Effects effects;
  testing::PointSource source(7);
  std::vector<FriendEntry> friends;
  std::vector<LatLng> places = {kMunich};
  EXPECT_EQ(engine->Advance(Time{0}, &effects), absl::OkStatus());
  for (std::uint64_t user = 1; user <= kFriendCount; ++user) {
    const ClientHandle client = engine->Connect({UserId{user}, user, {}}, &effects).value();
    const FriendEntry entry{whale, kFriends};
    EXPECT_EQ(engine->FriendsLoaded(client, FriendVersion{1}, {&entry, 1}, &effects),
              absl::OkStatus());
    places.push_back(testing::Destination(kMunich, source.Bearing(), source.Between(0, 16'000)));
    engine->Report({client, places.back(), Time{0}}, &effects);
    friends.push_back({UserId{user}, kFriends});
  }
  EXPECT_THAT(effects.deliveries, IsEmpty()) << "the whale has not come yet";
  const ClientHandle client = engine->Connect({whale, 0, {}}, &effects).value();
  EXPECT_EQ(engine->FriendsLoaded(client, FriendVersion{1}, friends, &effects), absl::OkStatus());

  std::set<UserId> near;
  for (std::uint64_t user = 1; user <= kFriendCount; ++user) {
    if (testing::TrueMeters(kMunich, places[user]) <= 8046.72) near.insert(UserId{user});
  }
  ASSERT_GT(near.size(), 2000u);
  const auto count = [&effects](DeliveryKind kind, bool to_whale) {
    std::set<UserId> others;
    for (const Delivery& delivery : effects.deliveries) {
      if (delivery.kind != kind || (delivery.subscriber == UserId{0}) != to_whale) continue;
      others.insert(to_whale ? delivery.friend_id : delivery.subscriber);
    }
    return others;
  };
  effects.Clear();
  engine->Report({client, kMunich, Time{0}}, &effects);
  EXPECT_EQ(count(DeliveryKind::kEnter, true), near);
  EXPECT_EQ(count(DeliveryKind::kEnter, false), near);
  EXPECT_THAT(effects.deliveries, SizeIs(2 * near.size()));
  effects.Clear();
  engine->Report({client, kMunich, Time{0}}, &effects);
  EXPECT_EQ(count(DeliveryKind::kMove, false), near);
  EXPECT_THAT(effects.deliveries, SizeIs(near.size()));

  std::set<UserId> listed;
  std::optional<PageToken> after = PageToken();
  while (after) {
    const NearbyPage page = engine->Nearby(client, *after, 999, &effects).value();
    for (const NearbyFriend& entry : page.friends) listed.insert(entry.friend_id);
    after = page.next;
  }
  EXPECT_EQ(listed, near);
  EXPECT_EQ(engine->CheckInvariants(), absl::OkStatus());
  effects.Clear();
  EXPECT_EQ(engine->Disconnect(client, &effects), absl::OkStatus());
  EXPECT_EQ(count(DeliveryKind::kLeave, false), near);
  EXPECT_THAT(effects.deliveries, SizeIs(near.size()));
  EXPECT_EQ(engine->CheckInvariants(), absl::OkStatus());
}

// A friend more than a row holds: those listed first are linked, and nobody is harmed.
TEST(EngineLimitsTest, ALongerRowThanTheFriendsHaveRoomForIsRefusedLinkByLink) {
  EngineOptions options;
  options.max_friends = 4;
  const std::unique_ptr<Engine> engine = Engine::Create(options).value();
  Effects effects;
  EXPECT_EQ(engine->Advance(Time{0}, &effects), absl::OkStatus());
  // Each of ten says that 0 is their friend, though a store would not allow 0 so many.
  const auto join = [&engine, &effects](std::uint64_t user, absl::Span<const FriendEntry> list) {
    const ClientHandle client = engine->Connect({UserId{user}, user, {}}, &effects).value();
    EXPECT_EQ(engine->FriendsLoaded(client, FriendVersion{1}, list, &effects), absl::OkStatus());
    engine->Report({client, kMunich, Time{0}}, &effects);
    EXPECT_EQ(engine->CheckInvariants(), absl::OkStatus());
  };
  join(0, {});
  for (std::uint64_t user = 1; user <= 10; ++user) join(user, {{UserId{0}, kFriends}});
  EXPECT_EQ(engine->stats().links_refused, 6u);
  EXPECT_EQ(engine->stats().enters, 8u);
  EXPECT_EQ(engine->stats().edges, 4u);
}

}  // namespace
}  // namespace nearby::test
