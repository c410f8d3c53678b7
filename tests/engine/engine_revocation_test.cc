// Whatever takes sight away must hold, however late, old or crowded it arrives; and a shard that
// had to drop something asks again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "nearby/engine.h"
#include "nearby/lockstep.h"

namespace nearby {
namespace {

constexpr LatLng kHere{48.1, 11.6};
constexpr Friendship kFriends{true};
constexpr Friendship kStrangers{};

// A user of the given home, the n-th of them.
UserId UserAt(ShardId shard, std::uint32_t shards, int n) {
  for (std::uint64_t id = 1;; ++id) {
    if (HomeShard(UserId{id}, shards) == shard && n-- == 0) return UserId{id};
  }
}

class Shard {
 public:
  explicit Shard(EngineOptions options = {}) : engine_(Engine::Create(options).value()) {
    EXPECT_TRUE(engine_->Advance(Time{0}, &effects_).ok());
  }

  ClientHandle Connect(UserId user) { return engine_->Connect({user}, &effects_).value(); }
  absl::Status Load(ClientHandle client, std::uint64_t version, std::vector<FriendEntry> friends) {
    return engine_->FriendsLoaded(client, FriendVersion{version}, friends, &effects_);
  }
  absl::Status Apply(UserId a, UserId b, Friendship friendship, std::uint64_t version) {
    return engine_->Apply({a, b, friendship, FriendVersion{version}}, &effects_);
  }
  // What a report of this client makes others hear.
  std::size_t HearersOf(ClientHandle client) {
    effects_.Clear();
    EXPECT_EQ(engine_->Report({client, kHere, Time{0}}, &effects_), ReportOutcome::kAccepted);
    EXPECT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
    std::size_t hearers = 0;
    for (const Delivery& delivery : effects_.deliveries) {
      if (delivery.kind != DeliveryKind::kLeave) ++hearers;
    }
    return hearers;
  }

  Engine& engine() { return *engine_; }
  Effects& effects() { return effects_; }

