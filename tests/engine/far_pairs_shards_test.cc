// Far pairs across shards: each shard judges a remote by the positions that it was told and by its
// own clock, and trusts no publisher. What a shard delivers is what a shard that checks every pair
// delivers of the same messages, however late they are and whatever clock wrote them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/engine/seeds.h"
#include "tests/engine/twin_engines.h"

namespace nearby::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// At home on different shards of two.
constexpr UserId kAlice{1};
constexpr UserId kBob{3};
static_assert(HomeShard(kAlice, 2) == ShardId{1} && HomeShard(kBob, 2) == ShardId{0});

constexpr double kApart = 30'000;
constexpr double kJustOutside = 9'000;

class FarPairsShardsTest : public ::testing::Test {
 protected:
  void Begin(const EngineOptions& options = {}) {
    twins_.emplace(options, 2);
    twins_->Join(kAlice, {kBob});
    twins_->Join(kBob, {kAlice});
    twins_->Carry();
    twins_->Report(kAlice, 0);
    twins_->Report(kBob, kApart);
    twins_->Carry();
    for (const UserId user : {kAlice, kBob}) {
      // By now each shard knows that the two are far apart.
      for (int report = 0; report < 2; ++report) twins_->ReportAgain(user);
      EXPECT_TRUE(twins_->was_passed_by()) << "user " << ToInt(user);
      twins_->Carry();
    }
  }

  Twins& twins() { return *twins_; }

  std::optional<Twins> twins_;
};

TEST_F(FarPairsShardsTest, ARemoteThatJumpsIsLookedAtAtOnce) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart);
  EXPECT_THAT(twins().deliveries(), ElementsAre("enter 1 3"));
  twins().Carry();
  EXPECT_THAT(twins().deliveries(), ElementsAre("enter 3 1"));
}

