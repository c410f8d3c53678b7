// Draining: nobody new, and those who are there move on.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

class RuntimeDrainTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  RuntimeDrainTest() : world_(OptionsFor(GetParam())) {}

  static World::Options OptionsFor(std::uint32_t shards) {
    World::Options options;
    options.runtime.shards = shards;
    options.runtime.drain_clients_per_second = 10.0 * shards;  // 10 for each shard
    options.runtime.max_loads_in_flight = 2;
    return options;
  }

  void Fill(std::uint64_t clients) {
    for (std::uint64_t i = 0; i < clients; ++i) {
      clients_.push_back(world_.Connect(world_.User(i), kHere));
    }
  }
  std::size_t asked() const {
    std::size_t count = 0;
    for (const Client& client : clients_) {
      const std::size_t times = world_.sink().moved_away(client.cookie).size();
      EXPECT_LE(times, 1u) << "asked twice";
      count += times;
    }
    return count;
  }

  World world_;
  std::vector<Client> clients_;
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeDrainTest, ::testing::Values(1, 2, 4));

TEST_P(RuntimeDrainTest, OneThatIsEmptyIsDoneAtOnce) {
  StatusReply done;
  world_.runtime().Drain(done.Done());
  EXPECT_EQ(done.times(), 0);
  world_.Settle();
  EXPECT_TRUE(done.status().ok());
}

TEST_P(RuntimeDrainTest, ClientsAreAskedAtThePaceOfTheOptionsEachOnce) {
  Fill(20 * GetParam());
  StatusReply done;
  world_.runtime().Drain(done.Done());
  world_.Settle();
  EXPECT_LE(asked(), GetParam());
  for (std::size_t tenth = 1; tenth <= 25; ++tenth) {
    world_.Pass(absl::Milliseconds(100));
    EXPECT_GE(asked() + GetParam(), std::min<std::size_t>(tenth, 20) * GetParam());
    EXPECT_LE(asked(), (std::min<std::size_t>(tenth, 20) + 1) * GetParam());
  }
  EXPECT_EQ(asked(), 20 * GetParam());
  EXPECT_EQ(world_.runtime().stats().asked_to_move, 20 * GetParam());
  EXPECT_EQ(done.times(), 0) << "they are still here";
  EXPECT_EQ(world_.runtime().stats().sessions, 20 * GetParam()) << "and served";
}

TEST_P(RuntimeDrainTest, TimeInWhichNobodyPolledIsNotMadeUpForInABurst) {
  Fill(50 * GetParam());
  StatusReply done;
  world_.runtime().Drain(done.Done());
  world_.Settle();
  world_.Pass(absl::Hours(1));
  world_.Pass(absl::Milliseconds(100));
  EXPECT_LE(asked(), 12 * GetParam()) << "the pace of a second, and what the rest allows";
  for (int i = 0; i < 50; ++i) world_.Pass(absl::Milliseconds(100));
  EXPECT_EQ(asked(), 50 * GetParam());
}

TEST_P(RuntimeDrainTest, APollIsAskedForInTimeToKeepThePace) {
  Fill(5 * GetParam());
  world_.runtime().Drain([](const absl::Status&) {});
  EXPECT_LE(world_.runtime().PollAll(), absl::Milliseconds(100));
}

TEST_P(RuntimeDrainTest, ClientsAreAskedToSpreadTheirNextConnect) {
  Fill(50 * GetParam());
  world_.runtime().Drain([](const absl::Status&) {});
  for (int i = 0; i < 60; ++i) world_.Pass(absl::Milliseconds(100));
  absl::Duration least = absl::InfiniteDuration();
  absl::Duration most;
  for (const Client& client : clients_) {
    const std::vector<absl::Duration> after = world_.sink().moved_away(client.cookie);
    ASSERT_THAT(after, SizeIs(1));
    EXPECT_GE(after[0], absl::ZeroDuration());
    EXPECT_LT(after[0], absl::Seconds(5));
    least = std::min(least, after[0]);
    most = std::max(most, after[0]);
  }
  EXPECT_LT(least, absl::Seconds(1));
  EXPECT_GT(most, absl::Seconds(4));
}

TEST_P(RuntimeDrainTest, ConnectsAreRefusedFromTheCallOn) {
  Fill(1);
  const Connecting before = world_.BeginConnect(world_.User(50), kHere);
  world_.runtime().Drain([](const absl::Status&) {});
  const Connecting after = world_.BeginConnect(world_.User(51), kHere);
  EXPECT_EQ(after.reply.code(), absl::StatusCode::kUnavailable);
  world_.Settle();
  EXPECT_TRUE(before.reply.status().ok()) << "it came first";
  EXPECT_EQ(world_.runtime().stats().calls_refused, 1u);
}

