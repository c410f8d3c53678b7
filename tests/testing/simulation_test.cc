#include "nearby/testing/simulation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/testing/simulated_random.h"
#include "nearby/time.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;

TEST(SimulationTest, HappensInOrderOfTimeAndOfScheduling) {
  Simulation simulation(1);
  std::vector<int> happened;
  simulation.After(5, [&] { happened.push_back(3); });
  simulation.At(Time::Millis(2), [&] {
    happened.push_back(1);
    // A time that has passed counts as the present one.
    simulation.At(Time::Millis(0), [&] { happened.push_back(2); });
  });
  simulation.After(5, [&] { happened.push_back(4); });
  EXPECT_EQ(simulation.pending(), 3u);
  EXPECT_TRUE(simulation.RunUntil(Time::Millis(4)));
  EXPECT_EQ(simulation.now(), Time::Millis(4));
  EXPECT_THAT(happened, ElementsAre(1, 2));
  EXPECT_TRUE(simulation.Step());
  EXPECT_EQ(simulation.now(), Time::Millis(5));
  EXPECT_TRUE(simulation.RunFor(0));
  EXPECT_THAT(happened, ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(simulation.Step());
  EXPECT_EQ(simulation.event_count(), 4u);
  EXPECT_FALSE(simulation.is_over());
}

TEST(SimulationTest, OrdersLikeAStableSort) {
  Simulation simulation(7);
  SimulatedRandom random(8);
  std::vector<std::pair<std::int64_t, int>> expected;
  std::vector<std::pair<std::int64_t, int>> happened;
  for (int i = 0; i < 5'000; ++i) {
    const std::int64_t at = random.Between(0, 500);
    expected.emplace_back(at, i);
    simulation.At(Time::Millis(at), [&, i] { happened.emplace_back(simulation.now().ms, i); });
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  EXPECT_TRUE(simulation.RunUntil(Time::Millis(500)));
  EXPECT_EQ(happened, expected);
}

TEST(SimulationTest, TakesActionsOfAnySizeAndDestroysThemOnce) {
  const auto alive = std::make_shared<int>(0);
  {
    Simulation simulation(1);
    int sum = 0;
    const std::array<std::int64_t, 100> large{1, 2};
    simulation.After(1, [&sum, large, alive] { sum += static_cast<int>(large[1]); });
    simulation.After(1, [&sum, alive, owned = std::make_unique<int>(5)] { sum += *owned; });
    simulation.After(9, [&simulation, alive] { simulation.After(1, [] {}); });
    simulation.RunUntil(Time::Millis(1));
    EXPECT_EQ(sum, 7);
    EXPECT_EQ(alive.use_count(), 2) << "what has happened is destroyed";
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(SimulationTest, EndsWhenStoppedAndWhenTooMuchWaits) {
  Simulation stopped(1);
  int happened = 0;
  stopped.After(1, [&] {
    ++happened;
    stopped.Stop();
  });
  stopped.After(1, [&] { ++happened; });
  EXPECT_FALSE(stopped.RunUntil(Time::Millis(10)));
  EXPECT_EQ(happened, 1);
  EXPECT_EQ(stopped.now(), Time::Millis(1));
  EXPECT_FALSE(stopped.Step());
  EXPECT_FALSE(stopped.overran());

  Simulation::Options options;
  options.max_pending = 2;
  Simulation full(1, options);
  for (int i = 0; i < 3; ++i) full.After(1, [] {});
  EXPECT_TRUE(full.overran());
  EXPECT_TRUE(full.is_over());
  EXPECT_FALSE(full.Step());
}

TEST(SimulationTest, HashesWhatHappensAndWhen) {
  const auto hash = [](std::int64_t at, std::uint64_t kind, std::uint64_t a, std::uint64_t b) {
    Simulation simulation(1);
    simulation.At(Time::Millis(at), [&] { simulation.Note(kind, a, b); });
    simulation.RunUntil(Time::Millis(100));
    return simulation.hash();
  };
  EXPECT_EQ(hash(1, 300, 2, 3), hash(1, 300, 2, 3));
  EXPECT_NE(hash(1, 300, 2, 3), hash(2, 300, 2, 3));
  EXPECT_NE(hash(1, 300, 2, 3), hash(1, 301, 2, 3));
  EXPECT_NE(hash(1, 300, 2, 3), hash(1, 300, 3, 2));
  EXPECT_EQ(hash(1, 300, 2, 3), 9939203562430146273u);
}

TEST(SimulationTest, TellsItsObserver) {
  Simulation simulation(1);
  std::vector<Simulation::Noted> trace;
  simulation.Note(300, 0, 0);
  simulation.SetObserver([&](const Simulation::Noted& noted) { trace.push_back(noted); });
  simulation.After(3, [&] { simulation.Note(301, 5, 6); });
  simulation.RunFor(10);
  ASSERT_EQ(trace.size(), 1u);
  EXPECT_EQ(trace[0].time, Time::Millis(3));
  EXPECT_EQ(trace[0].kind, 301u);
  EXPECT_EQ(trace[0].a, 5u);
  EXPECT_EQ(trace[0].b, 6u);
}

}  // namespace
}  // namespace nearby