 private:
  std::unique_ptr<Engine> engine_;
  Effects effects_;
};

constexpr UserId kSam{1};
constexpr UserId kFay{2};

class RevocationTest : public ::testing::TestWithParam<Friendship> {};

// Fay's list is newer than anything of Sam's and does not let Sam see her, but was loaded before
// Sam came, so it left no edge. Sam's stale list makes one.
TEST_P(RevocationTest, HoldsThoughBothListsClaimToCoverIt) {
  const Friendship revoked = GetParam();  // seen from Sam
  Shard shard;
  const ClientHandle fay = shard.Connect(kFay);
  ASSERT_TRUE(shard.Load(fay, 10, {{kSam, revoked.Flipped()}}).ok());
  ClientHandle sam = shard.Connect(kSam);
  ASSERT_TRUE(shard.Load(sam, 5, {{kFay, kFriends}}).ok());
  EXPECT_EQ(shard.HearersOf(sam), 0u);
  sam = shard.Connect(kSam);
  ASSERT_TRUE(shard.Load(sam, 9, {{kFay, revoked}}).ok());
  ASSERT_TRUE(shard.Apply(kSam, kFay, revoked, 9).ok());
  shard.HearersOf(fay);
  for (const Delivery& delivery : shard.effects().deliveries) {
    EXPECT_NE(delivery.subscriber, kSam) << "about " << ToInt(delivery.friend_id);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, RevocationTest,
                         ::testing::Values(kStrangers, Friendship{true, false, true}));

TEST(EngineRevocationTest, OneThatIsOldNewsIsAppliedAndSoIsWhatFollows) {
  Shard shard;
  const ClientHandle sam = shard.Connect(kSam);
  const ClientHandle fay = shard.Connect(kFay);
  ASSERT_TRUE(shard.Load(sam, 10, {{kFay, kFriends}}).ok());
  ASSERT_TRUE(shard.Load(fay, 10, {{kSam, kFriends}}).ok());
  shard.HearersOf(sam);
  EXPECT_EQ(shard.HearersOf(fay), 2u) << "both enter";
  // Both changes were made before the lists were read, and come late, in order.
  ASSERT_TRUE(shard.Apply(kSam, kFay, Friendship{true, false, true}, 5).ok());
  ASSERT_EQ(shard.effects().friend_requests.size(), 2u) << "in case the other never comes";
  EXPECT_EQ(shard.effects().friend_requests[0].client, sam);
  EXPECT_EQ(shard.effects().friend_requests[1].client, fay);
  EXPECT_EQ(shard.HearersOf(fay), 0u) << "hidden, until the change that follows";
  ASSERT_TRUE(shard.Apply(kSam, kFay, kFriends, 6).ok());
  EXPECT_EQ(shard.HearersOf(fay), 1u);
}

// The store made the revocation and could not say so: only the lists tell of it.
TEST_P(RevocationTest, HoldsAgainstALateGrantThoughAnEarlierOneWasInForce) {
  Shard shard;
  ASSERT_TRUE(shard.Apply(kSam, kFay, kFriends, 3).ok());
  const ClientHandle sam = shard.Connect(kSam);
  const ClientHandle fay = shard.Connect(kFay);
  ASSERT_TRUE(shard.Load(sam, 10, {{kFay, GetParam()}}).ok());
  ASSERT_TRUE(shard.Load(fay, 10, {{kSam, GetParam().Flipped()}}).ok());
  shard.HearersOf(sam);
  ASSERT_TRUE(shard.Apply(kSam, kFay, kFriends, 5).ok());
  shard.HearersOf(fay);
  for (const Delivery& delivery : shard.effects().deliveries) {
    EXPECT_NE(delivery.subscriber, kSam) << "about " << ToInt(delivery.friend_id);
  }
}

TEST(EngineRevocationTest, AllOfOneCommitHoldThoughSomeHadToBeForgotten) {
  EngineOptions options;
  options.max_remembered_changes = 2;
  Shard shard(options);
  std::vector<FriendEntry> friends;
  for (std::uint64_t id = 2; id <= 6; ++id) friends.push_back({UserId{id}, kFriends});
  const ClientHandle one = shard.Connect(UserId{1});
  ASSERT_TRUE(shard.Load(one, 5, friends).ok());
  for (std::uint64_t id = 2; id <= 6; ++id) {
    const ClientHandle other = shard.Connect(UserId{id});
    ASSERT_TRUE(shard.Load(other, 5, {{UserId{1}, kFriends}}).ok());
    shard.HearersOf(other);
  }
  EXPECT_EQ(shard.HearersOf(one), 10u);
  for (std::uint64_t id = 2; id <= 6; ++id) {
    shard.Apply(UserId{1}, UserId{id}, kStrangers, 10).IgnoreError();
  }
  EXPECT_EQ(shard.HearersOf(one), 0u);
}

TEST(EngineRevocationTest, OneTooOldToBeJudgedTakesAwayAndSaysSo) {
  EngineOptions options;
  options.max_remembered_changes = 1;
  Shard shard(options);
  const ClientHandle sam = shard.Connect(kSam);
  const ClientHandle fay = shard.Connect(kFay);
  ASSERT_TRUE(shard.Load(sam, 5, {{kFay, kFriends}}).ok());
  ASSERT_TRUE(shard.Load(fay, 5, {{kSam, kFriends}}).ok());
  shard.HearersOf(sam);
  EXPECT_EQ(shard.HearersOf(fay), 2u);
  ASSERT_TRUE(shard.Apply(UserId{7}, UserId{8}, kFriends, 20).ok());
  ASSERT_TRUE(shard.Apply(UserId{7}, UserId{9}, kFriends, 21).ok());
  shard.effects().Clear();
  EXPECT_EQ(shard.Apply(kSam, kFay, kStrangers, 10).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(shard.effects().friend_requests.size(), 2u);
  EXPECT_EQ(shard.HearersOf(fay), 0u);
  EXPECT_EQ(shard.Apply(kSam, kFay, kFriends, 11).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(shard.HearersOf(fay), 0u) << "what cannot be judged grants nothing";
}

TEST(EngineRevocationTest, APairThatFlapsDoesNotPushOutTheOthers) {
  EngineOptions options;
  options.max_remembered_changes = 3;
  Shard shard(options);
  ASSERT_TRUE(shard.Apply(kSam, kFay, kStrangers, 10).ok());
  for (std::uint64_t version = 11; version < 100; ++version) {
    ASSERT_TRUE(
        shard.Apply(UserId{7}, UserId{8}, version % 2 ? kFriends : kStrangers, version).ok());
  }
  EXPECT_EQ(shard.engine().stats().changes_forgotten, 0u);
  const ClientHandle fay = shard.Connect(kFay);
  ASSERT_TRUE(shard.Load(fay, 10, {}).ok());
  const ClientHandle sam = shard.Connect(kSam);
  ASSERT_TRUE(shard.Load(sam, 5, {{kFay, kFriends}}).ok()) << "stale, and overruled";
  shard.HearersOf(sam);
  EXPECT_EQ(shard.HearersOf(fay), 0u);
}

class PeerTest : public ::testing::Test {
 protected:
  static EngineOptions Options() {
    EngineOptions options;
    options.shard_count = 2;
    return options;
  }
  PeerMessage FromFay(PeerMessage::Kind kind) {
    PeerMessage message;
    message.from = ShardId{1};
    message.to = ShardId{0};
    message.kind = kind;
    message.user = fay_;
    message.friend_id = sam_;
    message.friendship = kFriends;
    message.version = FriendVersion{5};
    message.position = Position::FromLatLng(kHere);
    return message;
  }
  void Receive(const PeerMessage& message) {
    shard_.effects().Clear();
    shard_.engine().Receive({&message, 1}, &shard_.effects());
    EXPECT_TRUE(shard_.engine().CheckInvariants().ok());
  }

  UserId sam_ = UserAt(ShardId{0}, 2, 0);
  UserId fay_ = UserAt(ShardId{1}, 2, 0);
  Shard shard_{Options()};
};

TEST_F(PeerTest, ALocationOfSomebodyUnknownIsUnsubscribedFrom) {
  Receive(FromFay(PeerMessage::Kind::kLocation));
  ASSERT_EQ(shard_.effects().messages.size(), 1u);
  EXPECT_EQ(shard_.effects().messages[0].kind, PeerMessage::Kind::kUnsubscribe);
  EXPECT_EQ(shard_.effects().messages[0].user, fay_);
}

TEST_F(PeerTest, OnlyTheHomeShardSpeaksForAUserAndNotFromTheFuture) {
  const ClientHandle sam = shard_.Connect(sam_);
  ASSERT_TRUE(shard_.Load(sam, 5, {{fay_, kFriends}}).ok());
  shard_.HearersOf(sam);
  Receive(FromFay(PeerMessage::Kind::kAnnounce));
  PeerMessage location = FromFay(PeerMessage::Kind::kLocation);
  location.user = UserAt(ShardId{0}, 2, 1);
  Receive(location);
  EXPECT_THAT(shard_.effects().deliveries, ::testing::IsEmpty());
  location = FromFay(PeerMessage::Kind::kLocation);
  location.accepted_at = Time{kMaxTimeMs};
  Receive(location);
  EXPECT_THAT(shard_.effects().deliveries, ::testing::IsEmpty());
  Receive(FromFay(PeerMessage::Kind::kLocation));
  EXPECT_EQ(shard_.effects().deliveries.size(), 1u) << "the true one is heard";
}

TEST_F(PeerTest, AnOldChangeThatTheListCoversGrantsNothingAcrossShards) {
  const ClientHandle sam = shard_.Connect(sam_);
  ASSERT_TRUE(shard_.Load(sam, 10, {}).ok());
  shard_.effects().Clear();
  ASSERT_TRUE(shard_.Apply(sam_, fay_, kFriends, 9).ok());
  EXPECT_THAT(shard_.effects().messages, ::testing::IsEmpty());
}

TEST_F(PeerTest, AnAnnouncementThatCannotBeJudgedAsksForTheListAgain) {
  EngineOptions options = Options();
  options.max_remembered_changes = 1;
  Shard shard(options);
  const ClientHandle sam = shard.Connect(sam_);
  ASSERT_TRUE(shard.Load(sam, 5, {{fay_, kFriends}}).ok());
  const UserId other = UserAt(ShardId{0}, 2, 1);
  ASSERT_TRUE(shard.Apply(other, UserAt(ShardId{0}, 2, 2), kFriends, 20).ok());
  ASSERT_TRUE(shard.Apply(other, UserAt(ShardId{0}, 2, 3), kFriends, 21).ok());
  shard.effects().Clear();
  const PeerMessage announce = FromFay(PeerMessage::Kind::kAnnounce);
  shard.engine().Receive({&announce, 1}, &shard.effects());
  ASSERT_EQ(shard.effects().friend_requests.size(), 1u);
  EXPECT_EQ(shard.effects().friend_requests[0].client, sam);
  ASSERT_TRUE(shard.Load(sam, 30, {{fay_, kFriends}}).ok());
  EXPECT_EQ(shard.effects().messages.back().kind, PeerMessage::Kind::kAnnounce);
}

// Sam's list, newer than Fay's, took away what hers still grants.
TEST_F(PeerTest, AnAnnouncementOlderThanTheListGrantsNothingAndAsksForTheListAgain) {
  for (const auto kind : {PeerMessage::Kind::kAnnounce, PeerMessage::Kind::kAnnounceBack}) {
    Shard shard(Options());
    const ClientHandle sam = shard.Connect(sam_);
    ASSERT_TRUE(shard.Load(sam, 6, {}).ok());
    shard.effects().Clear();
    const PeerMessage announce = FromFay(kind);  // version 5
    shard.engine().Receive({&announce, 1}, &shard.effects());
    EXPECT_THAT(shard.effects().messages, ::testing::IsEmpty())
        << "neither subscribed nor answered";
    EXPECT_EQ(shard.engine().stats().messages_dropped, 1u);
    // An answer to an announcement of an older list: the newer one's will come.
    EXPECT_EQ(shard.effects().friend_requests.size(), kind == PeerMessage::Kind::kAnnounce ? 1 : 0);
  }
}

TEST_F(PeerTest, AnAnnouncementOlderThanTheListOfSomebodyKnownAsksForItToo) {
  const ClientHandle sam = shard_.Connect(sam_);
  ASSERT_TRUE(shard_.Load(sam, 6, {{fay_, kFriends}}).ok());
  PeerMessage back = FromFay(PeerMessage::Kind::kAnnounceBack);
  back.version = FriendVersion{6};
  Receive(back);
  ASSERT_EQ(shard_.effects().messages.size(), 1u);
  EXPECT_EQ(shard_.effects().messages[0].kind, PeerMessage::Kind::kSubscribe);
  // Fay's shard may have had an even older list, and have dropped the two for it.
  Receive(FromFay(PeerMessage::Kind::kAnnounce));
  EXPECT_THAT(shard_.effects().messages, ::testing::IsEmpty());
  EXPECT_EQ(shard_.effects().friend_requests.size(), 1u);
}

TEST_F(PeerTest, AChangeNewerThanTheListIsBelievedThoughTheAnnouncementIsOlder) {
  const ClientHandle sam = shard_.Connect(sam_);
  ASSERT_TRUE(shard_.Load(sam, 6, {}).ok());
  ASSERT_TRUE(shard_.Apply(sam_, fay_, kFriends, 7).ok());
  Receive(FromFay(PeerMessage::Kind::kAnnounce));
  ASSERT_EQ(shard_.effects().messages.size(), 2u);
  EXPECT_EQ(shard_.effects().messages[0].kind, PeerMessage::Kind::kSubscribe);
  EXPECT_EQ(shard_.effects().messages[1].kind, PeerMessage::Kind::kAnnounceBack);
  EXPECT_EQ(shard_.effects().messages[1].version, FriendVersion{7});
  EXPECT_THAT(shard_.effects().friend_requests, ::testing::IsEmpty());
}

}  // namespace
}  // namespace nearby
