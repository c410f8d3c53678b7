#include "src/runtime/outbox.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "tests/runtime/outbox_model.h"

namespace nearby::internal {
namespace {

using test::MakeDelivery;
using test::ModelClient;
using test::Truth;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kNoLimit = 1'000'000;
const UserId kAlice{1};
const UserId kBob{2};
const UserId kCarol{3};

constexpr DeliveryKind kEnter = DeliveryKind::kEnter;
constexpr DeliveryKind kMove = DeliveryKind::kMove;
constexpr DeliveryKind kLeave = DeliveryKind::kLeave;
constexpr DeliveryKind kReset = DeliveryKind::kReset;

std::vector<UserId> Friends(Outbox& outbox) {
  std::vector<UserId> friends;
  for (const ClientEvent& event : outbox.Events()) friends.push_back(event.friend_id);
  return friends;
}

// An outbox, the client that it is for, and the truth. What the client is told is what the outbox
// holds, or all of the truth where the outbox asks for a resync.
class Client {
 public:
  explicit Client(std::size_t limit) : limit_(limit) {}

  bool Sees(UserId friend_id) const { return truth_.Sees(friend_id); }

  void Deliver(DeliveryKind kind, UserId friend_id) {
    const Delivery delivery = MakeDelivery(kind, friend_id, ++stamp_);
    truth_.Apply(delivery);
    outbox_.Add(delivery, limit_);
    EXPECT_LE(outbox_.size(), limit_);
  }

  void TakeBatch() {
    if (outbox_.start() == BatchStart::kResync) {
      std::vector<ClientEvent> everybody;
      for (const auto& [friend_id, newest] : truth_.in_sight()) {
        everybody.push_back({friend_id, newest.time, newest.reported_at, newest.position,
                             newest.distance_mm, kEnter, LeaveReason::kNone});
      }
      client_.Apply(BatchStart::kResync, everybody);
    } else if (!outbox_.empty()) {
      const auto events = outbox_.Events();
      EXPECT_EQ(events.size(), outbox_.size());
      client_.Apply(outbox_.start(), events);
    } else {
      EXPECT_THAT(outbox_.Events(), IsEmpty());
    }
    outbox_.Clear();
    EXPECT_TRUE(outbox_.empty());
    EXPECT_EQ(outbox_.size(), 0u);
    EXPECT_TRUE(client_.makes_sense());
    EXPECT_TRUE(client_.Believes(truth_));
  }

 private:
  std::size_t limit_;
  Outbox outbox_;
  ModelClient client_;
  Truth truth_;
  std::int64_t stamp_ = 0;
};

// --- one rule at a time ---

TEST(OutboxTest, IsEmptyAtFirst) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.start(), BatchStart::kGoesOn);
  EXPECT_THAT(outbox.Events(), IsEmpty());
}

TEST(OutboxTest, AnEnterKeepsWhatTheClientMayKnow) {
  Outbox outbox;
  const Delivery enter = MakeDelivery(kEnter, kAlice, 5);
  EXPECT_EQ(outbox.Add(enter, kNoLimit), Outbox::Added::kWaits);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  const ClientEvent event = outbox.Events()[0];
  EXPECT_EQ(event.friend_id, kAlice);
  EXPECT_EQ(event.time, enter.time);
  EXPECT_EQ(event.reported_at, enter.reported_at);
  EXPECT_EQ(event.position, enter.position);
  EXPECT_EQ(event.distance_mm, enter.distance_mm);
  EXPECT_EQ(event.reason, LeaveReason::kNone);
}

TEST(OutboxTest, ALeaveTellsNeitherDistanceNorWhoHidOrUnfriended) {
  for (const LeaveReason reason : {LeaveReason::kHidden, LeaveReason::kUnfriended}) {
    Outbox outbox;
    Delivery leave = MakeDelivery(kLeave, kAlice, 5);
    leave.reason = reason;
    outbox.Add(leave, kNoLimit);
    ASSERT_THAT(outbox.Events(), SizeIs(1));
    EXPECT_EQ(outbox.Events()[0].reason, LeaveReason::kOffline);
    EXPECT_EQ(outbox.Events()[0].distance_mm, 0);
    EXPECT_FALSE(outbox.Events()[0].position.is_somewhere());
  }
}

TEST(OutboxTest, AMoveAfterAnUntoldEnterIsANewerEnter) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kEnter, kAlice, 1), kNoLimit);
  EXPECT_EQ(outbox.Add(MakeDelivery(kMove, kAlice, 2), kNoLimit), Outbox::Added::kMerged);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  EXPECT_EQ(outbox.Events()[0].kind, kEnter);
  EXPECT_EQ(outbox.Events()[0].time, Time{2});
  EXPECT_EQ(outbox.Events()[0].distance_mm, 4);
}

