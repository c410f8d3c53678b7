#include "examples/replay/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace replay {
namespace {

using ::testing::HasSubstr;

TEST(ReplayFlags, HasTheDefaultsOfTheEngine) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--friends", "f", "--trace=t"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->friends, "f");
  EXPECT_EQ(flags->trace, "t");
  EXPECT_EQ(flags->events, "");
  EXPECT_EQ(flags->stats, "");
  EXPECT_EQ(flags->replay.radius_m, 8046.72);
  EXPECT_EQ(flags->replay.ttl, absl::Minutes(10));
  EXPECT_EQ(flags->replay.shards, 1u);
  EXPECT_FALSE(flags->live);
  EXPECT_FALSE(flags->help);
}

TEST(ReplayFlags, TakesEveryFlag) {
  const absl::StatusOr<Flags> flags =
      ParseFlags({"--friends=f=g", "--trace", "-", "--radius-m", "0", "--ttl-s=0.5", "--shards",
                  "7", "--skipping", "off", "--skipping=on", "--events", "e", "--stats=s", "--live",
                  "--pace", "10", "--shards=4"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->friends, "f=g");
  EXPECT_EQ(flags->trace, "-");
  EXPECT_EQ(flags->events, "e");
  EXPECT_EQ(flags->stats, "s");
  EXPECT_EQ(flags->replay.radius_m, 0);
  EXPECT_EQ(flags->replay.ttl, absl::Milliseconds(500));
  EXPECT_EQ(flags->replay.shards, 4u);
  EXPECT_TRUE(flags->replay.skipping);
  EXPECT_TRUE(flags->live);
  EXPECT_EQ(flags->pace, 10);
}

TEST(ReplayFlags, TurnsSkippingOff) {
  EXPECT_TRUE(ParseFlags({"--friends=f", "--trace=t"})->replay.skipping);
  EXPECT_FALSE(ParseFlags({"--friends=f", "--trace=t", "--skipping=off"})->replay.skipping);
}

TEST(ReplayFlags, RoundsTheTtlToTheMillisecond) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--friends=f", "--trace=t", "--ttl-s=4.035"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->replay.ttl, absl::Milliseconds(4035));
}

TEST(ReplayFlags, AsksForHelp) {
  EXPECT_TRUE(ParseFlags({"--help"})->help);
  EXPECT_TRUE(ParseFlags({"--friends", "f", "-h"})->help);
  EXPECT_THAT(std::string(kHelp), HasSubstr("--skipping"));
}

TEST(ReplayFlags, SaysWhatIsWrong) {
  struct Case {
    std::vector<const char*> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{}, "--friends and --trace are required"},
      {{"--friends=f"}, "--friends and --trace are required"},
      {{"--trace=t"}, "--friends and --trace are required"},
      {{"--friends=-", "--trace=-"}, "cannot both be standard input"},
      {{"--frends=f"}, "no such flag: --frends"},
      {{"--"}, "no such flag: --"},
      {{"-x"}, "unexpected argument \"-x\""},
      {{"trace.tsv"}, "unexpected argument \"trace.tsv\""},
      {{"--friends"}, "--friends needs a value"},
      {{"--friends", "f", "--trace", "t", "--shards"}, "--shards needs a value"},
      {{"--friends="}, "--friends \"\": a file name or \"-\" expected"},
      {{"--radius-m=wide"}, "--radius-m \"wide\": a number expected"},
      {{"--radius-m=nan"}, "a number expected"},
      {{"--ttl-s=0"}, "--ttl-s \"0\": a positive number expected"},
      {{"--ttl-s=-5"}, "a positive number expected"},
      {{"--ttl-s", "10m"}, "a positive number expected"},
      {{"--shards=0"}, "--shards \"0\": a positive whole number expected"},
      {{"--shards=1.5"}, "a positive whole number expected"},
      {{"--shards=-1"}, "a positive whole number expected"},
      {{"--skipping=maybe"}, "--skipping \"maybe\": \"on\" or \"off\" expected"},
      {{"--pace=0"}, "--pace \"0\": a positive number expected"},
      {{"--live=yes"}, "no such flag: --live"},
      {{"--friends=f", "--trace=t", "--events=x", "--stats=x"}, "name the same file"},
      {{"--friends=f", "--trace=t", "--events=t"}, "output would replace the input t"},
      {{"--friends=f", "--trace=t", "--stats=f"}, "output would replace the input f"},
      {{"--friends=f", "--trace=t", "--events=-", "--live"}, "standard output to itself"},
      {{"--friends=f", "--trace=t", "--stats=-", "--live"}, "standard output to itself"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<Flags> flags = ParseFlags(c.arguments);
    EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument) << c.message;
    EXPECT_THAT(std::string(flags.status().message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace replay
