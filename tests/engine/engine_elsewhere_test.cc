// An engine of a node among others (EngineOptions::spans_nodes): users elsewhere, who are one more
// shard to it. And Engine::Recheck and IsSeen, which nodes need most.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "tests/engine/engine_fixture.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using Kind = PeerMessage::Kind;

constexpr Friendship kBothHide{/*friends=*/true, /*i_hide=*/true, /*friend_hides=*/true};

class ElsewhereTest : public EngineTest {
 protected:
  ElsewhereTest() { Restart(Options()); }

  static EngineOptions Options() {
    EngineOptions options;
    options.spans_nodes = true;
    return options;
  }
  // Of two shards, this one is the first; Carol alone is at home on the other.
  static EngineOptions FirstOfTwo() {
    EngineOptions options = Options();
    options.shard_count = 2;
    options.home_shard = [](UserId user) { return ShardId{user == kCarol ? 1u : 0u}; };
    return options;
  }

  void Restart(const EngineOptions& options) {
    elsewhere_ = options.elsewhere();
    EngineTest::Restart(options);
  }

  ShardId elsewhere() const { return elsewhere_; }

  static PeerMessage About(UserId user, Kind kind, ShardId from) {
    PeerMessage message;
    message.kind = kind;
    message.user = user;
    message.from = from;
    message.to = ShardId{0};
    return message;
  }
  PeerMessage Announcement(UserId user, UserId friend_id, std::uint64_t version = 2) const {
    PeerMessage message = About(user, Kind::kAnnounce, elsewhere());
    message.friend_id = friend_id;
    message.friendship = Friends();
    message.version = Version(version);
    return message;
  }
  PeerMessage Here(UserId user, LatLng location, ShardId from) const {
    PeerMessage message = About(user, Kind::kHere, from);
    message.position = Position::FromLatLng(location);
    message.accepted_at = kNow;
    message.reported_at = kNow;
    message.sequence = 1;
    return message;
  }

  // What comes of the message alone.
  void Receive(const PeerMessage& message) {
    effects_.Clear();
    engine_->Receive({&message, 1}, &effects_);
    EXPECT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
  }

  // Messages of the kind among the last effects, to elsewhere and to no other shard.
  std::vector<PeerMessage> SentElsewhere(Kind kind) const {
    std::vector<PeerMessage> sent;
    for (const PeerMessage& message : effects_.messages) {
      if (message.kind == kind && message.to == elsewhere()) sent.push_back(message);
    }
    return sent;
  }
  std::vector<UserId> AnnouncedTo() const {
    std::vector<UserId> friends;
    for (const PeerMessage& message : SentElsewhere(Kind::kAnnounce)) {
      friends.push_back(message.friend_id);
    }
    return friends;
  }

  // Alice is here; Bob, at home on this shard, is elsewhere, and in sight of her.
  void MeetElsewhere() {
    alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
    ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
    Receive(Announcement(kBob, kAlice));
    Receive(Here(kBob, kNearby, elsewhere()));
    ASSERT_THAT(effects_.deliveries, SizeIs(1));
    ASSERT_EQ(effects_.deliveries[0].kind, DeliveryKind::kEnter);
    effects_.Clear();
  }

  void ExpectLeave(LeaveReason reason) const {
    ASSERT_THAT(effects_.deliveries, SizeIs(1));
    EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kLeave);
    EXPECT_EQ(effects_.deliveries[0].reason, reason);
    EXPECT_EQ(effects_.deliveries[0].subscriber, kAlice);
  }

 private:
  ShardId elsewhere_{0};
};

// --- options ---

TEST(SpansNodesTest, ElsewhereIsTheShardBehindTheLast) {
  EngineOptions options;
  options.spans_nodes = true;
  options.shard_count = 63;
  EXPECT_EQ(options.elsewhere(), ShardId{63});
  EXPECT_TRUE(options.Validate().ok());
  options.shard_count = 64;
  EXPECT_EQ(options.Validate().code(), absl::StatusCode::kInvalidArgument);
  options.spans_nodes = false;
  EXPECT_TRUE(options.Validate().ok());
}

// --- who is announced elsewhere ---

