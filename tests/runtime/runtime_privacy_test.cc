// Invariant I4: once an edit that takes sight away has been completed with Ok, nothing about the
// one is handed to the other's sink but a bare leave. The world has the sink watch over that from
// within each completion on; these tests bring about the interleavings in which it is hard to keep.

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Kind = FriendEdit::Kind;

// Each way of taking the sight of Bob away from Alice, on one shard and across two.
struct Revocation {
  const char* name;
  Kind kind;
  bool by_alice;
};
constexpr Revocation kRevocations[] = {{"BobHides", Kind::kHide, false},
                                       {"BobUnfriends", Kind::kUnfriend, false},
                                       {"AliceUnfriends", Kind::kUnfriend, true},
                                       {"AliceUnsubscribes", Kind::kUnsubscribe, true}};
void PrintTo(const Revocation& revocation, std::ostream* out) { *out << revocation.name; }

class RuntimePrivacyTest : public ::testing::TestWithParam<std::tuple<std::uint32_t, Revocation>> {
 protected:
  RuntimePrivacyTest() {
    world_.Befriend(alice_, bob_);
    world_.Befriend(alice_, carol_);
  }

  void Meet() {
    alices_ = world_.Connect(alice_, kHere);
    bobs_ = world_.Connect(bob_, North(100));
    ASSERT_THAT(world_.InSight(alices_), UnorderedElementsAre(bob_));
  }

  EditReply Revoke() {
    const Revocation& revocation = std::get<Revocation>(GetParam());
    return revocation.by_alice ? world_.Edit(revocation.kind, alice_, bob_)
                               : world_.Edit(revocation.kind, bob_, alice_);
  }

  void BobMoves() {
    world_.clock().Advance(absl::Seconds(1));
    world_.Report(bobs_, North(90 + ++moves_ % 10));
  }

  // One poll of the shard where the user is at home.
  void PollHomeOf(UserId user) { world_.runtime().Poll(HomeShard(user, shards_)); }

  const std::uint32_t shards_ = std::get<0>(GetParam());
  World world_{shards_};
  const UserId alice_ = world_.User(0);
  const UserId bob_ = world_.User(1);
  const UserId carol_ = world_.User(2);
  Client alices_;
  Client bobs_;
  int moves_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Ways, RuntimePrivacyTest,
                         ::testing::Combine(::testing::Values(1, 2),
                                            ::testing::ValuesIn(kRevocations)),
                         [](const auto& param_info) {
                           return std::string(std::get<1>(param_info.param).name) + "On" +
                                  std::to_string(std::get<0>(param_info.param));
                         });

TEST_P(RuntimePrivacyTest, TheViewerIsToldToForget) {
  Meet();
  const EditReply reply = Revoke();
  BobMoves();
  world_.Settle();
  EXPECT_TRUE(reply.status().ok());
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
  BobMoves();
  world_.Settle();
}

TEST_P(RuntimePrivacyTest, WhatWaitsForABusyClientIsTakenBack) {
  world_.Befriend(alice_, world_.User(4));
  Meet();
  world_.SetBusy(alices_, true);
  BobMoves();
  world_.Settle();  // and from here on she is busy
  BobMoves();
  world_.Connect(carol_, North(50));
  world_.Settle();
  Revoke();
  world_.Settle();
  world_.Ready(alices_);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alices_), UnorderedElementsAre(carol_));
}

TEST_P(RuntimePrivacyTest, AnEnterThatHasNotBeenToldIsTakenBackWithoutATrace) {
  alices_ = world_.Connect(alice_, kHere);
  world_.SetBusy(alices_, true);
  world_.Connect(carol_, North(50));  // keeps her busy
  bobs_ = world_.Connect(bob_, North(100));
  Revoke();
  world_.Settle();
  world_.Ready(alices_);
  world_.Settle();
  for (const auto& batch : world_.sink().batches(alices_.cookie)) {
    for (const ClientEvent& event : batch.events) EXPECT_EQ(event.friend_id, carol_);
  }
}

TEST_P(RuntimePrivacyTest, AResyncThatWaitsDoesNotNameThem) {
  World::Options options;
  options.runtime.shards = shards_;
  options.runtime.max_pending_events = 1;
  World world(options);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  world.Befriend(alice, bob);
  for (std::uint64_t i = 2; i < 6; ++i) world.Befriend(alice, world.User(i));
  const Client alices = world.Connect(alice, kHere);
  world.SetBusy(alices, true);
  world.Connect(bob, North(100));
  for (std::uint64_t i = 2; i < 6; ++i) world.Connect(world.User(i), North(100));
  ASSERT_GT(world.runtime().stats().resyncs, 0u);
  const Revocation& revocation = std::get<Revocation>(GetParam());
  if (revocation.by_alice) {
    world.Edit(revocation.kind, alice, bob);
  } else {
    world.Edit(revocation.kind, bob, alice);
  }
  world.Settle();
  world.Ready(alices);
  world.Settle();
  EXPECT_THAT(world.InSight(alices), SizeIs(4));
  EXPECT_EQ(world.InSight(alices).count(bob), 0u);
}

