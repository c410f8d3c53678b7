// Two nodes whose shards have a thread each: what ThreadSanitizer is to see.

#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/cluster.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "tests/cluster/few_nodes.h"
#include "tests/host/patience.h"

namespace nearby {
namespace {

using test::Eventually;
using test::FewNodes;
using test::kHere;
using test::North;

constexpr std::uint32_t kShards = 2;
constexpr std::uint64_t kUsers = 12;

FewNodes::Options TwoShards() {
  FewNodes::Options options;
  options.runtime.shards = kShards;
  return options;
}

TEST(ClusterThreadsTest, AllSeeEachOtherWhileTheyMove) {
  FewNodes nodes(TwoShards());
  for (std::uint64_t a = 1; a <= kUsers; ++a) {
    for (std::uint64_t b = a + 1; b <= kUsers; ++b) nodes.Befriend(UserId{a}, UserId{b});
  }
  std::vector<FewNodes::Client> clients;
  for (std::uint64_t i = 1; i <= kUsers; ++i)
    clients.push_back(nodes.Connect(i % 2, UserId{i}, kHere));

  std::vector<std::thread> threads;
  for (std::size_t node = 0; node < 2; ++node) {
    for (std::uint32_t shard = 0; shard < kShards; ++shard) {
      threads.emplace_back([&nodes, node, shard] { nodes.runtime(node).Run(ShardId{shard}); });
    }
  }
  std::vector<FewNodes::EditReply> edits;
  for (int round = 0; round < 50; ++round) {
    nodes.clock().Advance(absl::Milliseconds(100));
    for (const FewNodes::Client& client : clients) nodes.Report(client, North(round));
    const auto kind = round % 2 == 0 ? FriendEdit::Kind::kHide : FriendEdit::Kind::kShare;
    edits.push_back(nodes.Edit(round / 2 % 2, kind, UserId{1}, UserId{2}));
    (void)nodes.stats(0);
    (void)nodes.cluster(0).health();
    if (round == 25) nodes.broker().TakeDown("server");
    if (round == 26) nodes.broker().BringUp("server");
  }
  EXPECT_TRUE(Eventually([&] {
    nodes.clock().Advance(absl::Milliseconds(5));
    for (const FewNodes::EditReply& edit : edits) {
      if (edit.times() == 0) return false;
    }
    for (const FewNodes::Client& client : clients) {
      if (nodes.InSight(client).size() + 1 != kUsers) return false;
    }
    return true;
  }));
  for (std::size_t node = 0; node < 2; ++node) nodes.runtime(node).Stop();
  for (std::thread& thread : threads) thread.join();
}

// A node goes while others call it.
TEST(ClusterThreadsTest, ANodeGoesWhileLettersAreUnderWay) {
  for (int i = 0; i < 10; ++i) {
    FewNodes nodes(TwoShards());
    nodes.Befriend(UserId{1}, UserId{2});
    const FewNodes::Client alice = nodes.Connect(0, UserId{1}, kHere);
    nodes.Connect(1, UserId{2}, kHere);
    std::thread other([&nodes] {
      for (int k = 0; k < 200; ++k) nodes.runtime(0).PollAll();
    });
    nodes.Report(alice, North(10));
    nodes.Edit(0, FriendEdit::Kind::kHide, UserId{1}, UserId{2});
    nodes.runtime(1).PollAll();
    nodes.Destroy(1);
    other.join();
  }
}

}  // namespace
}  // namespace nearby