TEST_F(ElsewhereTest, AListAnnouncesWhoIsNotHere) {
  Connect(kCarol, {});
  alice_ = *engine_->Connect({kAlice, 0, {}}, &effects_);
  effects_.Clear();
  const std::vector<FriendEntry> friends = {
      EntryFor(kBob), EntryFor(kCarol), {UserId{4}, kBothHide}, EntryFor(UserId{5})};
  ASSERT_TRUE(engine_->FriendsLoaded(alice_, Version(7), friends, &effects_).ok());
  EXPECT_THAT(AnnouncedTo(), ElementsAre(kBob, UserId{5}))
      << "Carol is here, and the fourth may not be seen and does not see";
  const PeerMessage announcement = SentElsewhere(Kind::kAnnounce).at(0);
  EXPECT_EQ(announcement.user, kAlice);
  EXPECT_EQ(announcement.friendship, Friends());
  EXPECT_EQ(announcement.version, Version(7));
  EXPECT_EQ(announcement.from, ShardId{0});
}

TEST_F(EngineTest, WithoutOtherNodesNobodyIsAnnouncedElsewhere) {
  alice_ = *engine_->Connect({kAlice, 0, {}}, &effects_);
  effects_.Clear();
  const FriendEntry entry = EntryFor(kBob);
  ASSERT_TRUE(engine_->FriendsLoaded(alice_, Version(7), {&entry, 1}, &effects_).ok());
  EXPECT_TRUE(effects_.messages.empty());
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  EXPECT_TRUE(effects_.messages.empty());
}

TEST_F(ElsewhereTest, AChangeAnnouncesWhoIsNotKnownHere) {
  alice_ = Connect(kAlice, {});
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, Friends(), Version(8)}, &effects_).ok());
  EXPECT_THAT(AnnouncedTo(), ElementsAre(kBob));
}

TEST_F(ElsewhereTest, AnAnnouncementForSomebodyElsewhereGoesOn) {
  Restart(FirstOfTwo());
  PeerMessage announcement = Announcement(kCarol, kAlice);
  announcement.from = ShardId{1};  // where Carol is at home, and is
  Receive(announcement);
  EXPECT_THAT(AnnouncedTo(), ElementsAre(kAlice)) << "she may be on another node";
  announcement.from = elsewhere();
  Receive(announcement);
  EXPECT_TRUE(IsEmpty(effects_)) << "it has been there";
}

// --- users elsewhere (MakeRemote, LinkRemote) ---

TEST_F(ElsewhereTest, WhoIsAnnouncedIsSubscribedToAndSeen) {
  alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
  Report(alice_, kHome);
  Receive(Announcement(kBob, kAlice));
  EXPECT_THAT(SentElsewhere(Kind::kSubscribe), SizeIs(1));
  EXPECT_EQ(SentElsewhere(Kind::kSubscribe).at(0).user, kBob);
  const std::vector<PeerMessage> back = SentElsewhere(Kind::kAnnounceBack);
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_EQ(back[0].user, kAlice);
  EXPECT_EQ(back[0].friend_id, kBob);

  Receive(Here(kBob, kNearby, elsewhere()));
  ASSERT_THAT(effects_.deliveries, SizeIs(1));
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kEnter);
  EXPECT_EQ(effects_.deliveries[0].friend_id, kBob);
  EXPECT_EQ(effects_.deliveries[0].cookie, 71u);
}

TEST_F(ElsewhereTest, WhoIsKnownAlreadyIsNotSubscribedToAgain) {
  MeetElsewhere();
  Receive(Announcement(kBob, kAlice, 3));
  EXPECT_TRUE(SentElsewhere(Kind::kSubscribe).empty());
  EXPECT_THAT(SentElsewhere(Kind::kAnnounceBack), SizeIs(1));
  EXPECT_TRUE(effects_.deliveries.empty());
}

TEST_F(ElsewhereTest, WhoMayNotBeSeenIsNotSubscribedTo) {
  alice_ = Connect(kAlice, {EntryFor(kBob)});
  PeerMessage announcement = Announcement(kBob, kAlice);
  announcement.friendship.i_hide = true;  // Bob from Alice
  Receive(announcement);
  EXPECT_TRUE(SentElsewhere(Kind::kSubscribe).empty());
  EXPECT_THAT(SentElsewhere(Kind::kAnnounceBack), SizeIs(1)) << "he may see her";
  EXPECT_FALSE(engine_->InSight(alice_, kBob).has_value());
}