TEST_P(RuntimePrivacyTest, AListReadBeforeTheChangeBringsNobodyBack) {
  Meet();
  world_.friends().lists().Hold();
  // Both have their lists loaded again, and connect anew, with lists of before the change.
  world_.friends().edits().FailNext(1, absl::UnavailableError("?"));
  world_.Edit(Kind::kBefriend, alice_, bob_);
  world_.Settle();
  const Connecting again = world_.BeginConnect(alice_, kHere);
  world_.Settle();
  ASSERT_THAT(world_.friends().lists().held(), SizeIs(3));
  const EditReply reply = Revoke();
  BobMoves();
  world_.Settle();
  EXPECT_TRUE(reply.status().ok());
  world_.friends().lists().Resume();
  BobMoves();
  world_.Settle();
  ASSERT_TRUE(again.reply.status().ok());
  EXPECT_EQ((*again.reply)->in_sight, 0u);
  BobMoves();
  world_.Settle();
  EXPECT_THAT(world_.InSight(again.client()), IsEmpty());
}

TEST_P(RuntimePrivacyTest, AConnectUnderWayNamesNobodyWhoWasTakenAwayMeanwhile) {
  // The revocation comes at each point of the way, by the number of polls of each shard.
  for (int here = 0; here < 6; ++here) {
    for (int there = 0; there < 6; ++there) {
      World world(shards_);
      const UserId alice = world.User(0);
      const UserId bob = world.User(1);
      world.Befriend(alice, bob);
      world.Connect(bob, North(100));
      const Connecting connecting = world.BeginConnect(alice, kHere);
      for (int i = 0; i < std::max(here, there); ++i) {
        if (i < here) world.runtime().Poll(HomeShard(alice, shards_));
        if (i < there) world.runtime().Poll(HomeShard(bob, shards_));
      }
      const Revocation& revocation = std::get<Revocation>(GetParam());
      const EditReply reply = revocation.by_alice ? world.Edit(revocation.kind, alice, bob)
                                                  : world.Edit(revocation.kind, bob, alice);
      world.Settle();
      ASSERT_TRUE(reply.status().ok());
      ASSERT_TRUE(connecting.reply.status().ok());
      ASSERT_THAT(world.InSight(connecting.client()), IsEmpty());
    }
  }
}

TEST_P(RuntimePrivacyTest, ItIsNotAcknowledgedBeforeBothShardsHaveAppliedIt) {
  Meet();
  const EditReply reply = Revoke();
  PollHomeOf(bob_);
  PollHomeOf(bob_);
  if (shards_ > 1) {
    EXPECT_EQ(reply.times(), 0) << "Alice's shard has not heard of it";
  }
  PollHomeOf(alice_);
  EXPECT_EQ(reply.times(), 1);
  world_.Settle();
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, LocationsOnTheirWayBetweenShardsAreNotDelivered) {
  Meet();
  for (int i = 0; i < 3; ++i) BobMoves();
  PollHomeOf(bob_);  // They are in the mailbox of Alice's shard now.
  const EditReply reply = Revoke();
  PollHomeOf(bob_);
  PollHomeOf(alice_);
  EXPECT_EQ(reply.times(), 1);
  for (int i = 0; i < 3; ++i) BobMoves();
  world_.Settle();
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, ARepetitionIsNotAcknowledgedBeforeTheFirstIsInForce) {
  // The store has made the first, and its answer is held back; the second finds that nothing is
  // left to change, and is answered at once. What it promises must hold all the same.
  Meet();
  world_.friends().edits().Hold();
  const EditReply first = Revoke();
  const EditReply second = Revoke();
  ASSERT_THAT(world_.friends().edits().held(), SizeIs(2));
  ASSERT_TRUE(world_.friends().edits().ReleaseNewest());
  BobMoves();
  world_.Settle();
  EXPECT_EQ(first.times(), 0);
  EXPECT_TRUE(second.status().ok());
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
  BobMoves();
  world_.friends().edits().Resume();
  BobMoves();
  world_.Settle();
  EXPECT_TRUE(first.status().ok());
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, AnOlderGrantThatArrivesLaterDoesNotUndoIt) {
  ASSERT_TRUE(world_.graph().Unfriend(alice_, bob_).ok());
  ASSERT_TRUE(world_.graph().Hide({/*viewer=*/alice_, /*owner=*/bob_}).ok());
  ASSERT_TRUE(world_.graph().Unsubscribe({/*viewer=*/alice_, /*owner=*/bob_}).ok());
  alices_ = world_.Connect(alice_, kHere);
  bobs_ = world_.Connect(bob_, North(100));
  world_.friends().edits().Hold();
  world_.Edit(Kind::kShare, bob_, alice_);
  world_.Edit(Kind::kSubscribe, alice_, bob_);
  const EditReply granted = world_.Edit(Kind::kBefriend, alice_, bob_);
  const EditReply revoked = Revoke();
  ASSERT_TRUE(world_.friends().edits().ReleaseNewest());
  world_.Settle();
  EXPECT_TRUE(revoked.status().ok());
  world_.friends().edits().Resume();
  BobMoves();
  world_.Settle();
  EXPECT_TRUE(granted.status().ok());
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, APageAndASubscriptionDoNotNameThem) {
  Meet();
  Revoke();
  const PageReply page = world_.Page(alice_, 10);
  world_.Settle();
  ASSERT_TRUE(page.status().ok());
  EXPECT_THAT((*page)->friends, IsEmpty());
  // A subscription waits for the other shard; the revocation overtakes it.
  World world(shards_);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  world.Befriend(alice, bob);
  ASSERT_TRUE(world.graph().Unsubscribe({/*viewer=*/alice, /*owner=*/bob}).ok());
  world.Connect(alice, kHere);
  world.Connect(bob, North(100));
  const EditReply subscribed = world.Edit(Kind::kSubscribe, alice, bob);
  for (int i = 0; i < 2; ++i) {
    for (std::uint32_t shard = 0; shard < shards_; ++shard) world.runtime().Poll(ShardId{shard});
  }
  const Revocation& revocation = std::get<Revocation>(GetParam());
  if (revocation.by_alice) {
    world.Edit(revocation.kind, alice, bob);
  } else {
    world.Edit(revocation.kind, bob, alice);
  }
  world.Settle();
  EXPECT_TRUE(subscribed.status().ok());
}

