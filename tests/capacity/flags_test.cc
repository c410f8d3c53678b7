#include "benchmarks/capacity/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace capacity {
namespace {

using ::testing::HasSubstr;

TEST(CapacityFlags, HasTheLoadOfTheTextbookByDefault) {
  const absl::StatusOr<Flags> flags = ParseFlags({});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->users, 10'000'000u);
  EXPECT_EQ(flags->friends, 40u);
  EXPECT_EQ(flags->shards, 1u);
  EXPECT_TRUE(flags->skipping);
  EXPECT_TRUE(flags->baseline);
  EXPECT_EQ(flags->json, "");
}

TEST(CapacityFlags, TakesEveryFlag) {
  const absl::StatusOr<Flags> flags =
      ParseFlags({"--users=1000", "--friends", "5", "--shards=1", "--skipping", "off",
                  "--baseline=off", "--batch=7", "--chunk=9", "--repetitions=3",
                  "--warmup-rounds=2", "--reconnects=0", "--reference-users=2000",
                  "--seed=18446744073709551615", "--json", "first", "--json=second"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->users, 1'000u);
  EXPECT_EQ(flags->friends, 5u);
  EXPECT_FALSE(flags->skipping);
  EXPECT_FALSE(flags->baseline);
  EXPECT_EQ(flags->batch, 7u);
  EXPECT_EQ(flags->chunk, 9u);
  EXPECT_EQ(flags->repetitions, 3u);
  EXPECT_EQ(flags->warmup_rounds, 2u);
  EXPECT_EQ(flags->reconnects, 0u);
  EXPECT_EQ(flags->reference_users, 2'000u);
  EXPECT_EQ(flags->seed, ~std::uint64_t{0});
  EXPECT_EQ(flags->json, "second");
}

TEST(CapacityFlags, AsksForHelp) {
  EXPECT_TRUE(ParseFlags({"--help", "--nonsense"})->help);
  EXPECT_THAT(std::string(kHelp), HasSubstr("--warmup-rounds"));
}

TEST(CapacityFlags, SaysWhatIsWrong) {
  struct Case {
    std::vector<const char*> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"users"}, "unexpected argument \"users\""},
      {{"--user", "1000"}, "no such flag: --user"},
      {{"--users"}, "--users \"\": a whole number from 1000 to 67108864 expected"},
      {{"--users", "1e6"}, "--users \"1e6\": a whole number"},
      {{"--users", " 1000"}, "a whole number"},
      {{"--users", "99999999999999999999"}, "a whole number"},
      {{"--friends", "0"}, "--friends \"0\": a whole number from 1 to 100 expected"},
      {{"--users=67108864", "--friends=100"}, "--users times --friends must stay below"},
      {{"--shards", "2"}, "--shards \"2\": a whole number from 1 to 1 expected"},
      {{"--skipping", "yes"}, "--skipping \"yes\": \"on\" or \"off\" expected"},
      {{"--json="}, "--json \"\": a path expected"},
      {{"--export-reports=1"}, "--export-reports goes with --export"},
      {{"--export=d", "--json=f"}, "--export measures nothing"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<Flags> flags = ParseFlags(c.arguments);
    EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument) << c.message;
    EXPECT_THAT(std::string(flags.status().message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace capacity
