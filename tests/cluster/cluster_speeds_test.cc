#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "tests/cluster/few_nodes.h"

// How fast users on other nodes go, which an engine that has parked them does not see.

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UserId kWalker{1};
constexpr UserId kWatcher{2};
constexpr absl::Duration kReportInterval = absl::Seconds(30);

// By how many shards each node has.
class ClusterSpeedsTest : public ::testing::TestWithParam<int> {
 protected:
  ClusterSpeedsTest() {
    nodes_.Befriend(kWalker, kWatcher);
    walker_ = nodes_.Connect(0, kWalker, North(13'000));
    watcher_ = nodes_.Connect(1, kWatcher, kHere);
  }

  // The walker reports from each of the two places in turn. Returns how often the watcher saw them.
  int Walk(LatLng first, LatLng second, int rounds) {
    int seen = 0;
    for (int i = 0; i < rounds; ++i) {
      for (const LatLng place : {first, second}) {
        nodes_.Report(walker_, place);
        nodes_.Report(watcher_, kHere);
        nodes_.Pass(kReportInterval);
        if (nodes_.InSight(watcher_).count(kWalker) != 0) ++seen;
      }
    }
    return seen;
  }

  // The walker has stood still for long enough to be taken for one who is on foot.
  void Park() {
    Walk(North(13'000), North(13'000), 20);
    ASSERT_EQ(nodes_.stats(1).guests_parked, 1u);
    ASSERT_THAT(nodes_.InSight(watcher_), IsEmpty());
  }

  // Whoever reports from near the watchers is in their sight in the same instant.
  void ExpectSeenAtOnce(const FewNodes::Client& client,
                        const std::vector<FewNodes::Client>& watchers) {
    nodes_.Report(client, North(6'000));
    nodes_.Settle();
    for (const FewNodes::Client& watcher : watchers) {
      EXPECT_THAT(nodes_.InSight(watcher), ElementsAre(client.user));
    }
  }

  static FewNodes::Options MakeOptions() {
    FewNodes::Options options;
    options.nodes = 3;
    options.runtime.shards = static_cast<std::uint32_t>(GetParam());
    // So that it is not by the end of a park that somebody is found.
    options.cluster.max_park = absl::Hours(6);
    return options;
  }

  FewNodes nodes_{MakeOptions()};
  FewNodes::Client walker_;
  FewNodes::Client watcher_;
};

TEST_P(ClusterSpeedsTest, WhoGoesToAndFroIsNeverMissed) {
  Park();
  // Out of step with when parks end.
  nodes_.Pass(absl::Seconds(25));
  EXPECT_EQ(Walk(North(13'000), North(6'000), 20), 20);
}

TEST_P(ClusterSpeedsTest, AJumpIsNoticedAtOnce) {
  Park();
  ExpectSeenAtOnce(walker_, {watcher_});
}

// How they came there nobody judges, so that they look as slow as before.
TEST_P(ClusterSpeedsTest, AReturnAfterAnExpiryIsNoticedAtOnce) {
  const UserId sleeper{3};
  nodes_.Befriend(sleeper, kWatcher);
  const FewNodes::Client client = nodes_.Connect(0, sleeper, North(60'000));
  for (int i = 0; i < 20; ++i) {
    nodes_.Report(client, North(60'000));
    Walk(North(13'000), North(13'000), 1);
  }
  ASSERT_EQ(nodes_.stats(1).guests_parked, 2u);
  Walk(North(13'000), North(13'000), 12);
  ASSERT_EQ(nodes_.stats(1).guests_parked, 2u);
  ExpectSeenAtOnce(client, {watcher_});
}

// Those too to whom they were announced when the others had long known them.
TEST_P(ClusterSpeedsTest, AJumpIsNoticedByWhoeverCameLater) {
  const UserId late{3};
  nodes_.Befriend(kWalker, late);
  Park();
  const FewNodes::Client client = nodes_.Connect(2, late, kHere);
  for (int i = 0; i < 5; ++i) {
    nodes_.Report(walker_, North(13'000));
    nodes_.Report(watcher_, kHere);
    nodes_.Report(client, kHere);
    nodes_.Pass(kReportInterval);
  }
  ASSERT_EQ(nodes_.stats(1).guests_parked, 1u);
  ASSERT_EQ(nodes_.stats(2).guests_parked, 1u);
  ExpectSeenAtOnce(walker_, {watcher_, client});
}

// On another node they may be anywhere, and be believed to be as slow as anybody.
TEST_P(ClusterSpeedsTest, WhoHasMovedIsNotTakenToBeWhereTheyWere) {
  Park();
  nodes_.Connect(2, kWalker, North(6'000));
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
}

// The same if they do not know where they are until later.
TEST_P(ClusterSpeedsTest, WhoHasMovedIsHeardOfWhenTheySayWhereTheyAre) {
  Park();
  const FewNodes::Client moved = nodes_.Connect(2, kWalker, std::nullopt);
  nodes_.Pass(absl::Seconds(5));
  ExpectSeenAtOnce(moved, {watcher_});
}

// What a phone takes for its first location may be far off, and the right one come in the same
// millisecond, when that has been told and they have been parked for it.
TEST_P(ClusterSpeedsTest, AJumpWithinTheInstantIsNoticed) {
  const UserId newcomer{3};
  nodes_.Befriend(newcomer, kWatcher);
  Park();
  const FewNodes::Client client = nodes_.Connect(0, newcomer, std::nullopt);
  nodes_.Report(client, North(160'000));
  nodes_.Settle();
  ASSERT_EQ(nodes_.stats(1).guests_parked, 2u);
  ExpectSeenAtOnce(client, {watcher_});
}

// They are listened to for as long as their own node believes them faster, and no longer.
TEST_P(ClusterSpeedsTest, WhoIsSlowAgainIsParkedAgain) {
  Park();
  EXPECT_EQ(Walk(North(14'000), North(14'000), 1), 0);
  EXPECT_EQ(nodes_.stats(0).jumps, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 0u);
  EXPECT_EQ(Walk(North(14'000), North(14'000), 10), 0);
  EXPECT_EQ(nodes_.stats(0).jumps, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 1u);
}

// A park that crosses with the news of a move rests on where they were before.
TEST_P(ClusterSpeedsTest, AParkUnderWayDoesNotOutliveAMove) {
  for (std::uint64_t i = 0; i < 32; ++i) {
    const UserId walker{100 + i};  // on any shard
    const UserId watcher{200 + i / 8};
    nodes_.Befriend(walker, watcher);
    const FewNodes::Client seer = nodes_.Connect(1, watcher, kHere);
    const FewNodes::Client before = nodes_.Connect(0, walker, std::nullopt);
    nodes_.Report(before, North(160'000));
    nodes_.runtime(0).PollAll();
    const std::shared_ptr<FewNodes::Client> after = nodes_.BeginConnect(2, walker, std::nullopt);
    for (int poll = 0; poll < 10; ++poll) nodes_.runtime(2).PollAll();
    nodes_.runtime(1).PollAll();
    nodes_.Pass(absl::Seconds(5));
    ExpectSeenAtOnce(*after, {seer});
    nodes_.Disconnect(*after);
    nodes_.Disconnect(seer);
    nodes_.Settle();
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, ClusterSpeedsTest, ::testing::Values(1, 2));

// The shard that listens to somebody lets go of them, and all who are left have parked them. They
// are found again when that ends, and asked about if they fall silent.
TEST(ClusterParksTest, WhoIsParkedByAllWhoAreLeftIsNotForgotten) {
  for (std::uint64_t neighbour = 11; neighbour < 15; ++neighbour) {  // on either shard
    FewNodes::Options options;
    options.runtime.shards = 2;
    FewNodes nodes(options);
    const UserId near{neighbour};
    nodes.Befriend(kWalker, kWatcher);
    nodes.Befriend(kWalker, near);
    const FewNodes::Client walker = nodes.Connect(0, kWalker, North(100'000));
    const FewNodes::Client watcher = nodes.Connect(1, kWatcher, kHere);
    const FewNodes::Client client = nodes.Connect(1, near, North(100'000));
    for (int i = 0; i < 10; ++i) {
      for (const auto& [who, place] : {std::pair(walker, North(100'000)), std::pair(watcher, kHere),
                                       std::pair(client, North(100'000))}) {
        nodes.Report(who, place);
      }
      nodes.Pass(kReportInterval);
    }
    nodes.Disconnect(client);
    nodes.Pass(absl::Minutes(5));
    const std::uint64_t probes = nodes.stats(1).probes;
    nodes.Report(watcher, kHere);
    nodes.Pass(absl::Minutes(3));
    EXPECT_GT(nodes.stats(1).probes, probes);
  }
}

}  // namespace
}  // namespace nearby::test
