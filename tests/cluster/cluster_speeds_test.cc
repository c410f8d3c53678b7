#include <optional>

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

class ClusterSpeedsTest : public ::testing::Test {
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

  static FewNodes::Options ThreeNodes() {
    FewNodes::Options options;
    options.nodes = 3;
    return options;
  }

  FewNodes nodes_{ThreeNodes()};
  FewNodes::Client walker_;
  FewNodes::Client watcher_;
};

// The parks end when the walker is at the far end, so that by the locations that are read then they
// never move.
TEST_F(ClusterSpeedsTest, WhoGoesToAndFroIsNeverMissed) {
  Park();
  // Out of step with when parks end.
  nodes_.Pass(absl::Seconds(25));
  EXPECT_EQ(Walk(North(13'000), North(6'000), 20), 20);
}

TEST_F(ClusterSpeedsTest, AJumpIsNoticedAtOnce) {
  Park();
  nodes_.Report(walker_, North(6'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
}

// As fast as was believed, but by whatever way: where they were in between nobody knows.
TEST_F(ClusterSpeedsTest, AReturnAfterASilenceIsNoticedAtOnce) {
  Park();
  for (int i = 0; i < 4; ++i) {
    nodes_.Report(watcher_, kHere);
    nodes_.Pass(kReportInterval);
  }
  nodes_.Report(walker_, North(8'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
}

// Those too to whom they were announced when the others had long known them.
TEST_F(ClusterSpeedsTest, AJumpIsNoticedByWhoeverCameLater) {
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
  nodes_.Report(walker_, North(6'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
  EXPECT_THAT(nodes_.InSight(client), ElementsAre(kWalker));
}

// On another node they may be anywhere, and be believed to be as slow as anybody.
TEST_F(ClusterSpeedsTest, WhoHasMovedIsNotTakenToBeWhereTheyWere) {
  Park();
  nodes_.Connect(2, kWalker, North(6'000));
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
}

// The same if they do not know where they are until later.
TEST_F(ClusterSpeedsTest, WhoHasMovedIsHeardOfWhenTheySayWhereTheyAre) {
  Park();
  const FewNodes::Client moved = nodes_.Connect(2, kWalker, std::nullopt);
  nodes_.Pass(absl::Seconds(5));
  nodes_.Report(moved, North(6'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(kWalker));
}

// What a phone takes for its first location may be far off, and the right one come in the same
// millisecond, when that has been told and they have been parked for it.
TEST_F(ClusterSpeedsTest, AJumpWithinTheInstantIsNoticed) {
  const UserId newcomer{3};
  nodes_.Befriend(newcomer, kWatcher);
  Park();
  const FewNodes::Client client = nodes_.Connect(0, newcomer, std::nullopt);
  nodes_.Report(client, North(160'000));
  nodes_.Settle();
  ASSERT_EQ(nodes_.stats(1).guests_parked, 2u);
  nodes_.Report(client, North(6'000));
  nodes_.Settle();
  EXPECT_THAT(nodes_.InSight(watcher_), ElementsAre(newcomer));
}

// They are listened to for as long as their own node believes them faster, and no longer.
TEST_F(ClusterSpeedsTest, WhoIsSlowAgainIsParkedAgain) {
  Park();
  EXPECT_EQ(Walk(North(14'000), North(14'000), 1), 0);
  EXPECT_EQ(nodes_.stats(0).jumps, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 0u);
  EXPECT_EQ(Walk(North(14'000), North(14'000), 10), 0);
  EXPECT_EQ(nodes_.stats(0).jumps, 1u);
  EXPECT_EQ(nodes_.stats(1).guests_parked, 1u);
}

}  // namespace
}  // namespace nearby::test
