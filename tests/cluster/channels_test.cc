// What is subscribed to, and when: what is wanted, what fails, the pace, and the limits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "tests/cluster/channels_fixture.h"
#include "tests/cluster/made_rings.h"

namespace nearby::internal {
namespace {

using test::RingOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(ChannelsTest, SubscribesOnceToWhatIsWanted) {
  channels_.Want(kAlice);
  channels_.Want(kAlice);
  Poll();
  const std::vector<Asked> asked = Take();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].server, "a");
  EXPECT_EQ(asked[0].channel, Channel(kAlice));
  EXPECT_TRUE(channels_.IsWanted(kAlice));
  EXPECT_FALSE(channels_.IsLive(kAlice));
  EXPECT_THAT(channels_.TakeAnswered(), IsEmpty());
  Answer(asked);
  EXPECT_TRUE(channels_.IsLive(kAlice));
  EXPECT_THAT(channels_.TakeAnswered(), ElementsAre(Channel(kAlice)));
  EXPECT_THAT(channels_.TakeAnswered(), IsEmpty());
  Pass(100'000);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_EQ(channels_.next_event(), kNever);
}

TEST_F(ChannelsTest, UnsubscribesWhatIsWantedNoMore) {
  WantLive(1, 3);
  channels_.Unwant(kAlice);
  channels_.Unwant(kAlice);
  EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("a"), Channel(kAlice))));
  EXPECT_FALSE(channels_.IsWanted(kAlice));
  EXPECT_TRUE(channels_.IsLive(kBob));
  channels_.Unwant(kBob);
  EXPECT_THAT(unsubscribed_, SizeIs(2));
  EXPECT_EQ(stats().channels, 0u);
}

TEST_F(ChannelsTest, WhatIsUnwantedBeforeTheAnswerIsUnsubscribedAfterIt) {
  channels_.Want(kAlice);
  Poll();
  channels_.Unwant(kAlice);
  EXPECT_THAT(unsubscribed_, IsEmpty());
  Answer(Take());
  EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("a"), Channel(kAlice))));
  EXPECT_EQ(stats().channels_live, 0u);
}

TEST_F(ChannelsTest, WantedAgainBeforeTheAnswer) {
  channels_.Want(kAlice);
  Poll();
  const std::vector<Asked> first = Take();
  channels_.Unwant(kAlice);
  channels_.Want(kAlice);
  Poll();
  const std::vector<Asked> second = Take();
  ASSERT_THAT(second, SizeIs(1));
  // Of the first alone, nobody knows whether it was before some unsubscribing or after.
  Answer(first);
  EXPECT_FALSE(channels_.IsLive(kAlice));
  Answer(second);
  EXPECT_TRUE(channels_.IsLive(kAlice));
  EXPECT_THAT(unsubscribed_, IsEmpty());
}

// Nobody is going to publish there, so that it would not be found out as a stray.
TEST_F(ChannelsTest, WhatAnEarlierCallMayHaveSubscribedToIsLeftWithItsOwner) {
  for (const absl::Status& answer : {absl::OkStatus(), absl::DeadlineExceededError("late")}) {
    channels_.Want(kAlice);
    Poll();
    const std::vector<Asked> asked = Take();
    ASSERT_THAT(asked, SizeIs(1));
    channels_.Unwant(kAlice);
    channels_.Want(kAlice);
    channels_.OnSubscribed(asked[0].number, answer, now_);
    EXPECT_THAT(unsubscribed_, IsEmpty()) << "it is wanted there";
    channels_.SetRing(RingOf({"b"}));
    Poll();
    EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("a"), Channel(kAlice))));
    Answer(Take());
    channels_.Unwant(kAlice);
    channels_.SetRing(RingOf({"a"}));
    Poll();
    unsubscribed_.clear();
  }
}

TEST_F(ChannelsTest, WaitsForARing) {
  channels_.SetRing(RingOf({}));
  Poll();
  channels_.Want(kAlice);
  Pass(1'000);
  EXPECT_THAT(asked_, IsEmpty());
  channels_.SetRing(RingOf({"a"}));
  Poll();
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(kAlice));
}

TEST_F(ChannelsTest, HasNoMoreUnderWayThanAllowed) {
  Want(1, 121);
  Poll();
  std::vector<Asked> asked = Take();
  EXPECT_THAT(asked, SizeIs(50));
  Pass(10);
  EXPECT_THAT(asked_, IsEmpty());
  Answer({asked[0]});
  EXPECT_THAT(Take(), SizeIs(1));
}