TEST_P(RuntimeDrainTest, SessionsThatWereBeingConnectedAreAskedOnceTheyAre) {
  world_.friends().lists().Hold();
  std::vector<Connecting> all;
  for (std::uint64_t i = 0; i < 2 * GetParam(); ++i) {
    all.push_back(world_.BeginConnect(world_.User(i), kHere));
  }
  world_.Settle();
  StatusReply done;
  world_.runtime().Drain(done.Done());
  world_.Pass(absl::Seconds(5));
  EXPECT_EQ(done.times(), 0);
  world_.friends().lists().Resume();
  world_.Settle();
  for (int i = 0; i < 10; ++i) world_.Pass(absl::Milliseconds(100));
  for (const Connecting& one : all) {
    ASSERT_TRUE(one.reply.status().ok());
    EXPECT_THAT(world_.sink().moved_away(one.cookie), SizeIs(1));
    world_.Disconnect(one.client());
  }
  world_.Settle();
  EXPECT_TRUE(done.status().ok());
}

TEST_P(RuntimeDrainTest, ConnectsThatWaitForAPlaceAreRefused) {
  world_.friends().lists().Hold();
  std::vector<Connecting> all;
  for (std::uint64_t i = 0; i < 5; ++i) {
    all.push_back(world_.BeginConnect(world_.User(i * GetParam()), kHere));
  }
  world_.Settle();
  StatusReply done;
  world_.runtime().Drain(done.Done());
  world_.Settle();
  for (std::size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(all[i].reply.code(), absl::StatusCode::kUnavailable);
  }
  world_.friends().lists().Resume();
  world_.Settle();
  for (std::size_t i = 0; i < 2; ++i) world_.Disconnect(all[i].client());
  world_.Settle();
  EXPECT_TRUE(done.status().ok());
  EXPECT_EQ(world_.runtime().stats().queued_calls, 0u);
}

TEST_P(RuntimeDrainTest, ASessionWhoseConnectFailsDoesNotHoldItUp) {
  world_.friends().lists().LoseNext(1);
  const Connecting one = world_.BeginConnect(world_.User(0), kHere);
  world_.Settle();
  StatusReply done;
  world_.runtime().Drain(done.Done());
  world_.Settle();
  EXPECT_EQ(done.times(), 0);
  world_.Pass(absl::Seconds(10));
  EXPECT_EQ(one.reply.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(done.status().ok());
}

TEST_P(RuntimeDrainTest, ItIsDoneOnceWhenTheLastSessionHasGone) {
  Fill(5);
  StatusReply done;
  world_.runtime().Drain(done.Done());
  for (const Client& client : clients_) {
    world_.Settle();
    EXPECT_EQ(done.times(), 0);
    world_.Disconnect(client);
  }
  world_.Settle();
  world_.Pass(absl::Seconds(5));
  EXPECT_TRUE(done.status().ok());
  EXPECT_EQ(done.times(), 1);
}

TEST_P(RuntimeDrainTest, ASecondCallAsksNobodyAgainAndIsCompletedLikewise) {
  Fill(3);
  StatusReply first;
  StatusReply second;
  StatusReply third;
  world_.runtime().Drain(first.Done());
  world_.Pass(absl::Seconds(2));
  world_.runtime().Drain(second.Done());
  world_.Pass(absl::Seconds(2));
  EXPECT_EQ(asked(), 3u);
  for (const Client& client : clients_) world_.Disconnect(client);
  world_.Settle();
  world_.runtime().Drain(third.Done());
  world_.Settle();
  for (const StatusReply* done : {&first, &second, &third}) {
    EXPECT_TRUE(done->status().ok());
    EXPECT_EQ(done->times(), 1);
  }
}

TEST_P(RuntimeDrainTest, EventsGoOnMeanwhile) {
  world_.Befriend(world_.User(0), world_.User(1));
  Fill(2);
  world_.runtime().Drain([](const absl::Status&) {});
  world_.Pass(absl::Seconds(1));
  world_.Report(clients_[1], North(70));
  world_.Settle();
  EXPECT_EQ(world_.sink().InSight(clients_[0].cookie).at(clients_[1].user).position,
            Position::FromLatLng(North(70)));
}

TEST(RuntimeDrainOptionsTest, AnyPaceThatIsValidWorks) {
  for (const double pace : {1e-300, 0.5, 1e300}) {
    World::Options options;
    options.runtime.shards = 2;
    options.runtime.drain_clients_per_second = pace;
    World world(options);
    for (std::uint64_t i = 0; i < 10; ++i) world.Connect(world.User(i), kHere);
    world.runtime().Drain([](const absl::Status&) {});
    world.Settle();
    for (int i = 0; i < 10; ++i) world.Pass(absl::Seconds(1));
    const std::uint64_t asked = world.runtime().stats().asked_to_move;
    EXPECT_EQ(asked, pace < 0.1 ? 0u : pace < 1 ? 4u : 10u);
  }
}

}  // namespace
}  // namespace nearby::test