TEST_F(FarPairsShardsTest, AClientLooksAgainAfterARemoteHasJumped) {
  Begin();
  twins().AdvanceBy(5'000);
  twins().Report(kAlice, kApart - kJustOutside);
  twins().Carry();
  EXPECT_THAT(twins().deliveries(), IsEmpty());
  twins().AdvanceBy(50'000);
  twins().Report(kBob, kApart - 1'200);
  EXPECT_THAT(twins().deliveries(), ElementsAre("enter 3 1"));
  twins().Carry();
  EXPECT_THAT(twins().deliveries(), ElementsAre("enter 1 3"));
}

TEST_F(FarPairsShardsTest, ARemoteThatReturnsAfterExpiryIsLookedAtAgain) {
  EngineOptions options;
  options.ttl = absl::Seconds(60);
  for (const bool bob_moves : {false, true}) {
    Begin(options);
    twins().AdvanceBy(50'000);
    twins().ReportAgain(kBob);
    twins().Carry();
    twins().AdvanceBy(50'000);
    twins().ReportAgain(kBob);
    twins().Report(kAlice, bob_moves ? kApart - kJustOutside : kApart);
    twins().Carry();
    if (!bob_moves) {
      EXPECT_THAT(twins().deliveries(), Contains("enter 3 1"));
      continue;
    }
    twins().AdvanceBy(50'000);
    twins().Report(kBob, kApart - 1'200);
    EXPECT_THAT(twins().deliveries(), ElementsAre("enter 3 1"));
  }
}

TEST_F(FarPairsShardsTest, ARemoteThatReconnectsStartsAfresh) {
  for (const bool bob_moves : {false, true}) {
    Begin();
    twins().Disconnect(kAlice);
    twins().Carry();
    twins().Join(kAlice, {kBob});
    twins().Carry();
    twins().Report(kAlice, bob_moves ? kApart - kJustOutside : kApart);
    twins().Carry();
    if (!bob_moves) {
      EXPECT_THAT(twins().deliveries(), Contains("enter 3 1"));
      continue;
    }
    twins().AdvanceBy(50'000);
    twins().Report(kBob, kApart - 1'200);
    EXPECT_THAT(twins().deliveries(), ElementsAre("enter 3 1"));
  }
}

TEST_F(FarPairsShardsTest, ARadiusCountsOnTheShardOfWhoeverSetIt) {
  for (const UserId mover : {kAlice, kBob}) {
    Begin();
    twins().SetRadius(kAlice, kApart - 1'000);
    twins().AdvanceBy(50'000);
    twins().Report(mover, mover == kAlice ? 1'200 : kApart - 1'200);
    twins().Carry();
    if (mover == kBob) {
      EXPECT_THAT(twins().deliveries(), ElementsAre("enter 1 3"));
    }
    EXPECT_EQ(twins().stats().enters, 1u);
  }
}

TEST_F(FarPairsShardsTest, ALateMessageTellsOfAnOldPosition) {
  Begin();
  const std::int64_t start = twins().now_ms();
  twins().ReportAgain(kAlice);
  const std::vector<PeerMessage> late = twins().TakeMessages();
  ASSERT_EQ(late.size(), 1u);
  // When Bob's shard looks at it, Alice has been on her way to him for 440 s: the two may meet in
  // 219 s, not in the 439 s that they were apart.
  twins().AdvanceBy(440'000);
  twins().ReportAgain(kBob);
  twins().Receive(late.front());
  std::vector<std::string> told;
  while (told.empty() && twins().now_ms() < start + 900'000) {
    twins().AdvanceBy(10'000);
    const auto way = static_cast<double>(twins().now_ms() - start);
    twins().Report(kAlice, 0.0249 * way);
    for (const PeerMessage& message : twins().TakeMessages()) twins().Receive(message);
    told = twins().deliveries();
    twins().Report(kBob, kApart - 0.0249 * (way - 440'000));
    twins().TakeMessages();
  }
  EXPECT_THAT(told, ElementsAre("enter 3 1"));
  EXPECT_EQ(twins().now_ms() - start, 670'000);
  EXPECT_EQ(twins().stats().bound_breaks, 0u);
}

TEST_F(FarPairsShardsTest, AClockThatIsAheadMakesNoPositionYoungerThanItIs) {
  // Alice's shard is a minute ahead, as far as it is believed; she and Bob go towards each other.
  Begin();
  const std::int64_t start = twins().now_ms();
  const auto way = [&] { return static_cast<double>(twins().now_ms() - start) * 0.0249; };
  bool entered = false;
  for (int step = 0; step < 100 && !entered; ++step) {
    twins().AdvanceBy(7'000);
    twins().Report(kAlice, way());
    for (PeerMessage message : twins().TakeMessages()) {
      message.accepted_at.ms += 60'000;
      message.reported_at.ms += 60'000;
      twins().Receive(message);
      entered = entered || !twins().deliveries().empty();
    }
    twins().Report(kBob, kApart - way());
    entered = entered || !twins().deliveries().empty();
    twins().TakeMessages();
  }
  EXPECT_TRUE(entered);
  EXPECT_GT(twins().stats().skipped, 20u);
  EXPECT_EQ(twins().stats().messages_dropped, 0u);
}

// A link between the shards that keeps the order, and is late by a time that wanders; the clock of
// the other end wanders as well. Two users drift about each other's boundary, at speeds that are
// just about their bounds, and jump at times.
class BadLink {
 public:
  explicit BadLink(std::uint64_t seed) : random_(seed), twins_(Options(), 2) {
    twins_.Join(kAlice, {kBob});
    twins_.Join(kBob, {kAlice});
    twins_.Carry();
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      twins_.AdvanceBy(OneOf({0, 500, 1'000, 7'000, 8'192, 20'000, OneIn(40) ? 1'500'000 : 3'000}));
      lag_ms_ = OneIn(20) ? OneOf({0, 1'000, 30'000, 120'000}) : lag_ms_;
      ahead_ms_ = OneIn(20) ? OneOf({0, 1'000, 30'000, 60'000, -5'000}) : ahead_ms_;
      for (Mover& mover : movers_) {
        if (!OneIn(3)) Step(mover);
      }
      Deliver();
    }
  }

  EngineStats stats() const { return twins_.stats(); }

 private:
  struct Mover {
    UserId user;
    double at;
    double speed;  // metres a millisecond, to the north
    std::int64_t last_ms = 0;
  };
  struct InFlight {
    PeerMessage message;
    std::int64_t due_ms;
  };

  static EngineOptions Options() {
    EngineOptions options;
    options.ttl = absl::Hours(6);
    return options;
  }
  bool OneIn(std::uint64_t n) { return random_() % n == 0; }
  std::int64_t OneOf(std::vector<std::int64_t> choices) {
    return choices[random_() % choices.size()];
  }

  void Step(Mover& mover) {
    const Mover& other = movers_[mover.user == kAlice ? 1 : 0];
    if (OneIn(15)) {
      constexpr double kSpeeds[] = {0, 0.0029, 0.0249, 0.0699, 0.0699, 0.29};
      mover.speed = kSpeeds[random_() % 6];
      // Mostly towards the other.
      if ((other.at < mover.at) != OneIn(5)) mover.speed = -mover.speed;
    }
    mover.at += mover.speed * static_cast<double>(twins_.now_ms() - mover.last_ms);
    mover.at = std::clamp(mover.at, -200'000.0, 200'000.0);
    if (OneIn(80))
      mover.at = other.at + static_cast<double>(OneOf({-60'000, -9'000, 2'000, 30'000}));
    mover.last_ms = twins_.now_ms();
    twins_.Report(mover.user, mover.at);
    for (PeerMessage& message : twins_.TakeMessages()) {
      message.accepted_at.ms += ahead_ms_;
      message.reported_at.ms += ahead_ms_;
      in_flight_.push_back({message, twins_.now_ms() + lag_ms_});
    }
  }

  void Deliver() {
    while (!in_flight_.empty() && in_flight_.front().due_ms <= twins_.now_ms()) {
      twins_.Receive(in_flight_.front().message);
      in_flight_.pop_front();
    }
  }

  std::mt19937_64 random_;
  Twins twins_;
  std::vector<Mover> movers_ = {{kAlice, 0, 0.0249}, {kBob, 40'000, -0.0249}};
  std::deque<InFlight> in_flight_;
  std::int64_t lag_ms_ = 0;
  std::int64_t ahead_ms_ = 0;
};

TEST(FarPairsBadLinkTest, LateMessagesAndWrongClocksHideNobody) {
  EngineStats stats;
  const std::uint64_t ran = ForSeeds(60, [&](std::uint64_t seed) {
    BadLink link(seed);
    link.Run(400);
    stats += link.stats();
  });
  EXPECT_GT(stats.enters, ran * 5);
  EXPECT_GT(stats.skipped, ran * 100);
  EXPECT_GT(stats.bound_breaks, ran * 10);
}

}  // namespace
}  // namespace nearby::test
