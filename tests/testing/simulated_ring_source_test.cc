#include "nearby/testing/simulated_ring_source.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulation.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const NodeId kNode{1};

// Made once, for they take their time. Versions from 1.
const std::vector<RingSource::Ring>& Rings() {
  static const auto* const rings = [] {
    auto* const made = new std::vector<RingSource::Ring>;
    for (std::uint64_t version = 1; version <= 3; ++version) {
      made->push_back(*HashRing::Create(RingVersion{version}, {{"a", 100, "server"}}));
    }
    return made;
  }();
  return *rings;
}

class SimulatedRingSourceTest : public ::testing::Test {
 protected:
  void Set(const SimulatedFaultOptions::Ring& ring) {
    SimulatedFaultOptions options;
    options.ring = ring;
    faults_.SetOptions(options);
  }
  auto Record(std::vector<std::uint64_t>* versions) {
    return
        [versions](const RingSource::Ring& ring) { versions->push_back(ToInt(ring->version())); };
  }
  std::uint64_t count(SimulatedFault fault) const { return faults_.counts().of(fault); }

  Simulation simulation_{1};
  SimulatedFaults faults_{&simulation_};
  SimulatedRingAuthority authority_{&faults_};
};

TEST_F(SimulatedRingSourceTest, TellsEachNewRing) {
  SimulatedRingSource source(&authority_, kNode);
  std::vector<std::uint64_t> versions;
  const auto watcher = source.Watch(Record(&versions));
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, IsEmpty());
  EXPECT_EQ(source.ring(), nullptr);
  ASSERT_TRUE(authority_.Set(Rings()[0]).ok());
  EXPECT_FALSE(authority_.all_know());
  EXPECT_THAT(versions, IsEmpty()) << "later";
  simulation_.RunFor(10'000);
  EXPECT_TRUE(authority_.all_know());
  ASSERT_TRUE(authority_.Set(Rings()[1]).ok());
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, ElementsAre(1, 2));
  std::vector<std::uint64_t> late;
  const auto late_watcher = source.Watch(Record(&late));
  EXPECT_THAT(late, IsEmpty());
  simulation_.RunFor(0);
  EXPECT_THAT(late, ElementsAre(2));
  SimulatedRingSource another(&authority_, NodeId{2});
  EXPECT_FALSE(authority_.all_know());
  simulation_.RunFor(10'000);
  EXPECT_TRUE(authority_.all_know());
}

TEST_F(SimulatedRingSourceTest, RefusesWhatIsNotNewer) {
  EXPECT_EQ(authority_.Set(nullptr).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(authority_.Set(Rings()[1]).ok());
  EXPECT_EQ(authority_.Set(Rings()[1]).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(authority_.Set(Rings()[0]).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(authority_.ring(), Rings()[1]);
}

TEST_F(SimulatedRingSourceTest, AWatcherThatIsGoneIsNotCalled) {
  SimulatedRingSource source(&authority_, kNode);
  std::vector<std::uint64_t> versions;
  auto watcher = source.Watch(Record(&versions));
  ASSERT_TRUE(authority_.Set(Rings()[0]).ok());
  watcher.reset();
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, IsEmpty());
  watcher = source.Watch(Record(&versions));
  source.Crash();
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, IsEmpty());
}

TEST_F(SimulatedRingSourceTest, SkipsVersionsButNotTheNewest) {
  SimulatedFaultOptions::Ring ring;
  ring.skip_version = 1;
  Set(ring);
  SimulatedRingSource source(&authority_, kNode);
  std::vector<std::uint64_t> versions;
  const auto watcher = source.Watch(Record(&versions));
  for (const RingSource::Ring& next : Rings()) ASSERT_TRUE(authority_.Set(next).ok());
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, ElementsAre(3));
  EXPECT_EQ(count(SimulatedFault::kRingSkipped), 2u);
}

TEST_F(SimulatedRingSourceTest, NewsThatOvertakeOthersMakeThemVoid) {
  SimulatedRingSource source(&authority_, kNode);
  std::vector<std::uint64_t> versions;
  const auto watcher = source.Watch(Record(&versions));
  SimulatedFaultOptions::Ring ring;
  ring.delay_news = 1;
  ring.news_delay = {5'000, 5'000};
  Set(ring);
  ASSERT_TRUE(authority_.Set(Rings()[0]).ok());
  Set({});
  ASSERT_TRUE(authority_.Set(Rings()[1]).ok());
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, ElementsAre(2));
  EXPECT_EQ(count(SimulatedFault::kRingDelayed), 1u);
}

TEST_F(SimulatedRingSourceTest, KeepsTheLastWhenOutOfTouch) {
  SimulatedRingSource source(&authority_, kNode);
  std::vector<std::uint64_t> versions;
  const auto watcher = source.Watch(Record(&versions));
  ASSERT_TRUE(authority_.Set(Rings()[0]).ok());
  simulation_.RunFor(10'000);
  authority_.LoseTouch(kNode);
  ASSERT_TRUE(authority_.Set(Rings()[1]).ok());
  simulation_.RunFor(10'000);
  EXPECT_EQ(source.ring(), Rings()[0]);
  faults_.Quiet();
  simulation_.RunFor(10'000);
  EXPECT_THAT(versions, ElementsAre(1, 2));
  EXPECT_EQ(count(SimulatedFault::kRingOutOfTouch), 1u);
}

}  // namespace
}  // namespace nearby
