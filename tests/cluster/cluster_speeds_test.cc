#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "tests/cluster/few_nodes.h"

// How fast users on other nodes go, which an engine that has parked them does not see.

namespace nearby::test {
namespace {

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

  FewNodes nodes_;
  FewNodes::Client walker_;
  FewNodes::Client watcher_;
};

// The parks end when the walker is at the far end, so that by the locations that are read then they
// never move.
TEST_F(ClusterSpeedsTest, WhoGoesToAndFroIsNotMissedAgainAndAgain) {
  Walk(North(13'000), North(13'000), 20);
  ASSERT_EQ(nodes_.stats(1).guests_parked, 1u);
  // Out of step with when parks end.
  nodes_.Pass(absl::Seconds(25));
  // Within the longest park it is found out.
  Walk(North(13'000), North(6'000), 6);
  EXPECT_EQ(Walk(North(13'000), North(6'000), 20), 20);
}

}  // namespace
}  // namespace nearby::test
