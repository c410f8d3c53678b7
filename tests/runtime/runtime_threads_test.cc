// Threads that poll, wait and wake. Nothing here depends on how long anything takes: where a wake
// is lost, a test hangs.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::UnorderedElementsAre;

TEST(RuntimeThreadsTest, RunReturnsOnceItIsStopped) {
  World world(2);
  std::thread one([&] { world.runtime().Run(ShardId{0}); });
  std::thread other([&] { world.runtime().Run(ShardId{1}); });
  world.runtime().Stop();
  one.join();
  other.join();
  world.runtime().Run(ShardId{0});  // and does not begin again
  world.runtime().Stop();
}

TEST(RuntimeThreadsTest, OneShardPolledByTwoThreadsIsPolledByOneAtATime) {
  World world;
  world.Befriend(world.User(0), world.User(1));
  const Client alice = world.Connect(world.User(0), kHere);
  const Client bob = world.Connect(world.User(1), kHere);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        world.Report(bob, North(i % 50));
        world.runtime().Poll(ShardId{0});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  world.Settle();
  EXPECT_THAT(world.InSight(alice), UnorderedElementsAre(bob.user));
}

TEST(RuntimeThreadsTest, TwoThreadsMayRunOneShard) {
  World world;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) threads.emplace_back([&] { world.runtime().Run(ShardId{0}); });
  std::vector<Connecting> all;
  for (std::uint64_t i = 0; i < 100; ++i) all.push_back(world.BeginConnect(world.User(i)));
  for (const Connecting& one : all) {
    while (one.reply.times() == 0) std::this_thread::yield();
  }
  world.runtime().Stop();
  for (std::thread& thread : threads) thread.join();
}

// A host that polls a shard when it is woken, and only then: time stands still.
class WakingHost {
 public:
  explicit WakingHost(std::uint32_t shards) : woken_(shards) {
    World::Options options;
    options.runtime.shards = shards;
    options.wake = [this](ShardId shard) {
      const std::lock_guard<std::mutex> lock(mutex_);
      woken_[ToInt(shard)] = true;
      changed_.notify_all();
    };
    world_ = std::make_unique<World>(options);
    for (std::uint32_t i = 0; i < shards; ++i) threads_.emplace_back([this, i] { Loop(i); });
  }
  ~WakingHost() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_stopped_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  World& world() { return *world_; }

 private:
  void Loop(std::uint32_t shard) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!is_stopped_) {
      if (!woken_[shard]) {
        changed_.wait(lock);
        continue;
      }
      woken_[shard] = false;
      lock.unlock();
      // Zero says that there is more already, of which no wake need tell.
      const bool has_more = world_->runtime().Poll(ShardId{shard}) == absl::ZeroDuration();
      lock.lock();
      if (has_more) woken_[shard] = true;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> woken_;
  bool is_stopped_ = false;
  std::unique_ptr<World> world_;
  std::vector<std::thread> threads_;
};

TEST(RuntimeThreadsTest, AHostThatPollsOnlyWhenItIsWokenMissesNothing) {
  for (const std::uint32_t shards : {1u, 2u, 4u}) {
    WakingHost host(shards);
    World& world = host.world();
    for (std::uint64_t i = 1; i < 6; ++i) world.Befriend(world.User(0), world.User(i));
    world.friends().lists().AnswerOnOwnThread(true);
    std::vector<Client> clients;
    for (int round = 0; round < 60; ++round) {
      // Answered across all shards, by way of the store's thread.
      const Connecting connecting =
          world.BeginConnect(world.User(static_cast<std::uint64_t>(round % 6)), kHere);
      while (connecting.reply.times() == 0) std::this_thread::yield();
      ASSERT_TRUE(connecting.reply.is_ok());
    }
    std::vector<StatusReply> replies;
    for (int round = 0; round < 300; ++round) {
      const FriendshipChange change{world.User(static_cast<std::uint64_t>(round % 6)),
                                    world.User(static_cast<std::uint64_t>((round + 1) % 6)),
                                    {},
                                    FriendVersion{1}};
      replies.emplace_back();
      world.runtime().Apply(change, replies.back().Done());
      if (round % 5 == 0) {
        while (replies.back().times() == 0) std::this_thread::yield();
      }
    }
    for (const StatusReply& reply : replies) {
      while (reply.times() == 0) std::this_thread::yield();
    }
  }
}

TEST(RuntimeThreadsTest, AWakeComesForWhateverIsToBeDone) {
  int wakes = 0;
  World::Options options;
  options.wake = [&wakes](ShardId) { ++wakes; };
  World world(options);
  const Client alice = world.Connect(world.User(0), kHere);
  const auto expect_wake = [&](const char* what) {
    EXPECT_GT(wakes, 0) << what;
    world.Settle();
    wakes = 0;
  };
  world.Settle();
  wakes = 0;
  world.Report(alice, kHere);
  expect_wake("a report");
  world.SetRadius(alice, 5);
  expect_wake("a radius");
  world.Page(alice.user, 5);
  expect_wake("a page");
  world.runtime().Ready(alice.session);
  expect_wake("ready");
  world.Edit(FriendEdit::Kind::kBefriend, alice.user, world.User(1));
  expect_wake("an edit");
  world.friends().lists().Hold();
  world.BeginConnect(world.User(1));
  expect_wake("a connect");
  world.friends().lists().Resume();
  expect_wake("the answer of the store");
  world.Disconnect(alice);
  expect_wake("a disconnect");
  world.runtime().Drain([](const absl::Status&) {});
  expect_wake("a drain");
}

TEST(RuntimeThreadsTest, WhatComesBetweenTheEndOfAPollAndTheNextWakes) {
  // The poll had work, so the mailbox was not idle when it began.
  int wakes = 0;
  World::Options options;
  options.wake = [&wakes](ShardId) { ++wakes; };
  World world(options);
  const Client alice = world.Connect(world.User(0), kHere);
  for (int i = 0; i < 3; ++i) {
    world.Report(alice, kHere);
    ASSERT_GT(world.runtime().Poll(ShardId{0}), absl::ZeroDuration());
    wakes = 0;
    world.Report(alice, kHere);
    EXPECT_EQ(wakes, 1);
  }
}

}  // namespace
}  // namespace nearby::test
