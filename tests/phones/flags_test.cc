#include "examples/phones/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nearby/ids.h"
#include "nearby/wire_format.h"

namespace phones {
namespace {

using ::testing::HasSubstr;

TEST(PhonesFlagsTest, HasDefaults) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--city"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->servers[0].host, "127.0.0.1");
  EXPECT_EQ(flags->servers[0].port, "8080");
  EXPECT_EQ(flags->format, nearby::WireFormat::kProtobuf);
  EXPECT_EQ(flags->users, 200);
  EXPECT_EQ(flags->seed, 1);
  EXPECT_EQ(flags->pace, 30);
  EXPECT_EQ(flags->duration, absl::InfiniteDuration());
  EXPECT_EQ(flags->patience, absl::Seconds(15));
  EXPECT_FALSE(flags->connections.has_value());
  EXPECT_FALSE(flags->watch.has_value());
  EXPECT_FALSE(flags->insecure || flags->load || flags->once || flags->help);
}

TEST(PhonesFlagsTest, ReadsALife) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--server",
                                                  "[::1]:9000",
                                                  "--friends=f.tsv",
                                                  "--trace",
                                                  "-",
                                                  "--format",
                                                  "json",
                                                  "--secret-file",
                                                  "s",
                                                  "--patience-s",
                                                  "2.5",
                                                  "--connections",
                                                  "7",
                                                  "--watch",
                                                  "42",
                                                  "--pace=60",
                                                  "--minutes",
                                                  "1.5",
                                                  "--once",
                                                  "--sights",
                                                  "s.tsv",
                                                  "--radius-m=100",
                                                  "--grace-s",
                                                  "0.5",
                                                  "--json",
                                                  "out.json"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->sights, "s.tsv");
  EXPECT_EQ(flags->radius_m, 100);
  EXPECT_EQ(flags->grace, absl::Milliseconds(500));
  EXPECT_EQ(flags->servers[0].host, "::1");
  EXPECT_EQ(flags->servers[0].port, "9000");
  EXPECT_EQ(flags->friends, "f.tsv");
  EXPECT_EQ(flags->trace, "-");
  EXPECT_EQ(flags->format, nearby::WireFormat::kJson);
  EXPECT_EQ(flags->secret_file, "s");
  EXPECT_EQ(flags->patience, absl::Milliseconds(2500));
  EXPECT_EQ(flags->connections, 7);
  EXPECT_EQ(flags->watch, nearby::UserId{42});
  EXPECT_EQ(flags->pace, 60);
  EXPECT_EQ(flags->duration, absl::Seconds(90));
  EXPECT_TRUE(flags->once);
  EXPECT_EQ(flags->json, "out.json");
}

TEST(PhonesFlagsTest, ReadsALoad) {
  const absl::StatusOr<Flags> flags =
      ParseFlags({"--load", "--rate", "5000", "--seconds", "30", "--threads", "2", "--insecure"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_TRUE(flags->load);
  EXPECT_TRUE(flags->insecure);
  EXPECT_EQ(flags->users, 1000);
  EXPECT_EQ(flags->rate, 5000);
  EXPECT_EQ(flags->load_duration, absl::Seconds(30));
  EXPECT_EQ(flags->threads, 2);
}

TEST(PhonesFlagsTest, ReadsSeveralServers) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--city", "--servers", "a:1,[::1]:2,a:3"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  ASSERT_EQ(flags->servers.size(), 3);
  EXPECT_EQ(flags->servers[1].host, "::1");
  EXPECT_EQ(flags->servers[2].port, "3");
}

TEST(PhonesFlagsTest, WatchesWhomItIsToldLast) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--city", "--watch", "4", "--watch", "auto"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_FALSE(flags->watch.has_value());
}

TEST(PhonesFlagsTest, HelpsWhateverElseIsWrong) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--help", "--nonsense"});
  ASSERT_TRUE(flags.ok());
  EXPECT_TRUE(flags->help);
}

struct Refusal {
  std::vector<const char*> arguments;
  std::string message;

  friend std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
    return out << refusal.message;
  }
};

class PhonesFlagsRefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(PhonesFlagsRefusalTest, SaysWhatIsWrong) {
  const absl::StatusOr<Flags> flags = ParseFlags(GetParam().arguments);
  EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(flags.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Each, PhonesFlagsRefusalTest,
    ::testing::Values(
        Refusal{{}, "--city is required, or --friends and --trace, or --load"},
        Refusal{{"--city", "--trace", "t", "--friends", "f"}, "one of these"},
        Refusal{{"--trace", "t"}, "--friends and --trace"},
        Refusal{{"--friends", "f"}, "--friends and --trace"},
        Refusal{{"--friends", "-", "--trace", "-"}, "cannot both be standard input"},
        Refusal{{"--friends", "f", "--trace", "t", "--users", "3"}, "are for --city"},
        Refusal{{"--friends", "f", "--trace", "t", "--write-friends", "w"}, "are for --city"},
        Refusal{{"--friends", "f", "--trace", "t", "--json", "t"}, "would replace the input"},
        Refusal{{"--city", "--rate", "3"}, "are for --load"},
        Refusal{{"--load", "--watch", "3"}, "--load has no table"},
        Refusal{{"--load", "--once"}, "--load has no table"},
        Refusal{{"--city", "--insecure", "--secret-file", "s"}, "takes no --secret-file"},
        Refusal{{"--city", "--server", "8080"}, "HOST:PORT expected"},
        Refusal{{"--city", "--servers", "host:1,"}, "HOST:PORT expected"},
        Refusal{{"--load", "--sights", "s"}, "--load has no table"},
        Refusal{{"--city", "--server", "host:0"}, "HOST:PORT expected"},
        Refusal{{"--city", "--server", "host:65536"}, "HOST:PORT expected"},
        Refusal{{"--city", "--format", "xml"}, "\"protobuf\" or \"json\" expected"},
        Refusal{{"--city", "--users", "0"}, "a number from 1 to 100000 expected"},
        Refusal{{"--city", "--connections", "x"}, "a number from 1 to 100000 expected"},
        Refusal{{"--city", "--pace", "0"}, "a positive number expected"},
        Refusal{{"--city", "--minutes", "-1"}, "a number of minutes expected"},
        Refusal{{"--city", "--watch", "me"}, "a user or \"auto\" expected"},
        Refusal{{"--city", "--seed", "-1"}, "an unsigned 64-bit number expected"},
        Refusal{{"--load", "--rate", "-1"}, "a number of reports expected"},
        Refusal{{"--load", "--threads", "65"}, "a number from 1 to 64 expected"},
        Refusal{{"--city", "--json", ""}, "a name expected"},
        Refusal{{"--city", "--nonsense"}, "no such flag: --nonsense"},
        Refusal{{"--city", "--users"}, "--users needs a value"},
        Refusal{{"city"}, "unexpected argument \"city\""}));

}  // namespace
}  // namespace phones