TEST_F(ElsewhereTest, AClientHereIsNotElsewhere) {
  Meet();
  Receive(Announcement(kBob, kAlice));
  EXPECT_TRUE(SentElsewhere(Kind::kSubscribe).empty()) << "late word of another node's";
  EXPECT_TRUE(effects_.deliveries.empty());
  EXPECT_TRUE(engine_->InSight(alice_, kBob).has_value());
  EXPECT_EQ(engine_->stats().links_refused, 0u);
}

TEST_F(ElsewhereTest, AFullShardRefusesWhoIsElsewhere) {
  EngineOptions options = Options();
  options.max_entities = 1;
  Restart(options);
  alice_ = Connect(kAlice, {EntryFor(kBob)});
  Receive(Announcement(kBob, kAlice));
  EXPECT_TRUE(SentElsewhere(Kind::kSubscribe).empty());
  EXPECT_EQ(engine_->stats().links_refused, 1u);
  Receive(Here(kBob, kNearby, elsewhere()));
  EXPECT_TRUE(effects_.deliveries.empty());
}

TEST_F(ElsewhereTest, WhoMovesFromAnotherShardToAnotherNodeIsFollowed) {
  Restart(FirstOfTwo());
  alice_ = Connect(kAlice, {EntryFor(kCarol)});
  Report(alice_, kHome);
  PeerMessage announcement = Announcement(kCarol, kAlice);
  announcement.from = ShardId{1};
  Receive(announcement);
  Receive(Here(kCarol, kNearby, ShardId{1}));
  ASSERT_THAT(effects_.deliveries, SizeIs(1));

  // The news that she has left this node is late.
  Receive(Announcement(kCarol, kAlice, 3));
  ExpectLeave(LeaveReason::kOffline);
  EXPECT_THAT(SentElsewhere(Kind::kSubscribe), SizeIs(1));
  Receive(About(kCarol, Kind::kOffline, ShardId{1}));
  EXPECT_TRUE(IsEmpty(effects_)) << "she is somebody else's";
  Receive(Here(kCarol, kNearby, elsewhere()));
  ASSERT_THAT(effects_.deliveries, SizeIs(1));
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kEnter);
}

TEST_F(ElsewhereTest, WhoConnectsHereIsElsewhereNoMore) {
  MeetElsewhere();
  bob_ = *engine_->Connect({kBob, 72, {}}, &effects_);
  ExpectLeave(LeaveReason::kOffline);
  EXPECT_THAT(SentElsewhere(Kind::kUnsubscribe), SizeIs(1));
  effects_.Clear();
  const FriendEntry entry = EntryFor(kAlice);
  ASSERT_TRUE(engine_->FriendsLoaded(bob_, Version(3), {&entry, 1}, &effects_).ok());
  Report(bob_, kNearby);
  EXPECT_TRUE(engine_->InSight(alice_, kBob).has_value());
}

TEST_F(EngineTest, WithoutOtherNodesNothingComesFromElsewhere) {
  alice_ = Connect(kAlice, {EntryFor(kBob)});
  PeerMessage announcement;
  announcement.kind = Kind::kAnnounce;
  announcement.user = kBob;
  announcement.friend_id = kAlice;
  announcement.friendship = Friends();
  announcement.version = Version(2);
  announcement.from = ShardId{1};
  engine_->Receive({&announcement, 1}, &effects_);
  EXPECT_TRUE(IsEmpty(effects_));
  EXPECT_EQ(engine_->stats().messages_dropped, 1u);
}

// --- who leaves (AnnounceFriendsOf) ---

TEST_F(ElsewhereTest, WhoReliedOnSomebodyElsewhereAsksAnew) {
  MeetElsewhere();
  Receive(About(kBob, Kind::kOffline, elsewhere()));
  ExpectLeave(LeaveReason::kOffline);
  const std::vector<PeerMessage> announced = SentElsewhere(Kind::kAnnounce);
  ASSERT_THAT(announced, SizeIs(1));
  EXPECT_EQ(announced[0].user, kAlice);
  EXPECT_EQ(announced[0].friend_id, kBob);
  EXPECT_EQ(announced[0].version, FriendVersion{})
      << "of no list: the other side is to load its own";
  EXPECT_EQ(announced[0].friendship, kBothHide) << "and to show nobody for it";
  Receive(About(kBob, Kind::kOffline, elsewhere()));
  EXPECT_TRUE(IsEmpty(effects_));
}