TEST(OutboxTest, ALeaveCancelsAnUntoldEnter) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kEnter, kAlice, 1), kNoLimit);
  EXPECT_EQ(outbox.Add(MakeDelivery(kLeave, kAlice, 2), kNoLimit), Outbox::Added::kCancelled);
  EXPECT_TRUE(outbox.empty());
  EXPECT_THAT(outbox.Events(), IsEmpty());
}

TEST(OutboxTest, AnEnterAfterAnUntoldLeaveIsAMove) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kLeave, kAlice, 1), kNoLimit);
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kAlice, 2), kNoLimit), Outbox::Added::kMerged);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  EXPECT_EQ(outbox.Events()[0].kind, kMove);
  EXPECT_EQ(outbox.Events()[0].reason, LeaveReason::kNone);
  EXPECT_TRUE(outbox.Events()[0].position.is_somewhere());
}

TEST(OutboxTest, AnUntoldMoveGivesWayToALeave) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kMove, kAlice, 1), kNoLimit);
  EXPECT_EQ(outbox.Add(MakeDelivery(kLeave, kAlice, 2), kNoLimit), Outbox::Added::kMerged);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  EXPECT_EQ(outbox.Events()[0].kind, kLeave);
  EXPECT_FALSE(outbox.Events()[0].position.is_somewhere());
}

TEST(OutboxTest, AFriendWhoFlickersUntoldEntersInTheEnd) {
  Outbox outbox;
  for (int i = 0; i < 3; ++i) {
    outbox.Add(MakeDelivery(kEnter, kAlice, 10 + i), kNoLimit);
    outbox.Add(MakeDelivery(kLeave, kAlice, 20 + i), kNoLimit);
  }
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kAlice, 30), kNoLimit), Outbox::Added::kWaits);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  EXPECT_EQ(outbox.Events()[0].kind, kEnter);
}

TEST(OutboxTest, EventsComeInTheOrderInWhichTheirFriendsFirstHadOne) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kMove, kCarol, 1), kNoLimit);
  outbox.Add(MakeDelivery(kMove, kAlice, 2), kNoLimit);
  outbox.Add(MakeDelivery(kMove, kBob, 3), kNoLimit);
  outbox.Add(MakeDelivery(kMove, kCarol, 4), kNoLimit);
  EXPECT_THAT(Friends(outbox), ElementsAre(kCarol, kAlice, kBob));
}

TEST(OutboxTest, AResetMakesAllThatWaitsVoid) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kEnter, kAlice, 1), kNoLimit);
  outbox.Add(MakeDelivery(kReset, kAlice, 2), kNoLimit);
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.size(), 0u);
  EXPECT_EQ(outbox.start(), BatchStart::kReset);
  outbox.Add(MakeDelivery(kEnter, kAlice, 3), kNoLimit);
  EXPECT_EQ(outbox.start(), BatchStart::kReset);
  ASSERT_THAT(outbox.Events(), SizeIs(1));
  EXPECT_EQ(outbox.Events()[0].kind, kEnter);
}

TEST(OutboxTest, PastTheLimitNothingIsKeptButTheNeedForAResync) {
  Outbox outbox;
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kAlice, 1), 2), Outbox::Added::kWaits);
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kBob, 2), 2), Outbox::Added::kWaits);
  EXPECT_EQ(outbox.Add(MakeDelivery(kMove, kBob, 3), 2), Outbox::Added::kMerged);
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kCarol, 4), 2), Outbox::Added::kOverflow);
  EXPECT_EQ(outbox.start(), BatchStart::kResync);
  EXPECT_EQ(outbox.size(), 0u);
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.Add(MakeDelivery(kMove, kAlice, 5), 2), Outbox::Added::kCovered);
  EXPECT_THAT(outbox.Events(), IsEmpty());
}

TEST(OutboxTest, AResetTakesThePlaceOfAResync) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kEnter, kAlice, 1), 1);
  outbox.Add(MakeDelivery(kEnter, kBob, 2), 1);
  ASSERT_EQ(outbox.start(), BatchStart::kResync);
  outbox.Add(MakeDelivery(kReset, kAlice, 3), 1);
  EXPECT_EQ(outbox.start(), BatchStart::kReset);
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kBob, 4), 1), Outbox::Added::kWaits);
  EXPECT_EQ(outbox.Add(MakeDelivery(kEnter, kAlice, 5), 1), Outbox::Added::kOverflow);
  EXPECT_EQ(outbox.start(), BatchStart::kResync);
}

