// Statistics, and their export. (The sink itself complains of counters that go down, and of metrics
// that come twice.)

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/metrics_sink.h"
#include "nearby/runtime.h"
#include "src/runtime/metrics.h"
#include "src/runtime/stats_fields.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;

World::Options WithMetrics(std::uint32_t shards) {
  World::Options options;
  options.runtime.shards = shards;
  options.has_metrics = true;
  return options;
}

class RuntimeMetricsTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  World world_{WithMetrics(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Shards, RuntimeMetricsTest, ::testing::Values(1, 2));

TEST_P(RuntimeMetricsTest, AreExportedOnceForEachInterval) {
  world_.Settle();
  EXPECT_EQ(world_.metrics().exports(), 1u);
  for (int i = 0; i < 9; ++i) world_.Pass(absl::Milliseconds(999));
  EXPECT_EQ(world_.metrics().exports(), 1u);
  world_.Pass(absl::Milliseconds(1'009));
  EXPECT_EQ(world_.metrics().exports(), 2u);
  world_.Pass(absl::Hours(1));
  EXPECT_EQ(world_.metrics().exports(), 3u) << "what was missed is not made up for";
}

TEST_P(RuntimeMetricsTest, SayWhatHasHappened) {
  world_.Befriend(world_.User(0), world_.User(1));
  world_.Connect(world_.User(0), kHere);
  const Client bob = world_.Connect(world_.User(1), kHere);
  world_.Disconnect(bob);
  world_.Settle();
  world_.Pass(absl::Seconds(10));
  world_.Pass(absl::Seconds(10));
  EXPECT_EQ(world_.metrics().value("nearby_sessions"), 1u);
  EXPECT_EQ(world_.metrics().value("nearby_connects_total"), 2u);
  EXPECT_EQ(world_.metrics().value("nearby_reports_total", "accepted"), 2u);
  EXPECT_EQ(world_.metrics().value("nearby_leaves_total", "offline"), 1u);
  EXPECT_EQ(world_.metrics().value("nearby_leaves_total", "hidden"), 0u);
  EXPECT_EQ(world_.metrics().value("nearby_lists_loaded_total"), 2u);
}

TEST_P(RuntimeMetricsTest, TheStatisticsOfTheShardsAreSummed) {
  for (std::uint64_t i = 0; i < 10; ++i) world_.Connect(world_.User(i), kHere);
  const RuntimeStats stats = world_.runtime().stats();
  EXPECT_EQ(stats.sessions, 10u);
  EXPECT_EQ(stats.engine.clients, 10u);
  EXPECT_EQ(stats.lists_loaded, 10u);
  EXPECT_GE(stats.calls_taken, 20u) << "the connects, and the answers of the store";
  EXPECT_GT(stats.polls, 10u);
}

class CollectingMetricsSink : public MetricsSink {
 public:
  void Export(absl::Span<const Metric> metrics) override {
    for (const Metric& metric : metrics) {
      names.push_back(std::string(metric.name));
      keys.push_back(absl::StrCat(metric.name, "{", metric.label, "=", metric.label_value, "}"));
      values[keys.back()] = metric.value;
      EXPECT_FALSE(metric.help.empty()) << keys.back();
      EXPECT_EQ(metric.label.empty(), metric.label_value.empty()) << keys.back();
      const bool says_counter = absl::StrContains(metric.name, "_total");
      EXPECT_EQ(says_counter, metric.kind == Metric::Kind::kCounter) << keys.back();
    }
  }

  std::vector<std::string> names;
  std::vector<std::string> keys;
  std::map<std::string, std::uint64_t> values;
};

TEST(MetricsTest, NamesAreUniquePerLabelAndAsPrometheusWantsThem) {
  CollectingMetricsSink sink;
  internal::ExportMetrics(RuntimeStats(), &sink);
  EXPECT_EQ(std::set<std::string>(sink.keys.begin(), sink.keys.end()).size(), sink.keys.size());
  for (const std::string& name : sink.names) EXPECT_THAT(name, MatchesRegex("nearby_[a-z_]+"));
  EXPECT_GT(sink.names.size(), 50u);
}

TEST(MetricsTest, EachFieldIsExportedWithItsOwnValueAndSummed) {
  RuntimeStats stats;
  std::uint64_t value = 0;
  for (const auto& field : internal::kRuntimeFields) stats.*field.member = ++value;
  for (const auto& field : internal::kEngineFields) stats.engine.*field.member = ++value;
  CollectingMetricsSink sink;
  internal::ExportMetrics(stats, &sink);
  std::uint64_t expected = 0;
  for (const std::string& key : sink.keys) {
    if (absl::StrContains(key, "nearby_leaves_total")) continue;
    EXPECT_EQ(sink.values[key], ++expected) << key << ": a field that is listed twice";
  }
  RuntimeStats sum = stats;
  sum += stats;
  for (const auto& field : internal::kRuntimeFields) {
    EXPECT_EQ(sum.*field.member, 2 * (stats.*field.member)) << field.name;
  }
}

TEST(MetricsTest, NoFieldOfTheStatisticsIsForgotten) {
  // The runtime's own fields: all words of the struct but those of the engine's part.
  EXPECT_EQ(std::size(internal::kRuntimeFields),
            (sizeof(RuntimeStats) - sizeof(EngineStats)) / sizeof(std::uint64_t));
}

}  // namespace
}  // namespace nearby::test