TEST_F(ElsewhereTest, SoDoesWhoReliedOnAClientHere) {
  Meet();
  ASSERT_TRUE(engine_->Disconnect(bob_, &effects_).ok());
  ExpectLeave(LeaveReason::kOffline);
  EXPECT_THAT(AnnouncedTo(), ElementsAre(kBob));
  EXPECT_EQ(SentElsewhere(Kind::kAnnounce).at(0).user, kAlice);
}

TEST_F(ElsewhereTest, UsersOfOtherShardsAreAnnouncedAndThoseElsewhereAreNot) {
  Restart(FirstOfTwo());
  alice_ = Connect(kAlice, {EntryFor(kBob), EntryFor(kCarol)});
  Receive(Announcement(kBob, kAlice));
  PeerMessage announcement = Announcement(kCarol, kAlice);
  announcement.from = ShardId{1};
  Receive(announcement);
  effects_.Clear();
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  const std::vector<PeerMessage> announced = SentElsewhere(Kind::kAnnounce);
  ASSERT_THAT(announced, SizeIs(1));
  EXPECT_EQ(announced[0].user, kCarol) << "her shard need not know that Alice has gone";
  EXPECT_EQ(announced[0].friend_id, kAlice);
}

TEST_F(ElsewhereTest, AnAnnouncementOfNoListShowsNobodyAndHasTheListLoaded) {
  alice_ = Connect(kAlice, {EntryFor(kBob)});
  PeerMessage announcement = Announcement(kBob, kAlice, 0);
  announcement.friendship = kBothHide;
  Receive(announcement);
  EXPECT_TRUE(effects_.messages.empty());
  ASSERT_THAT(effects_.friend_requests, SizeIs(1));
  EXPECT_EQ(effects_.friend_requests[0].user, kAlice);
}

// --- IsSeen ---

TEST_F(ElsewhereTest, IsSeenSaysWhetherAnyClientSeesTheUser) {
  EXPECT_FALSE(engine_->IsSeen(kBob)) << "nobody knows him";
  alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
  Report(alice_, kHome);
  Receive(Announcement(kBob, kAlice));
  EXPECT_FALSE(engine_->IsSeen(kBob)) << "nobody knows where he is";
  Receive(Here(kBob, kNearby, elsewhere()));
  EXPECT_TRUE(engine_->IsSeen(kBob));
  EXPECT_FALSE(engine_->IsSeen(kAlice)) << "whether Bob sees her is known elsewhere";
  ASSERT_TRUE(engine_->SetRadius(alice_, 10, &effects_).ok());
  EXPECT_FALSE(engine_->IsSeen(kBob)) << "too far away";
  ASSERT_TRUE(engine_->SetRadius(alice_, 1000, &effects_).ok());
  EXPECT_TRUE(engine_->IsSeen(kBob));
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  EXPECT_FALSE(engine_->IsSeen(kBob));
}

TEST_F(EngineTest, IsSeenKnowsClientsToo) {
  Meet();
  EXPECT_TRUE(engine_->IsSeen(kAlice));
  EXPECT_TRUE(engine_->IsSeen(kBob));
  EXPECT_FALSE(engine_->IsSeen(kCarol));
  ASSERT_EQ(engine_->Advance(Time{kNow.ms + 3'600'000}, &effects_), absl::OkStatus());
  EXPECT_FALSE(engine_->IsSeen(kAlice)) << "expired";
}

// --- Recheck ---

class RecheckTest : public ElsewhereTest {
 protected:
  absl::Status Recheck(ClientHandle client, std::uint64_t version,
                       const std::vector<FriendEntry>& friends) {
    effects_.Clear();
    return engine_->Recheck(client, Version(version), friends, &effects_);
  }
};

