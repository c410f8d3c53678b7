#include "src/cluster/channels.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/cluster_stats.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"
#include "tests/cluster/made_rings.h"

namespace nearby::internal {
namespace {

using test::RingOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr std::int64_t kSettleMs = 1'000;
constexpr std::int64_t kTimeoutMs = 500;
constexpr double kPerSecond = 100;

struct Asked {
  std::string server;
  Channel channel;
  std::uint64_t number = 0;
};

class ChannelsTest : public ::testing::Test {
 protected:
  ChannelsTest() { channels_.SetRing(RingOf({"a"})); }

  Channels::Actions Actions() {
    return {[this](absl::string_view server, Channel channel, std::uint64_t number) {
              asked_.push_back({std::string(server), channel, number});
            },
            [this](absl::string_view server, Channel channel) {
              unsubscribed_.emplace_back(std::string(server), channel);
            },
            [this](Channel channel) { return urgent_.count(channel) > 0; }};
  }

  void Poll() { channels_.Poll(now_); }
  void Pass(std::int64_t ms) {
    now_ = Time{now_.ms + ms};
    Poll();
  }
  // Until it asks, event by event. An event may be a timeout of what has been answered since.
  void PassUntilAsked() {
    while (asked_.empty()) {
      ASSERT_NE(channels_.next_event(), kNever);
      Pass(channels_.next_event().ms - now_.ms);
    }
  }
  std::vector<Asked> Take() { return std::exchange(asked_, {}); }
  // The same, held against the pace: in no second may it be exceeded.
  std::vector<Asked> TakePaced() {
    last_second_.insert(last_second_.end(), asked_.size(), now_);
    while (!last_second_.empty() && last_second_.front().ms <= now_.ms - 1'000) {
      last_second_.pop_front();
    }
    EXPECT_LE(static_cast<double>(last_second_.size()), kPerSecond);
    return Take();
  }
  void Answer(const std::vector<Asked>& asked, const absl::Status& status = absl::OkStatus()) {
    for (const Asked& one : asked) channels_.OnSubscribed(one.number, status, now_);
    Poll();
  }
  void Want(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t i = first; i < last; ++i) channels_.Want(UserId{i});
  }
  // Wanted, and acknowledged.
  void WantLive(std::uint64_t first, std::uint64_t last) {
    Want(first, last);
    Poll();
    while (!asked_.empty()) Answer(Take());
    EXPECT_EQ(stats().channels_live, stats().channels);
    channels_.TakeAnswered();
  }
  ClusterStats stats() const {
    ClusterStats stats;
    channels_.AddTo(&stats);
    return stats;
  }

  Time now_{1'000'000};
  std::vector<Asked> asked_;
  std::vector<std::pair<std::string, Channel>> unsubscribed_;
  std::set<Channel> urgent_;
  std::deque<Time> last_second_;
  Channels channels_{{kPerSecond, 50, kTimeoutMs, kSettleMs},
                     Backoff(absl::Milliseconds(100), absl::Milliseconds(1'000), 1),
                     Actions()};
};

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

TEST_F(ChannelsTest, AMovedChannelIsHeardAtBothUntilTheNewOneHasSettled) {
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

TEST_F(ChannelsTest, AMovedChannelThatComesBackIsNotLost) {
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

TEST_F(ChannelsTest, WhatComesBackIsStillHeardThereAndNotForgotten) {
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

TEST_F(ChannelsTest, WhatComesBackAndGoesAgainIsHeardThereUntilTheNewOneHasSettled) {
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

TEST_F(ChannelsTest, AChangeOfTheRingIsPacedAndMovesOnlyWhatItMust) {
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

TEST_F(ChannelsTest, AnUnwantedChannelIsUnsubscribedAtBothOwners) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  Answer(Take());
  channels_.Unwant(kAlice);
  EXPECT_THAT(unsubscribed_, SizeIs(2));
  Pass(10 * kSettleMs);
  EXPECT_THAT(unsubscribed_, SizeIs(2));
}

TEST_F(ChannelsTest, AFormerOwnerMayDieMeanwhile) {
  WantLive(1, 2);
  channels_.SetRing(RingOf({"b"}));
  Poll();
  channels_.OnLinkLost("a");
  Answer(Take());
  EXPECT_TRUE(channels_.IsLive(kAlice));
  Pass(10 * kSettleMs);
  EXPECT_THAT(unsubscribed_, IsEmpty()) << "nothing was subscribed to there any more";
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

TEST_F(ChannelsTest, ServersOfFormerRingsAreForgotten) {
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
