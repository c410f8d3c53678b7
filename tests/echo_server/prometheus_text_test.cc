#include "examples/echo_server/prometheus_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "examples/echo_server/metrics_page.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/runtime.h"
#include "nearby/testing/simulated_clock.h"

namespace echo_server {
namespace {

using nearby::Metric;
using ::testing::HasSubstr;

TEST(PrometheusText, GivesEachNameOneHead) {
  const std::vector<Metric> metrics = {
      {"a_total", "How many.", Metric::Kind::kCounter, "", "", 7},
      {"b_total", "Others.", Metric::Kind::kCounter, "kind", "x", 1},
      {"b_total", "Others.", Metric::Kind::kCounter, "kind", "y", 18446744073709551615u},
      {"c", "Now.", Metric::Kind::kGauge, "", "", 0},
  };
  EXPECT_EQ(ToPrometheusText(metrics),
            "# HELP a_total How many.\n"
            "# TYPE a_total counter\n"
            "a_total 7\n"
            "# HELP b_total Others.\n"
            "# TYPE b_total counter\n"
            "b_total{kind=\"x\"} 1\n"
            "b_total{kind=\"y\"} 18446744073709551615\n"
            "# HELP c Now.\n"
            "# TYPE c gauge\n"
            "c 0\n");
}

TEST(PrometheusText, EscapesWhatWouldEndTheLine) {
  const std::vector<Metric> metrics = {
      {"a", "back\\slash\nline", Metric::Kind::kGauge, "l", "q\"b\\n\n", 1}};
  EXPECT_EQ(ToPrometheusText(metrics),
            "# HELP a back\\\\slash\\nline\n# TYPE a gauge\na{l=\"q\\\"b\\\\n\\n\"} 1\n");
}

TEST(PrometheusText, IsEmptyWithoutMetrics) { EXPECT_EQ(ToPrometheusText({}), ""); }

class NullSink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch&) override { return Flow::kReady; }
  void Ended(nearby::SessionId, std::uint64_t, EndReason) override {}
};

TEST(MetricsPage, ShowsRuntimeAndServer) {
  ServerStats stats;
  const FriendRequests requests{FriendRequests::Options()};
  const ConnectionSlots slots(10);
  ConnectionSlots requests_under_way(10);
  const ConnectionSlots::Slot request = requests_under_way.Take();
  MetricsPage page(&stats, &requests, &slots, &requests_under_way);
  nearby::SimulatedClock clock(nearby::Time::Millis(0));
  nearby::InMemoryFriendStore friends;
  NullSink sink;
  nearby::RuntimeHost host;
  host.sink = &sink;
  host.friends = &friends;
  host.clock = &clock;
  host.metrics = &page;
  auto runtime = nearby::Runtime::Create({}, std::move(host)).value();
  nearby::ConnectCall connect;
  connect.user = nearby::UserId{1};
  connect.cookie = 1;
  runtime->Connect(connect, [](const auto&) {});
  runtime->PollAll();
  clock.Advance(absl::Seconds(30));
  runtime->PollAll();
  clock.Advance(absl::Seconds(30));
  runtime->PollAll();
  stats.upgrades.Add(3);

  const std::string text = page.Render();
  EXPECT_THAT(text, HasSubstr("\nnearby_server_upgrades_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\nnearby_server_connections 0\n"));
  EXPECT_THAT(text, HasSubstr("\nnearby_server_requests_under_way 1\n"));
  EXPECT_THAT(text, HasSubstr("\nnearby_sessions 1\n"));
  // No family comes twice, and each has the prefix.
  std::set<std::string> families;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "# TYPE ")) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      EXPECT_TRUE(families.insert(words[2]).second) << words[2];
      EXPECT_TRUE(absl::StartsWith(words[2], "nearby_")) << words[2];
      EXPECT_EQ(absl::EndsWith(words[2], "_total"), words[3] == "counter") << words[2];
    }
  }
  EXPECT_GT(families.size(), 40u);
}

}  // namespace
}  // namespace echo_server
