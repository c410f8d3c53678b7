// The end of a runtime: every unanswered call is completed with Cancelled, once, and whatever comes
// from the stores afterwards finds nothing to do.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using Kind = FriendEdit::Kind;

World::Options With(std::uint32_t shards) {
  World::Options options;
  options.runtime.shards = shards;
  options.runtime.max_loads_in_flight = 2;
  options.has_location_store = true;
  options.has_history_store = true;
  return options;
}

class RuntimeDestructionTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world_{With(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeDestructionTest, ::testing::Values(1, 2, 4));

TEST_P(RuntimeDestructionTest, OneThatWasNeverPolledCancelsAllThatWaits) {
  const Connecting connecting = world_.BeginConnect(world_.User(0), kHere);
  const StatusReply radius = world_.SetRadius(Client(), 5);
  const PageReply page = world_.Page(world_.User(0), 5);
  const EditReply edit = world_.Edit(Kind::kBefriend, world_.User(0), world_.User(1));
  const EditReply subscribe = world_.Edit(Kind::kSubscribe, world_.User(0), world_.User(1));
  const EditReply fails = world_.Edit(Kind::kBefriend, world_.User(0), world_.User(0));
  StatusReply apply;
  world_.runtime().Apply({world_.User(0), world_.User(1), {}, FriendVersion{9}}, apply.Done());
  StatusReply drain;
  world_.runtime().Drain(drain.Done());
  world_.DestroyRuntime();
  EXPECT_EQ(connecting.reply.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(radius.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(page.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(edit.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(subscribe.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(fails.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(apply.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(drain.code(), absl::StatusCode::kCancelled);
  for (const int times : {connecting.reply.times(), radius.times(), page.times(), edit.times(),
                          subscribe.times(), fails.times(), apply.times(), drain.times()}) {
    EXPECT_EQ(times, 1);
  }
}

// Each call at each point of its way, by the number of polls, in turn over the shards.
TEST_P(RuntimeDestructionTest, WhereverACallIsOnItsWayItIsCompletedOnce) {
  for (int polls = 0; polls < 24; ++polls) {
    for (const bool is_held : {false, true}) {
      World world(With(GetParam()));
      const UserId alice = world.User(0);
      const UserId bob = world.User(1);
      world.Befriend(alice, bob);
      world.Connect(bob, kHere);
      if (is_held) {
        world.friends().lists().Hold();
        world.friends().edits().Hold();
      }
      std::vector<Connecting> connecting;
      for (std::uint64_t i = 0; i < 5; ++i) {
        connecting.push_back(world.BeginConnect(world.User(i * GetParam()), kHere));
      }
      std::vector<EditReply> edits;
      for (const Kind kind : {Kind::kHide, Kind::kShare, Kind::kUnsubscribe, Kind::kSubscribe}) {
        edits.push_back(world.Edit(kind, alice, bob));
      }
      StatusReply drain;
      world.runtime().Drain(drain.Done());
      for (int i = 0; i < polls; ++i) {
        world.runtime().Poll(ShardId{static_cast<std::uint32_t>(i) % GetParam()});
      }
      world.DestroyRuntime();
      for (const Connecting& one : connecting) EXPECT_EQ(one.reply.times(), 1);
      for (const EditReply& one : edits) {
        EXPECT_EQ(one.times(), 1);
        EXPECT_TRUE(one.status().ok() || absl::IsCancelled(one.status())) << one.status();
      }
      EXPECT_EQ(drain.times(), 1);
      // Now the stores complete what is left, to no effect.
      world.friends().lists().Resume();
      world.friends().edits().Resume();
      for (const Connecting& one : connecting) EXPECT_EQ(one.reply.times(), 1);
      for (const EditReply& one : edits) EXPECT_EQ(one.times(), 1);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(RuntimeDestructionTest, StoresMayCompleteLater) {
  world_.locations().writes().Hold();
  world_.locations().erasures().Hold();
  world_.history().appends().Hold();
  const Client alice = world_.Connect(world_.User(0), kHere);
  const Client bob = world_.Connect(world_.User(GetParam()));
  world_.Disconnect(bob);
  world_.Settle();
  (void)alice;
  world_.DestroyRuntime();
  world_.locations().writes().Resume();
  world_.locations().erasures().Resume();
  world_.history().appends().Resume();
}

TEST_P(RuntimeDestructionTest, SessionsVanishWithoutAWord) {
  const Client alice = world_.Connect(world_.User(0), kHere);
  world_.DestroyRuntime();
  EXPECT_FALSE(world_.sink().ended(alice.cookie).has_value());
}

// Whoever repeats a run has them in the same order again.
TEST_P(RuntimeDestructionTest, ConnectsThatWaitForListsAreCancelledInOrder) {
  constexpr std::uint64_t kUsers = 64;
  World::Options options = With(GetParam());
  options.runtime.max_loads_in_flight = kUsers;
  World world(options);
  world.friends().lists().Hold();
  std::map<ShardId, std::vector<std::uint64_t>> cancelled;
  for (std::uint64_t i = 0; i < kUsers; ++i) {
    ConnectCall call;
    call.user = UserId{1'000 + i};
    world.runtime().Connect(
        call, [&cancelled, i, user = call.user](const absl::StatusOr<ConnectResult>& result) {
          EXPECT_TRUE(absl::IsCancelled(result.status())) << result.status();
          cancelled[HomeShard(user, GetParam())].push_back(i);
        });
  }
  world.runtime().PollAll();
  world.DestroyRuntime();
  std::size_t all = 0;
  for (const auto& [shard, users] : cancelled) {
    all += users.size();
    EXPECT_TRUE(std::is_sorted(users.begin(), users.end())) << ::testing::PrintToString(users);
  }
  EXPECT_EQ(all, kUsers);
}

TEST_P(RuntimeDestructionTest, CallsFromWithinTheLastCompletionsAreCancelledToo) {
  world_.friends().lists().Hold();
  ConnectCall call;
  call.user = world_.User(0);
  ConnectReply reply;
  std::vector<absl::Status> inner;
  const auto note = [&inner](const auto& result) {
    if constexpr (std::is_same_v<std::decay_t<decltype(result)>, absl::Status>) {
      inner.push_back(result);
    } else {
      inner.push_back(result.status());
    }
  };
  Runtime* const runtime = &world_.runtime();
  runtime->Connect(call, reply.DoneAnd([&](const absl::StatusOr<ConnectResult>&) {
    const SessionId session{ShardId{0}, {Slot{0}, 1}};
    runtime->Connect(call, note);
    runtime->SetRadius(session, 5, note);
    runtime->Nearby(call.user, {}, 5, note);
    runtime->Edit({Kind::kBefriend, UserId{1}, UserId{2}}, note);
    runtime->Apply({UserId{1}, UserId{2}, {}, FriendVersion{1}}, note);
    runtime->Drain(note);
    runtime->Disconnect(session);
    runtime->Ready(session);
    runtime->Report({session, kHere, kStart}).IgnoreError();
    runtime->stats();
  }));
  world_.runtime().PollAll();
  world_.DestroyRuntime();
  EXPECT_EQ(reply.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(inner.size(), 6u);
  for (const absl::Status& status : inner) EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

TEST(RuntimeDestructionThreadTest, ItWaitsForCompletionsThatAreUnderWay) {
  // A store's thread is inside the host's wake while the runtime is destroyed. What the wake uses
  // may be destroyed as soon as the runtime is.
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> is_inside{false};
    std::atomic<int> spins{0};
    std::atomic<bool> is_store_at_work{false};
    auto host_state = std::make_unique<int>(0);
    World::Options options;
    options.wake = [&](ShardId) {
      if (!is_store_at_work) return;
      is_inside = true;
      for (int i = 0; i < 200; ++i) std::this_thread::yield();
      ++*host_state;
      is_inside = false;
      ++spins;
    };
    World world(options);
    world.friends().lists().Hold();
    const Connecting connecting = world.BeginConnect(world.User(0), kHere);
    world.runtime().PollAll();
    is_store_at_work = true;
    std::thread store([&] { world.friends().lists().ReleaseAll(); });
    while (!is_inside && spins == 0) std::this_thread::yield();
    world.DestroyRuntime();
    EXPECT_FALSE(is_inside);
    host_state.reset();
    store.join();
    EXPECT_EQ(connecting.reply.times(), 1);
  }
}

TEST(RuntimeDestructionThreadTest, CompletionsThatComeMeanwhileAreTakenOrIgnored) {
  for (int round = 0; round < 50; ++round) {
    World world(With(2));
    world.friends().edits().Hold();
    world.friends().lists().Hold();
    std::vector<EditReply> edits;
    std::vector<Connecting> connecting;
    for (std::uint64_t i = 0; i < 20; ++i) {
      edits.push_back(world.Edit(i % 2 == 0 ? Kind::kBefriend : Kind::kSubscribe, world.User(i),
                                 world.User(i + 1 + i % 3)));
    }
    world.friends().edits().FailNext(5, absl::UnavailableError("down"));
    for (std::uint64_t i = 0; i < 5; ++i) {
      edits.push_back(world.Edit(Kind::kBefriend, world.User(i), world.User(90)));
    }
    for (std::uint64_t i = 0; i < 2; ++i) connecting.push_back(world.BeginConnect(world.User(i)));
    world.runtime().PollAll();
    std::thread lists([&] { world.friends().lists().Resume(); });
    std::thread releases([&] { world.friends().edits().Resume(); });
    for (int i = 0; i < round % 10; ++i) world.runtime().PollAll();
    world.DestroyRuntime();
    for (const EditReply& one : edits) EXPECT_EQ(one.times(), 1) << "before the destructor returns";
    for (const Connecting& one : connecting) EXPECT_EQ(one.reply.times(), 1);
    releases.join();
    lists.join();
    for (const EditReply& one : edits) EXPECT_EQ(one.times(), 1);
    for (const Connecting& one : connecting) EXPECT_EQ(one.reply.times(), 1);
  }
}

}  // namespace
}  // namespace nearby::test
