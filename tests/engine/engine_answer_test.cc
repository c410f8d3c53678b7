// Connects that are answered when the host says so (EngineOptions::hold_connect_answers), and
// single friends in sight.

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "nearby/engine.h"
#include "tests/engine/engine_fixture.h"
#include "tests/engine/raw_cluster.h"

namespace nearby::test {
namespace {

class HeldAnswerTest : public EngineTest {
 protected:
  HeldAnswerTest() {
    EngineOptions options;
    options.hold_connect_answers = true;
    Restart(options);
  }

  // Bob, answered and in place; then Alice, whose friends are loaded.
  void ConnectAliceBesideBob() {
    bob_ = Connect(kBob, {EntryFor(kAlice)}, 72);
    ASSERT_TRUE(engine_->Answer(bob_, &effects_).ok());
    ASSERT_EQ(Report(bob_, kNearby), ReportOutcome::kAccepted);
    alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
    effects_.Clear();
  }
};

TEST_F(HeldAnswerTest, NobodyIsToldAnythingBeforeTheAnswer) {
  ConnectAliceBesideBob();
  ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
  ASSERT_EQ(Report(bob_, kHome), ReportOutcome::kAccepted);
  for (const Delivery& delivery : effects_.deliveries) EXPECT_EQ(delivery.subscriber, kBob);
  EXPECT_TRUE(effects_.answers.empty());
  EXPECT_TRUE(engine_->Nearby(alice_, {}, 10, &effects_)->friends.empty());
  EXPECT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
}

TEST_F(HeldAnswerTest, TheAnswerHoldsWhoeverIsInSightByThen) {
  ConnectAliceBesideBob();
  ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
  effects_.Clear();
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  ASSERT_EQ(effects_.answers.size(), 1u);
  EXPECT_EQ(effects_.answers[0].cookie, 71u);
  ASSERT_EQ(effects_.answers[0].count, 1u);
  EXPECT_EQ(effects_.deliveries[effects_.answers[0].first].friend_id, kBob);
  // From here on she is told like anybody else.
  effects_.Clear();
  ASSERT_EQ(Report(bob_, kHome), ReportOutcome::kAccepted);
  ASSERT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kMove);
}

TEST_F(HeldAnswerTest, AnExpiryBeforeTheAnswerResetsNothing) {
  ConnectAliceBesideBob();
  ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
  effects_.Clear();
  ASSERT_TRUE(engine_->Advance(Time{kNow.ms + 3'600'000}, &effects_).ok());
  for (const Delivery& delivery : effects_.deliveries) EXPECT_EQ(delivery.subscriber, kBob);
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  EXPECT_EQ(effects_.answers[0].in_sight, 0u);
}

TEST_F(HeldAnswerTest, ARevocationBeforeTheAnswerHoldsInIt) {
  ConnectAliceBesideBob();
  ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
  Friendship hidden = Friends();
  hidden.friend_hides = true;
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, hidden, Version(2)}, &effects_).ok());
  effects_.Clear();
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  EXPECT_EQ(effects_.answers[0].in_sight, 0u);
  EXPECT_TRUE(effects_.deliveries.empty());
}

TEST_F(HeldAnswerTest, WhatCannotBeAnswered) {
  alice_ = *engine_->Connect({kAlice, 71, {}}, &effects_);
  effects_.Clear();
  ExpectRefused(engine_->Answer(alice_, &effects_), absl::StatusCode::kFailedPrecondition,
                "have not been loaded");
  ASSERT_TRUE(engine_->FriendsLoaded(alice_, Version(1), {}, &effects_).ok());
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  effects_.Clear();
  ExpectRefused(engine_->Answer(alice_, &effects_), absl::StatusCode::kFailedPrecondition,
                "has been answered");
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  effects_.Clear();
  ExpectRefused(engine_->Answer(alice_, &effects_), absl::StatusCode::kNotFound, "session");
}

TEST_F(HeldAnswerTest, ASecondConnectIsHeldAnew) {
  ConnectAliceBesideBob();
  ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  alice_ = Connect(kAlice, {EntryFor(kBob)}, 73);
  ASSERT_EQ(Report(bob_, kHome), ReportOutcome::kAccepted);
  EXPECT_TRUE(effects_.deliveries.empty());
  ASSERT_TRUE(engine_->Answer(alice_, &effects_).ok());
  EXPECT_EQ(effects_.answers[0].in_sight, 1u);
}

// What the option is for: with messages carried before the answer, it knows friends elsewhere.
TEST(HeldAnswerAcrossShardsTest, TheAnswerHoldsFriendsOfOtherShards) {
  EngineOptions options;
  options.hold_connect_answers = true;
  absl::StatusOr<RawCluster> cluster = RawCluster::Create(options, 2);
  ASSERT_TRUE(cluster.ok());
  UserId other{2};
  while (cluster->home(other) == cluster->home(kAlice)) other = UserId{ToInt(other) + 1};
  Effects effects;
  const auto carry = [&] {
    cluster->Enqueue(&effects.messages);
    while (const std::optional<PeerMessage> message = cluster->TakeMessage(0)) {
      cluster->engine(ToInt(message->to)).Receive({&*message, 1}, &effects);
      cluster->Enqueue(&effects.messages);
    }
  };
  const auto connect = [&](UserId user, UserId friend_id, LatLng location) {
    Engine& engine = cluster->engine(cluster->home(user));
    const ClientHandle client = *engine.Connect({user}, &effects);
    EXPECT_EQ(engine.Report({client, location, kNow}, &effects), ReportOutcome::kAccepted);
    EXPECT_TRUE(
        engine.FriendsLoaded(client, Version(1), std::vector{EntryFor(friend_id)}, &effects).ok());
    carry();
    EXPECT_TRUE(effects.answers.empty());
    EXPECT_TRUE(engine.Answer(client, &effects).ok());
  };
  for (const std::uint32_t shard : {0u, 1u}) {
    ASSERT_TRUE(cluster->engine(shard).Advance(kNow, &effects).ok());
  }
  connect(other, kAlice, kNearby);
  effects.Clear();
  connect(kAlice, other, kHome);
  ASSERT_EQ(effects.answers.size(), 1u);
  EXPECT_EQ(effects.answers[0].in_sight, 1u);
}

TEST_F(EngineTest, InSightIsOneFriendWhomTheClientHasBeenToldOf) {
  Meet();
  const std::optional<NearbyFriend> bob = engine_->InSight(alice_, kBob);
  ASSERT_TRUE(bob.has_value());
  EXPECT_EQ(bob->friend_id, kBob);
  EXPECT_EQ(bob->position, Position::FromLatLng(kNearby));
  EXPECT_NEAR(static_cast<double>(bob->distance_mm), 111'195, 20);
  EXPECT_EQ(bob->reported_at, kNow);
  EXPECT_FALSE(engine_->InSight(alice_, kAlice).has_value());
  EXPECT_FALSE(engine_->InSight(alice_, kCarol).has_value());
  EXPECT_FALSE(engine_->InSight({}, kBob).has_value());
  ASSERT_EQ(Report(bob_, kFar), ReportOutcome::kAccepted);
  EXPECT_FALSE(engine_->InSight(alice_, kBob).has_value());
}

}  // namespace
}  // namespace nearby::test
