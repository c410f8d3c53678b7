// Channels that a change of the ring moves from one server to another.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"
#include "nearby/time.h"
#include "tests/cluster/channels_fixture.h"
#include "tests/cluster/made_rings.h"

namespace nearby::internal {
namespace {

using test::RingOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ChannelsRingTest = ChannelsTest;

TEST_F(ChannelsRingTest, AMovedChannelIsHeardAtBothUntilTheNewOneHasSettled) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  EXPECT_FALSE(channels_.IsLive(kAlice));
  const std::vector<Asked> asked = Take();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].server, "b");
  Pass(kTimeoutMs - 1);
  EXPECT_THAT(unsubscribed_, IsEmpty()) << "the new one has not acknowledged";
  // What comes from either is no stray.
  channels_.OnStray("a", kAlice);
  channels_.OnStray("b", kAlice);
  EXPECT_THAT(unsubscribed_, IsEmpty());
  Answer(asked);
  EXPECT_TRUE(channels_.IsLive(kAlice));
  EXPECT_LE(channels_.next_event(), Time{now_.ms + kSettleMs});
  Pass(kSettleMs - 1);
  EXPECT_THAT(unsubscribed_, IsEmpty());
  Pass(1);
  EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("a"), Channel(kAlice))));
  channels_.OnStray("a", kAlice);
  EXPECT_THAT(unsubscribed_, SizeIs(2)) << "it is one now";
}

TEST_F(ChannelsRingTest, AMovedChannelThatComesBackIsNotLost) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  Answer(Take());
  channels_.SetRing(RingOf({"a"}));
  Poll();
  Pass(100);
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(kAlice));
  Pass(kSettleMs);
  Pass(kSettleMs);
  EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("b"), Channel(kAlice))));
}

TEST_F(ChannelsRingTest, WhatComesBackIsStillHeardThereAndNotForgotten) {
  WantLive(1, 401);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  channels_.SetRing(RingOf({"a"}));
  Poll();
  EXPECT_THAT(unsubscribed_, IsEmpty()) << "at the pace it takes seconds to subscribe again";
  for (std::uint64_t i = 1; i < 401; ++i) channels_.Unwant(UserId{i});
  Answer(Take());
  std::set<Channel> left;
  for (const auto& [server, channel] : unsubscribed_) {
    if (server == "a") left.insert(channel);
  }
  EXPECT_THAT(left, SizeIs(400));
}

TEST_F(ChannelsRingTest, WhatComesBackAndGoesAgainIsHeardThereUntilTheNewOneHasSettled) {
  WantLive(1, 401);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  channels_.SetRing(RingOf({"a"}));
  Poll();
  channels_.SetRing(RingOf({"b"}));
  Poll();
  const auto left_a = [this] {
    return std::count_if(unsubscribed_.begin(), unsubscribed_.end(),
                         [](const auto& one) { return one.first == "a"; });
  };
  // Those of which a call was under way for a moment are asked for anew; all are heard there still.
  Answer(Take());
  EXPECT_EQ(left_a(), 0);
  for (int i = 0; i < 600; ++i) {
    Pass(10);
    Answer(Take());
  }
  EXPECT_EQ(stats().channels_live, 400u);
  Pass(kSettleMs);
  EXPECT_EQ(left_a(), 400);
}

TEST_F(ChannelsRingTest, AChangeOfTheRingIsPacedAndMovesOnlyWhatItMust) {
  WantLive(1, 401);
  const RingSource::Ring ring = RingOf({"a", "b"});
  std::size_t moved = 0;
  for (std::uint64_t i = 1; i < 401; ++i) moved += ring->Owner(UserId{i})->server == "b" ? 1 : 0;
  channels_.SetRing(ring);
  std::size_t asked = 0;
  Poll();
  for (int i = 0; i < 1'000; ++i) {
    for (const Asked& one : asked_) EXPECT_EQ(one.server, "b");
    asked += asked_.size();
    Answer(TakePaced());
    // Polls that are late make up for it, and yet for no more than the pace.
    if (asked_.empty()) Pass(i % 20 == 0 ? 150 : 10);
  }
  EXPECT_EQ(asked, moved);
  EXPECT_EQ(stats().channels_live, 400u);
  EXPECT_EQ(stats().channels_to_move, 0u);
  EXPECT_THAT(unsubscribed_, SizeIs(moved));
  for (const auto& [server, channel] : unsubscribed_) EXPECT_EQ(server, "a");
}

TEST_F(ChannelsRingTest, AnUnwantedChannelIsUnsubscribedAtBothOwners) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  Answer(Take());
  channels_.Unwant(kAlice);
  EXPECT_THAT(unsubscribed_, SizeIs(2));
  Pass(10 * kSettleMs);
  EXPECT_THAT(unsubscribed_, SizeIs(2));
}

TEST_F(ChannelsRingTest, AFormerOwnerMayDieMeanwhile) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  channels_.OnLinkLost("a");
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(kAlice));
  Pass(10 * kSettleMs);
  EXPECT_THAT(unsubscribed_, IsEmpty()) << "nothing was subscribed to there any more";
}

TEST_F(ChannelsRingTest, ServersOfFormerRingsAreForgotten) {
  // One partition ring each, so that they are quickly made.
  WantLive(1, 20);
  for (int i = 0; i < 300; ++i) {
    channels_.SetRing(RingOf({"a"}));
    channels_.OnLinkLost("a");
    channels_.SetRing(
        HashRing::Create(RingVersion{2}, {{"seat", 100, "server " + std::to_string(i)}}).value());
    Poll();
  }
  EXPECT_LT(channels_.servers(), 300u);
  channels_.SetRing(RingOf({"a"}));
  for (int i = 0; i < 200 && stats().channels_live < 19; ++i) {
    Pass(50);
    Answer(Take());
  }
  EXPECT_EQ(stats().channels_live, 19u);
}

}  // namespace
}  // namespace nearby::internal
