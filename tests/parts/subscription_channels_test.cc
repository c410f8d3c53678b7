// The channels of the subscription registry: when they are subscribed to, and when they are
// dropped.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/subscription_registry.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SubscriptionRegistry::Options WithDelay(absl::Duration delay) {
  SubscriptionRegistry::Options options;
  options.unsubscribe_delay = delay;
  return options;
}

const Slot kChannel{0};
const Slot kListener{1};

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() : registry_(WithDelay(absl::Seconds(30))) {}

  // As the engine does it: true if the channel must be subscribed to.
  bool Listen(Slot channel, Slot listener) {
    EXPECT_TRUE(registry_.Link(listener, channel, kIMaySee).ok());
    return registry_.FirstIn(channel);
  }
  void StopListening(Slot channel, Slot listener, std::int64_t now_ms) {
    EXPECT_TRUE(registry_.Unlink(listener, channel));
    registry_.MaybeLastOut(channel, Time{now_ms});
  }
  std::vector<std::uint32_t> PopAllIdle(std::int64_t now_ms) {
    std::vector<std::uint32_t> channels;
    Slot channel = kNoSlot;
    while (registry_.PopIdle(Time{now_ms}, &channel)) {
      EXPECT_FALSE(registry_.is_subscribed(channel));
      EXPECT_THAT(registry_.Row(channel), IsEmpty());
      channels.push_back(ToInt(channel));
    }
    return channels;
  }

  SubscriptionRegistry registry_;
};

TEST_F(ChannelTest, OnlyTheFirstListenerIsFirst) {
  EXPECT_FALSE(registry_.is_subscribed(kChannel));
  EXPECT_TRUE(Listen(kChannel, Slot{1}));
  EXPECT_TRUE(registry_.is_subscribed(kChannel));
  EXPECT_FALSE(registry_.is_subscribed(Slot{1}));
  EXPECT_FALSE(Listen(kChannel, Slot{2}));
  StopListening(kChannel, Slot{1}, 0);
  EXPECT_EQ(registry_.next_idle_check(), kNever) << "another listener is left";
  EXPECT_FALSE(Listen(kChannel, Slot{1}));
}