TEST_F(RecheckTest, TakesAwayWhatTheListDoesNotBearOut) {
  Meet();
  ASSERT_EQ(Recheck(alice_, 9, {}), absl::OkStatus());
  ASSERT_THAT(effects_.deliveries, SizeIs(2)) << "of both";
  for (const Delivery& leave : effects_.deliveries) {
    EXPECT_EQ(leave.kind, DeliveryKind::kLeave);
    EXPECT_EQ(leave.reason, LeaveReason::kUnfriended);
  }
  EXPECT_EQ(engine_->stats().lists_rechecked, 1u);
  // As a change of that version: an older list undoes nothing of it.
  effects_.Clear();
  const FriendEntry entry = EntryFor(kAlice);
  ASSERT_TRUE(engine_->FriendsLoaded(bob_, Version(8), {&entry, 1}, &effects_).ok());
  EXPECT_FALSE(engine_->InSight(alice_, kBob).has_value());
}

TEST_F(RecheckTest, TakesAwayOneDirectionAlone) {
  MeetElsewhere();
  Friendship hidden = Friends();
  hidden.friend_hides = true;
  ASSERT_EQ(Recheck(alice_, 9, {{kBob, hidden}}), absl::OkStatus());
  ExpectLeave(LeaveReason::kHidden);
  EXPECT_TRUE(effects_.friend_requests.empty());
}

TEST_F(RecheckTest, ChangesNothingThatTheListBearsOut) {
  Meet();
  ASSERT_EQ(Recheck(alice_, 9, {EntryFor(kBob), EntryFor(kCarol)}), absl::OkStatus());
  EXPECT_TRUE(IsEmpty(effects_)) << "Carol, who is new, waits for the next connect of either";
}

TEST_F(RecheckTest, GivesBackADirectionOfAPairThatIsKnown) {
  alice_ = Connect(kAlice, {EntryFor(kBob)});
  bob_ = Connect(kBob, {EntryFor(kAlice)});
  Friendship hidden = Friends();
  hidden.friend_hides = true;
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, hidden, Version(5)}, &effects_).ok());
  Report(alice_, kHome);
  Report(bob_, kNearby);
  ASSERT_FALSE(engine_->InSight(alice_, kBob).has_value());
  ASSERT_EQ(Recheck(alice_, 9, {EntryFor(kBob)}), absl::OkStatus());
  EXPECT_TRUE(engine_->InSight(alice_, kBob).has_value());
}

TEST_F(RecheckTest, ANewerChangeStands) {
  Meet();
  Friendship hidden = Friends();
  hidden.friend_hides = true;
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, hidden, Version(20)}, &effects_).ok());
  ASSERT_EQ(Recheck(alice_, 9, {EntryFor(kBob)}), absl::OkStatus());
  EXPECT_TRUE(IsEmpty(effects_));
  EXPECT_FALSE(engine_->InSight(alice_, kBob).has_value());
}

TEST_F(RecheckTest, OfAnIdListedTwiceTheLastEntryCounts) {
  Meet();
  ASSERT_EQ(Recheck(alice_, 9, {{kBob, kBothHide}, EntryFor(kBob)}), absl::OkStatus());
  EXPECT_TRUE(IsEmpty(effects_));
}

TEST_F(RecheckTest, RefusesWhatFriendsLoadedRefuses) {
  EngineOptions options = Options();
  options.max_friends = 1;
  Restart(options);
  ExpectRefused(Recheck({}, 1, {}), absl::StatusCode::kNotFound, "session");
  alice_ = *engine_->Connect({kAlice, 71, {}}, &effects_);
  ExpectRefused(Recheck(alice_, 5, {}), absl::StatusCode::kFailedPrecondition,
                "have not been loaded");
  const FriendEntry entry = EntryFor(kBob);
  ASSERT_TRUE(engine_->FriendsLoaded(alice_, Version(5), {&entry, 1}, &effects_).ok());
  ExpectRefused(Recheck(alice_, 4, {}), absl::StatusCode::kFailedPrecondition, "older than 5");
  ExpectRefused(Recheck(alice_, 5, {EntryFor(kAlice)}), absl::StatusCode::kInvalidArgument,
                "own friend list");
  ExpectRefused(Recheck(alice_, 5, {EntryFor(kBob), EntryFor(kCarol)}),
                absl::StatusCode::kResourceExhausted, "at most 1");
  EXPECT_EQ(engine_->stats().lists_rechecked, 0u);
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  ExpectRefused(Recheck(alice_, 5, {}), absl::StatusCode::kNotFound, "session");
}

}  // namespace
}  // namespace nearby::test