TEST_F(ChannelsTest, ALostLinkSubscribesAgainAtThePace) {
  WantLive(1, 501);
  channels_.OnLinkLost("a");
  EXPECT_EQ(stats().channels_live, 0u);
  const Time lost_at = now_;
  while (stats().channels_live < 500) {
    ASSERT_LT(now_.ms - lost_at.ms, 10'000);
    Answer(TakePaced());
    if (asked_.empty()) {
      ASSERT_GT(channels_.next_event(), now_);
      ASSERT_NE(channels_.next_event(), kNever);
      Pass(channels_.next_event().ms - now_.ms);
    }
  }
  // And not far below it.
  EXPECT_LE(now_.ms - lost_at.ms, 6'000);
  EXPECT_EQ(stats().resubscribes, 500u);
  EXPECT_EQ(stats().links_lost, 1u);
}

TEST_F(ChannelsTest, NewChannelsDoNotWaitForThoseThatFollowThePace) {
  WantLive(1, 101);
  channels_.OnLinkLost("a");
  Poll();
  Answer(Take());
  channels_.Want(UserId{1'000});
  Poll();
  const std::vector<Asked> asked = Take();
  EXPECT_TRUE(std::any_of(asked.begin(), asked.end(),
                          [](const Asked& one) { return one.channel == Channel(UserId{1'000}); }));
}

TEST_F(ChannelsTest, ThoseInSightComeFirst) {
  WantLive(1, 101);
  for (const std::uint64_t user : {91, 95, 99}) urgent_.insert(UserId{user});
  channels_.OnLinkLost("a");
  Poll();
  const std::vector<Asked> asked = Take();
  ASSERT_GE(asked.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(urgent_.count(asked[i].channel), 1u);
}

TEST_F(ChannelsTest, ALossOfAnotherLinkChangesNothing) {
  WantLive(1, 11);
  channels_.OnLinkLost("b");
  Poll();
  EXPECT_EQ(stats().channels_live, 10u);
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ChannelsTest, AnAnswerFromBeforeTheLossDoesNotCount) {
  channels_.Want(kAlice);
  Poll();
  const std::vector<Asked> before = Take();
  channels_.OnLinkLost("a");
  Pass(100);
  const std::vector<Asked> after = Take();
  ASSERT_THAT(after, SizeIs(1));
  Answer(before);
  EXPECT_FALSE(channels_.IsLive(kAlice));
  Answer(after);
  EXPECT_TRUE(channels_.IsLive(kAlice));
}

TEST_F(ChannelsTest, AServerThatIsDownIsProbedByOne) {
  Want(1, 41);
  Poll();
  Answer(Take(), absl::UnavailableError("down"));
  EXPECT_EQ(stats().subscribe_failures, 40u);
  EXPECT_THAT(channels_.TakeAnswered(), SizeIs(40));
  EXPECT_THAT(asked_, IsEmpty());
  for (int i = 0; i < 4; ++i) {
    const Time failed_at = now_;
    PassUntilAsked();
    EXPECT_GE(now_.ms - failed_at.ms, 1'000) << "it has failed often enough";
    ASSERT_THAT(asked_, SizeIs(1)) << "one at a time";
    Answer(Take(), absl::UnavailableError("down"));
  }
  // One who comes meanwhile waits with the others.
  channels_.Want(UserId{1'000});
  Poll();
  EXPECT_THAT(asked_, IsEmpty());
  PassUntilAsked();
  Answer(Take());
  for (int i = 0; i < 100 && stats().channels_live < 41; ++i) {
    Answer(Take());
    Pass(20);
  }
  EXPECT_EQ(stats().channels_live, 41u);
}

TEST_F(ChannelsTest, WhatIsNotAnsweredInTimeHasFailed) {
  channels_.Want(kAlice);
  Poll();
  const std::vector<Asked> late = Take();
  EXPECT_EQ(channels_.next_event(), Time{now_.ms + kTimeoutMs});
  Pass(kTimeoutMs);
  EXPECT_EQ(stats().subscribe_failures, 1u);
  Answer(late);
  EXPECT_FALSE(channels_.IsLive(kAlice));
  Pass(2'000);
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(kAlice));
}

// A server stands still, and guests come and go all the while.
TEST_F(ChannelsTest, QueuesDoNotOutgrowTheChannels) {
  std::size_t most = 0;
  const auto churn = [&] {
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      const Channel channel(UserId{100 + i % 10});
      channels_.Want(channel);
      if (i % 100 == 0) Pass(1);
      channels_.Unwant(channel);
      most = std::max(most, channels_.queued());
    }
  };
  churn();  // until the calls time out, there is no room
  Answer(Take(), absl::UnavailableError("down"));
  churn();  // and then it is known to be down
  EXPECT_LT(most, 5'000u);
  // Whoever is wanted has not been forgotten.
  Want(1, 4);
  for (int i = 0; i < 200 && stats().channels_live < 3; ++i) {
    Pass(50);
    Answer(Take());
  }
  EXPECT_EQ(stats().channels_live, 3u);
}

TEST_F(ChannelsTest, AnsweredCallsDoNotWaitForTheirTimeout) {
  for (int i = 0; i < 20'000; ++i) {
    channels_.Want(kAlice);
    Poll();
    Answer(Take());
    channels_.Unwant(kAlice);
  }
  EXPECT_LT(channels_.queued(), 5'000u);
}

TEST_F(ChannelsTest, StraysAreUnsubscribed) {
  channels_.OnStray("a", kAlice);
  channels_.OnStray("unheard of", kBob);
  EXPECT_THAT(unsubscribed_, ElementsAre(std::pair(std::string("a"), Channel(kAlice)),
                                         std::pair(std::string("unheard of"), Channel(kBob))));
}

TEST_F(ChannelsTest, AnInboxIsAChannelToo) {
  channels_.Want(Channel::Inbox(NodeId{1}));
  channels_.Want(kAlice);
  Poll();
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(Channel::Inbox(NodeId{1})));
  EXPECT_EQ(stats().channels_live, 2u);
}

}  // namespace
}  // namespace nearby::internal