TEST(OutboxTest, FindsItsEntriesBeyondTheSizeAtWhichItBeginsToIndexThem) {
  // Every size around the change, with every entry touched once more: from the list, the index as
  // it is made, and the index as it grows.
  for (std::uint64_t size = 1; size <= 40; ++size) {
    Outbox outbox;
    for (std::uint64_t i = 0; i < size; ++i) {
      ASSERT_EQ(outbox.Add(MakeDelivery(kEnter, UserId{i}, 1), kNoLimit), Outbox::Added::kWaits);
    }
    for (std::uint64_t i = 0; i < size; ++i) {
      ASSERT_EQ(outbox.Add(MakeDelivery(kMove, UserId{i}, 2), kNoLimit), Outbox::Added::kMerged);
    }
    EXPECT_EQ(outbox.size(), size);
    for (std::uint64_t i = 0; i < size; i += 2) {
      ASSERT_EQ(outbox.Add(MakeDelivery(kLeave, UserId{i}, 3), kNoLimit),
                Outbox::Added::kCancelled);
    }
    EXPECT_EQ(outbox.size(), size / 2);
  }
}

TEST(OutboxTest, ClearedItIsAsGoodAsNew) {
  Outbox outbox;
  for (std::uint64_t i = 0; i < 40; ++i) {
    outbox.Add(MakeDelivery(kLeave, UserId{i}, 1), kNoLimit);
  }
  outbox.Clear();
  EXPECT_TRUE(outbox.empty());
  // With the old entries still in an index, these would be merged with leaves.
  for (std::uint64_t i = 0; i < 40; ++i) {
    ASSERT_EQ(outbox.Add(MakeDelivery(kEnter, UserId{i}, 2), kNoLimit), Outbox::Added::kWaits);
  }
  for (const ClientEvent& event : outbox.Events()) EXPECT_EQ(event.kind, kEnter);
}

TEST(OutboxTest, AResyncIsOverOnceItHasBeenTaken) {
  Outbox outbox;
  outbox.Add(MakeDelivery(kEnter, kAlice, 1), 1);
  outbox.Add(MakeDelivery(kEnter, kBob, 2), 1);
  outbox.Clear();
  EXPECT_EQ(outbox.start(), BatchStart::kGoesOn);
  EXPECT_EQ(outbox.Add(MakeDelivery(kMove, kBob, 3), 1), Outbox::Added::kWaits);
}

// --- whatever happens, the client ends up believing what is true ---

// What may happen next: to each of two friends what makes sense for one who is in sight or not, a
// reset, and the client taking its batch.
void TryAll(const Client& client, int steps, std::size_t* sequences) {
  {
    Client last = client;
    last.TakeBatch();
    ++*sequences;
  }
  if (steps == 0) return;
  for (const UserId friend_id : {kAlice, kBob}) {
    for (const DeliveryKind kind : {kEnter, kMove, kLeave}) {
      if (client.Sees(friend_id) == (kind == kEnter)) continue;
      Client next = client;
      next.Deliver(kind, friend_id);
      TryAll(next, steps - 1, sequences);
    }
  }
  Client reset = client;
  reset.Deliver(kReset, kAlice);
  TryAll(reset, steps - 1, sequences);
  Client taken = client;
  taken.TakeBatch();
  TryAll(taken, steps - 1, sequences);
}

TEST(OutboxTest, EveryShortSequenceLeavesTheClientWithTheTruth) {
  for (const std::size_t limit : {std::size_t{1}, kNoLimit}) {
    SCOPED_TRACE(absl::StrCat("limit ", limit));
    std::size_t sequences = 0;
    TryAll(Client(limit), 8, &sequences);
    EXPECT_GT(sequences, 100'000u);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(OutboxTest, LongRandomSequencesLeaveTheClientWithTheTruth) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const std::uint64_t friends = 1 + random() % 60;
    const std::uint64_t takes_one_in = 2 + random() % 100;
    Client client(seed % 3 == 0 ? 1 + random() % 30 : kNoLimit);
    for (int step = 0; step < 3'000; ++step) {
      if (random() % takes_one_in == 0) client.TakeBatch();
      if (random() % 400 == 0) client.Deliver(kReset, kAlice);
      const UserId friend_id{random() % friends};
      if (!client.Sees(friend_id)) {
        client.Deliver(kEnter, friend_id);
      } else {
        client.Deliver(random() % 3 == 0 ? kLeave : kMove, friend_id);
      }
    }
    client.TakeBatch();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace nearby::internal
