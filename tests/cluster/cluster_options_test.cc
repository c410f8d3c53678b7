#include "nearby/cluster_options.h"

#include <functional>
#include <limits>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/cluster.h"

namespace nearby {
namespace {

using ::testing::HasSubstr;

TEST(ClusterOptionsTest, DefaultsAreValid) { EXPECT_TRUE(ClusterOptions().Validate().ok()); }

TEST(ClusterOptionsTest, RefusesWhatIsOutOfRangeByName) {
  struct Case {
    const char* name;
    std::function<void(ClusterOptions*)> spoil;
  };
  const Case cases[] = {
      {"lease_duration", [](auto* o) { o->lease_duration = absl::Milliseconds(9); }},
      {"lease_duration", [](auto* o) { o->lease_duration = absl::InfiniteDuration(); }},
      {"lease_margin", [](auto* o) { o->lease_margin = absl::ZeroDuration(); }},
      {"lease_margin", [](auto* o) { o->lease_margin = o->lease_duration; }},
      {"probe_interval", [](auto* o) { o->probe_interval = absl::ZeroDuration(); }},
      {"max_park", [](auto* o) { o->max_park = absl::ZeroDuration(); }},
      {"ring_settle", [](auto* o) { o->ring_settle = -absl::Seconds(1); }},
      {"call_timeout", [](auto* o) { o->call_timeout = absl::ZeroDuration(); }},
      {"min_retry_delay", [](auto* o) { o->min_retry_delay = absl::ZeroDuration(); }},
      {"max_retry_delay",
       [](auto* o) { o->max_retry_delay = o->min_retry_delay - absl::Milliseconds(1); }},
      {"max_resubscribes_per_second", [](auto* o) { o->max_resubscribes_per_second = 0; }},
      {"max_resubscribes_per_second",
       [](auto* o) { o->max_resubscribes_per_second = std::numeric_limits<double>::quiet_NaN(); }},
      {"max_resubscribes_per_second",
       [](auto* o) { o->max_resubscribes_per_second = std::numeric_limits<double>::infinity(); }},
      {"max_subscribes_in_flight", [](auto* o) { o->max_subscribes_in_flight = 0; }},
      {"max_queries", [](auto* o) { o->max_queries = 0; }},
      {"max_query_batch", [](auto* o) { o->max_query_batch = 0; }},
      {"max_query_batch", [](auto* o) { o->max_query_batch = 4097; }},
      {"max_guests", [](auto* o) { o->max_guests = 0; }},
      {"max_fences", [](auto* o) { o->max_fences = 0; }},
      {"max_unacknowledged", [](auto* o) { o->max_unacknowledged = 0; }},
  };
  for (const Case& one : cases) {
    ClusterOptions options;
    one.spoil(&options);
    const absl::Status status = options.Validate();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << one.name << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.name));
    EXPECT_TRUE(absl::IsInvalidArgument(Cluster::Create(options, {}).status()));
  }
}

TEST(ClusterOptionsTest, NoSettlingIsAllowed) {
  ClusterOptions options;
  options.ring_settle = absl::ZeroDuration();
  EXPECT_TRUE(options.Validate().ok());
}

TEST(ClusterOptionsTest, AClusterNeedsAllOfItsHost) {
  EXPECT_TRUE(absl::IsInvalidArgument(Cluster::Create({}, {}).status()));
}

}  // namespace
}  // namespace nearby
