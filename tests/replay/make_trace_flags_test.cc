#include "examples/replay/make_trace_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/replay/trace_writer.h"

namespace replay {
namespace {

using ::testing::HasSubstr;

TEST(MakeTraceFlagsTest, HasTheDefaultsThatHelpStates) {
  const absl::StatusOr<MakeTraceFlags> flags =
      ParseMakeTraceFlags({"--city", "--friends=f", "--trace", "t"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_TRUE(flags->city);
  EXPECT_EQ(flags->users, 2000u);
  EXPECT_EQ(flags->friends, "f");
  EXPECT_EQ(flags->trace, "t");
  EXPECT_EQ(flags->options.duration_ms, 30 * 60'000);
  EXPECT_EQ(flags->options.min_interval_ms, 25'000);
  EXPECT_EQ(flags->options.max_interval_ms, 35'000);
  EXPECT_EQ(flags->options.seed, 1u);
  EXPECT_TRUE(flags->options.churn);
  EXPECT_EQ(flags->time_format, TraceWriter::TimeFormat::kSeconds);
}

TEST(MakeTraceFlagsTest, TakesEveryFlag) {
  const absl::StatusOr<MakeTraceFlags> city = ParseMakeTraceFlags(
      {"--city", "--users", "10", "--minutes=0.5", "--interval-s", "1..2.5", "--seed=7", "--churn",
       "off", "--rfc3339", "--trace=-", "--minutes", "0"});
  ASSERT_TRUE(city.ok()) << city.status();
  EXPECT_EQ(city->users, 10u);
  EXPECT_EQ(city->friends, "");
  EXPECT_EQ(city->options.duration_ms, 0);
  EXPECT_EQ(city->options.min_interval_ms, 1000);
  EXPECT_EQ(city->options.max_interval_ms, 2500);
  EXPECT_EQ(city->options.seed, 7u);
  EXPECT_FALSE(city->options.churn);
  EXPECT_EQ(city->time_format, TraceWriter::TimeFormat::kRfc3339);
  const absl::StatusOr<MakeTraceFlags> gowalla =
      ParseMakeTraceFlags({"--gowalla", "dir", "--geolife=file", "--friends=f"});
  ASSERT_TRUE(gowalla.ok()) << gowalla.status();
  EXPECT_FALSE(gowalla->city);
  EXPECT_EQ(gowalla->gowalla, "dir");
  EXPECT_EQ(gowalla->geolife, "file");
  EXPECT_FALSE(gowalla->options.churn);
}

TEST(MakeTraceFlagsTest, HelpNeedsNothingElse) {
  EXPECT_TRUE(ParseMakeTraceFlags({"--help"})->help);
  EXPECT_TRUE(ParseMakeTraceFlags({"--city", "-h", "--nonsense"})->help);
}

struct Refusal {
  std::vector<const char*> arguments;
  const char* message;
};

class MakeTraceFlagsRefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(MakeTraceFlagsRefusalTest, SaysWhatIsWrong) {
  const absl::StatusOr<MakeTraceFlags> flags = ParseMakeTraceFlags(GetParam().arguments);
  EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(flags.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Each, MakeTraceFlagsRefusalTest,
    ::testing::Values(
        Refusal{{}, "--city is required, or --gowalla and --geolife"},
        Refusal{{"--gowalla=d", "--trace=t"}, "--city is required, or --gowalla and --geolife"},
        Refusal{{"--city", "--gowalla=d", "--trace=t"}, "--city is invented"},
        Refusal{{"--gowalla=d", "--geolife=f", "--users=3", "--trace=t"}, "--users is for --city"},
        Refusal{{"--city"}, "--friends or --trace is required"},
        Refusal{{"--city", "--trace=x", "--friends=x"}, "name the same file"},
        Refusal{{"--city", "--trace=-", "--friends=-"}, "name the same file"},
        Refusal{{"--city", "--trace=t", "--minutes=0"}, "it wants --trace -"},
        Refusal{{"--city", "--trace"}, "--trace needs a value"},
        Refusal{{"--city", "--trace="}, "--trace \"\": a name expected"},
        Refusal{{"--city", "--speed=3"}, "no such flag: --speed"},
        Refusal{{"--city", "trace"}, "unexpected argument \"trace\""},
        Refusal{{"--city", "--users=0"}, "--users \"0\": a number from 1 to 1000000 expected"},
        Refusal{{"--city", "--users=1000001"}, "a number from 1 to 1000000 expected"},
        Refusal{{"--city", "--minutes=-1"}, "--minutes \"-1\": a number of minutes expected"},
        Refusal{{"--city", "--minutes=nan"}, "a number of minutes expected"},
        Refusal{{"--city", "--minutes=0.000001"}, "at least a millisecond expected"},
        Refusal{{"--city", "--interval-s=30"}, "two numbers of seconds like 25..35"},
        Refusal{{"--city", "--interval-s=35..25"}, "two numbers of seconds like 25..35"},
        Refusal{{"--city", "--interval-s=0..25"}, "two numbers of seconds like 25..35"},
        Refusal{{"--city", "--seed=-1"}, "an unsigned 64-bit number expected"},
        Refusal{{"--city", "--churn=maybe"}, "\"on\" or \"off\" expected"}));

}  // namespace
}  // namespace replay