TEST_F(ChannelTest, IdleChannelIsDroppedWhenTheDelayEnds) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 1'000);
  EXPECT_EQ(registry_.next_idle_check(), Time{31'000});
  EXPECT_THAT(PopAllIdle(30'999), IsEmpty());
  EXPECT_TRUE(registry_.is_subscribed(kChannel));
  EXPECT_THAT(PopAllIdle(31'000), ElementsAre(0));
  EXPECT_EQ(registry_.next_idle_check(), kNever);
  EXPECT_TRUE(Listen(kChannel, kListener)) << "it must be subscribed to anew";
}

TEST_F(ChannelTest, ListenerWhoReturnsKeepsTheChannel) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 0);
  EXPECT_FALSE(Listen(kChannel, kListener));
  EXPECT_EQ(registry_.next_idle_check(), kNever);
  EXPECT_THAT(PopAllIdle(1'000'000), IsEmpty());
  EXPECT_TRUE(registry_.is_subscribed(kChannel));
}

TEST_F(ChannelTest, EmptiedAgainStartsTheDelayAgain) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 0);
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 29'999);
  EXPECT_THAT(PopAllIdle(30'000), IsEmpty());
  EXPECT_THAT(PopAllIdle(59'998), IsEmpty());
  EXPECT_THAT(PopAllIdle(59'999), ElementsAre(0));
}

TEST_F(ChannelTest, RefillingCountsEvenIfNobodyAskedForFirstIn) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 0);
  ASSERT_TRUE(registry_.Link(kChannel, kListener, kIMaySee).ok());
  EXPECT_THAT(PopAllIdle(30'000), IsEmpty());
  StopListening(kChannel, kListener, 30'000);
  EXPECT_THAT(PopAllIdle(59'999), IsEmpty());
  EXPECT_THAT(PopAllIdle(60'000), ElementsAre(0));
}

TEST_F(ChannelTest, RefusedLinkDoesNotRefill) {
  SubscriptionRegistry::Options options;
  options.max_row = 1;
  options.unsubscribe_delay = absl::Milliseconds(10);
  SubscriptionRegistry registry(options);
  ASSERT_TRUE(registry.Link(kListener, kChannel, kIMaySee).ok());
  ASSERT_TRUE(registry.FirstIn(kChannel));
  ASSERT_TRUE(registry.Unlink(kListener, kChannel));
  registry.MaybeLastOut(kChannel, Time{0});
  ASSERT_TRUE(registry.Link(kListener, Slot{2}, kIMaySee).ok());
  ASSERT_FALSE(registry.Link(kChannel, kListener, kIMaySee).ok());
  Slot channel = kNoSlot;
  EXPECT_TRUE(registry.PopIdle(Time{10}, &channel));
}

TEST_F(ChannelTest, SayingTwiceThatTheRowIsEmptyDoesNotPutOffTheEnd) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 0);
  registry_.MaybeLastOut(kChannel, Time{20'000});
  EXPECT_THAT(PopAllIdle(30'000), ElementsAre(0));
  EXPECT_EQ(registry_.next_idle_check(), kNever) << "nor is there a second end";
}

TEST_F(ChannelTest, RowThatIsNoChannelNeverBecomesIdle) {
  ASSERT_TRUE(registry_.Link(kChannel, kListener, kIMaySee).ok());
  StopListening(kChannel, kListener, 0);
  EXPECT_EQ(registry_.next_idle_check(), kNever);
  EXPECT_THAT(PopAllIdle(1'000'000), IsEmpty());
}

TEST_F(ChannelTest, ForgottenChannelIsNotSubscribedAndNotIdle) {
  Listen(kChannel, kListener);
  StopListening(kChannel, kListener, 0);
  registry_.ForgetChannel(kChannel);
  EXPECT_FALSE(registry_.is_subscribed(kChannel));
  EXPECT_EQ(registry_.next_idle_check(), kNever);
  registry_.ForgetChannel(kChannel);
  EXPECT_TRUE(Listen(kChannel, kListener));
}

TEST_F(ChannelTest, IdleChannelsComeInOrderOfTheEndOfTheirDelay) {
  for (const std::uint32_t channel : {10u, 11u, 12u, 13u}) Listen(Slot{channel}, kListener);
  StopListening(Slot{12}, kListener, 100);
  StopListening(Slot{11}, kListener, 200);
  StopListening(Slot{13}, kListener, 300);
  StopListening(Slot{10}, kListener, 300);
  EXPECT_THAT(PopAllIdle(30'200), ElementsAre(12, 11));
  EXPECT_THAT(PopAllIdle(40'000), ElementsAre(10, 13));
}

TEST(ChannelDelayTest, NoDelayAndEndlessDelay) {
  for (const absl::Duration delay :
       {absl::ZeroDuration(), -absl::InfiniteDuration(), absl::InfiniteDuration()}) {
    SCOPED_TRACE(absl::FormatDuration(delay));
    SubscriptionRegistry registry(WithDelay(delay));
    ASSERT_TRUE(registry.Link(kListener, kChannel, kIMaySee).ok());
    ASSERT_TRUE(registry.FirstIn(kChannel));
    ASSERT_TRUE(registry.Unlink(kListener, kChannel));
    registry.MaybeLastOut(kChannel, Time{kMaxTimeMs - 1});
    Slot channel = kNoSlot;
    EXPECT_EQ(registry.PopIdle(Time{kMaxTimeMs}, &channel), delay < absl::InfiniteDuration());
  }
}

TEST(ChannelDelayTest, FlappingListenersAgreeWithTheModel) {
  constexpr std::int64_t kDelayMs = 50;
  constexpr std::uint32_t kChannels = 6;
  constexpr std::uint32_t kListeners = 3;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    SubscriptionRegistry registry(WithDelay(absl::Milliseconds(kDelayMs)));
    std::map<Slot, std::set<Slot>> listeners;
    // Subscribed channels and since when each has been empty, if it is.
    std::map<Slot, std::optional<std::int64_t>> subscribed;
    std::int64_t now = 0;
    std::size_t dropped = 0;
    for (int step = 0; step < 20'000; ++step) {
      now += static_cast<std::int64_t>(random() % 12);
      std::set<std::pair<std::int64_t, Slot>> expected;
      for (const auto& [channel, empty_since] : subscribed) {
        if (empty_since.has_value()) expected.emplace(*empty_since + kDelayMs, channel);
      }
      ASSERT_EQ(registry.next_idle_check(),
                expected.empty() ? kNever : Time{expected.begin()->first});
      Slot idle = kNoSlot;
      while (registry.PopIdle(Time{now}, &idle)) {
        ASSERT_FALSE(expected.empty());
        ASSERT_EQ(idle, expected.begin()->second);
        ASSERT_LE(expected.begin()->first, now);
        expected.erase(expected.begin());
        subscribed.erase(idle);
        ++dropped;
      }
      ASSERT_TRUE(expected.empty() || expected.begin()->first > now);

      const Slot channel{static_cast<std::uint32_t>(random() % kChannels)};
      const Slot listener{kChannels + static_cast<std::uint32_t>(random() % kListeners)};
      std::set<Slot>& row = listeners[channel];
      if (row.empty() && random() % 50 == 0) {
        registry.ForgetChannel(channel);
        subscribed.erase(channel);
      } else if (row.erase(listener) > 0) {
        ASSERT_TRUE(registry.Unlink(channel, listener));
        registry.MaybeLastOut(channel, Time{now});
        if (row.empty()) subscribed.at(channel) = now;
      } else if (row.empty() && random() % 10 == 0) {
        // Said again, or of a row that is no channel: it changes nothing.
        registry.MaybeLastOut(channel, Time{now});
      } else if (random() % 3 == 0) {
        ASSERT_TRUE(registry.Link(channel, listener, kFriendMaySee).ok());
        row.insert(listener);
        ASSERT_EQ(registry.FirstIn(channel), subscribed.count(channel) == 0);
        subscribed[channel] = std::nullopt;
      }
      ASSERT_EQ(registry.is_subscribed(channel), subscribed.count(channel) > 0);
      ASSERT_TRUE(registry.CheckInvariants().ok()) << registry.CheckInvariants();
    }
    EXPECT_GT(dropped, 100u) << "the run must see delays end, not only flapping";
  }
}

}  // namespace
}  // namespace nearby
