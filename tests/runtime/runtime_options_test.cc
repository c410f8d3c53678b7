#include "nearby/runtime_options.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/runtime.h"
#include "nearby/testing/recording_client_sink.h"

namespace nearby {
namespace {

using ::testing::HasSubstr;

struct BadOption {
  const char* name;
  std::function<void(RuntimeOptions*)> spoil;
};

std::vector<BadOption> BadOptions() {
  return {
      {"radius", [](RuntimeOptions* o) { o->engine.radius_m = -1; }},
      {"shard", [](RuntimeOptions* o) { o->shards = 0; }},
      {"shard", [](RuntimeOptions* o) { o->shards = 65; }},
      {"load_timeout", [](RuntimeOptions* o) { o->load_timeout = absl::ZeroDuration(); }},
      {"load_timeout", [](RuntimeOptions* o) { o->load_timeout = absl::InfiniteDuration(); }},
      {"min_retry_delay", [](RuntimeOptions* o) { o->min_retry_delay = -absl::Seconds(1); }},
      {"max_retry_delay", [](RuntimeOptions* o) { o->max_retry_delay = absl::Milliseconds(99); }},
      {"drain_spread", [](RuntimeOptions* o) { o->drain_spread = -absl::Milliseconds(1); }},
      {"metrics_interval", [](RuntimeOptions* o) { o->metrics_interval = absl::Microseconds(1); }},
      {"drain_clients", [](RuntimeOptions* o) { o->drain_clients_per_second = 0; }},
      {"drain_clients",
       [](RuntimeOptions* o) {
         o->drain_clients_per_second = std::numeric_limits<double>::quiet_NaN();
       }},
      {"drain_clients",
       [](RuntimeOptions* o) {
         o->drain_clients_per_second = std::numeric_limits<double>::infinity();
       }},
      {"max_queued_reports", [](RuntimeOptions* o) { o->max_queued_reports = 0; }},
      {"max_queued_calls", [](RuntimeOptions* o) { o->max_queued_calls = 0; }},
      {"max_queued_messages", [](RuntimeOptions* o) { o->max_queued_messages = 0; }},
      {"max_loads_in_flight", [](RuntimeOptions* o) { o->max_loads_in_flight = 0; }},
      {"max_edits_in_flight", [](RuntimeOptions* o) { o->max_edits_in_flight = 0; }},
      {"max_pending_events", [](RuntimeOptions* o) { o->max_pending_events = 0; }},
      {"max_unstored_locations", [](RuntimeOptions* o) { o->max_unstored_locations = 0; }},
      {"max_batch", [](RuntimeOptions* o) { o->max_batch = std::size_t{1} << 31; }},
  };
}

TEST(RuntimeOptionsTest, TheDefaultsAreValid) { EXPECT_TRUE(RuntimeOptions().Validate().ok()); }

TEST(RuntimeOptionsTest, AllNumbersOfShardsAreValid) {
  RuntimeOptions options;
  for (options.shards = 1; options.shards <= 64; ++options.shards) {
    EXPECT_TRUE(options.Validate().ok()) << options.shards;
  }
}

TEST(RuntimeOptionsTest, WhereAShardStandsIsFilledIn) {
  RuntimeOptions options;
  options.shards = 2;
  options.engine.shard = ShardId{17};
  options.engine.shard_count = 3;
  EXPECT_TRUE(options.Validate().ok()) << options.Validate();
}

TEST(RuntimeOptionsTest, AnOptionOutOfItsRangeIsNamed) {
  for (const BadOption& bad : BadOptions()) {
    RuntimeOptions options;
    bad.spoil(&options);
    const absl::Status status = options.Validate();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.name));
  }
}

TEST(RuntimeOptionsTest, NoRuntimeIsMadeOfBadOptionsOrWithoutWhatItNeeds) {
  RecordingClientSink sink;
  InMemoryFriendStore friends;
  RuntimeOptions bad;
  bad.max_batch = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(Runtime::Create(bad, {&sink, &friends}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Runtime::Create({}, {nullptr, &friends}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Runtime::Create({}, {&sink, nullptr}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Runtime::Create({}, {&sink, &friends, nullptr}).status()));
  EXPECT_TRUE(Runtime::Create({}, {&sink, &friends}).ok());
}

}  // namespace
}  // namespace nearby