TEST_P(RuntimePrivacyTest, ItHoldsForTheSessionsToCome) {
  Meet();
  Revoke();
  world_.Settle();
  const Client again = world_.Connect(alice_, kHere);
  BobMoves();
  world_.Settle();
  EXPECT_THAT(world_.InSight(again), IsEmpty());
  world_.Disconnect(bobs_);
  world_.Settle();
  bobs_ = world_.Connect(bob_, North(100));
  EXPECT_THAT(world_.InSight(again), IsEmpty());
}

TEST_P(RuntimePrivacyTest, ItHoldsThoughMoreChangesAreMadeThanAreRemembered) {
  World::Options options;
  options.runtime.shards = shards_;
  options.runtime.engine.max_remembered_changes = 2;
  World world(options);
  const UserId alice = world.User(0);
  const UserId bob = world.User(1);
  world.Befriend(alice, bob);
  world.Connect(alice, kHere);
  const Client bobs = world.Connect(bob, North(100));
  world.friends().lists().Hold();
  const Connecting again = world.BeginConnect(alice, kHere);
  world.Settle();
  const Revocation& revocation = std::get<Revocation>(GetParam());
  if (revocation.by_alice) {
    world.Edit(revocation.kind, alice, bob);
  } else {
    world.Edit(revocation.kind, bob, alice);
  }
  for (std::uint64_t i = 0; i < 20; ++i) {
    world.Edit(Kind::kBefriend, world.User(100 + i), world.User(200 + i));
  }
  world.Settle();
  world.friends().lists().Resume();
  for (int i = 0; i < 20; ++i) {
    world.Report(bobs, North(100));
    world.Pass(absl::Milliseconds(200));
  }
  ASSERT_TRUE(again.reply.status().ok()) << again.reply.status();
  EXPECT_THAT(world.InSight(again.client()), IsEmpty());
}

TEST_P(RuntimePrivacyTest, AnEditOfOpenOutcomeIsInForceOnceTheListsHaveCome) {
  Meet();
  world_.friends().edits().FailNextAfterwards(1, absl::DeadlineExceededError("?"));
  const EditReply reply = Revoke();
  world_.Settle();
  EXPECT_FALSE(reply.status().ok());
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, AListReadBeforeAnEditOfOpenOutcomeDoesNotUndoWhatANewerOneTookAway) {
  // Bob's first list is read, and held up on its way. Then the store makes the change and does not
  // say so; Alice's new list comes at once, then Bob's old one, then his new one.
  alices_ = world_.Connect(alice_, kHere);
  world_.friends().lists().Hold();
  const Connecting bob = world_.BeginConnect(bob_, North(100));
  world_.Settle();
  world_.friends().edits().FailNextAfterwards(1, absl::DeadlineExceededError("?"));
  Revoke();
  world_.Settle();
  ASSERT_THAT(world_.friends().lists().held(), SizeIs(3));
  ASSERT_TRUE(world_.friends().lists().ReleaseFor(alice_));
  world_.Settle();
  ASSERT_TRUE(world_.friends().lists().ReleaseOldest());
  world_.Settle();
  world_.friends().lists().Resume();
  world_.Settle();
  ASSERT_TRUE(bob.reply.status().ok());
  world_.clock().Advance(absl::Seconds(1));
  world_.Report(bob.client(), North(90));
  world_.Settle();
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

TEST_P(RuntimePrivacyTest, AnEditFromWithinADeliveryHoldsFromItsCompletionOn) {
  Meet();
  int edits = 0;
  world_.sink().SetHook([&](const ClientBatch& batch) {
    if (batch.user == alice_ && edits++ == 0) Revoke();
  });
  BobMoves();
  world_.Settle();
  EXPECT_GT(edits, 0);
  world_.sink().SetHook(nullptr);
  BobMoves();
  world_.Settle();
  EXPECT_THAT(world_.InSight(alices_), IsEmpty());
}

}  // namespace
}  // namespace nearby::test
