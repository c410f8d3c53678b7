#include "nearby/testing/recording_metrics_sink.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/metrics_sink.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Metric Counter(absl::string_view name, std::uint64_t value, absl::string_view label_value = "") {
  Metric metric;
  metric.name = name;
  metric.value = value;
  metric.label = label_value.empty() ? "" : "kind";
  metric.label_value = label_value;
  return metric;
}

Metric Gauge(absl::string_view name, std::uint64_t value) {
  Metric metric = Counter(name, value);
  metric.kind = Metric::Kind::kGauge;
  return metric;
}

TEST(RecordingMetricsSinkTest, KeepsTheLatestExport) {
  RecordingMetricsSink sink;
  EXPECT_EQ(sink.value("a"), std::nullopt);
  sink.Export({Counter("a", 1, "x"), Counter("a", 2, "y"), Gauge("b", 9)});
  sink.Export({Counter("a", 1, "x"), Counter("a", 5, "y"), Gauge("b", 3)});
  EXPECT_EQ(sink.exports(), 2u);
  EXPECT_EQ(sink.value("a", "x"), 1u);
  EXPECT_EQ(sink.value("a", "y"), 5u);
  EXPECT_EQ(sink.value("b"), 3u) << "a gauge may go down";
  EXPECT_EQ(sink.value("a"), std::nullopt);
  EXPECT_THAT(sink.violations(), IsEmpty());
}

TEST(RecordingMetricsSinkTest, NotesWhatIsWrong) {
  const std::vector<std::pair<std::vector<Metric>, const char*>> wrong = {
      {{Counter("", 1)}, "without a name"},
      {{Counter("a", 1), Counter("a", 1)}, "twice"},
      {{Counter("a", 1, "x"), Counter("b", 1), Counter("a", 1, "y")}, "does not follow"},
      {{Counter("a", 1, "x"), Gauge("a", 1)}, "differs in kind"},
  };
  for (const auto& [metrics, what] : wrong) {
    RecordingMetricsSink sink;
    sink.Export(metrics);
    EXPECT_THAT(sink.violations(), ElementsAre(HasSubstr(what)));
  }
  RecordingMetricsSink sink;
  sink.Export({Counter("a", 7)});
  sink.Export({Counter("a", 6)});
  EXPECT_THAT(sink.violations(), ElementsAre(HasSubstr("went down from 7")));
}

TEST(RecordingMetricsSinkTest, KeepsTheFirstHundred) {
  RecordingMetricsSink sink;
  for (int i = 0; i < 300; ++i) sink.Export({Counter("", 1)});
  EXPECT_THAT(sink.violations(), SizeIs(100));
}

}  // namespace
}  // namespace nearby
