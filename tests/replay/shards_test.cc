// The events of a replay do not depend on how many engines share the users, nor on how many rows
// are read at a time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "examples/replay/replayer.h"
#include "tests/replay/run_replay.h"

namespace replay {
namespace {

using ::testing::HasSubstr;

constexpr int kUsers = 60;
constexpr int kRows = 20'000;

class RandomTrace {
 public:
  // The order in which arguments are evaluated is the compiler's: every draw is a statement of its
  // own.
  explicit RandomTrace(std::uint64_t seed) : random_(seed) {}

  std::string Friends() {
    std::string text;
    for (int i = 0; i < 5 * kUsers; ++i) {
      const std::uint64_t a = Draw(kUsers);
      const std::uint64_t b = Draw(kUsers);
      absl::StrAppend(&text, a, "\t", b, "\n");
    }
    return text;
  }

  // Mostly reports, within some 30 km; every action; often several lines in a millisecond, and
  // now and then a pause in which some or all expire.
  std::string Rows() {
    std::string text;
    std::uint64_t ms = 0;
    for (int i = 0; i < kRows; ++i) {
      if (Draw(3) != 0) ms += Draw(400);
      if (Draw(2000) == 0) ms += Draw(30'000);
      const std::string time = absl::StrFormat("%d.%03d", ms / 1000, ms % 1000);
      if (Draw(8) == 0) {
        absl::StrAppend(&text, Action(), " ", time, "\n");
      } else {
        const std::uint64_t user = Draw(kUsers);
        absl::StrAppend(&text, user, " ", time, " ", Place(), "\n");
      }
    }
    return text;
  }

 private:
  std::uint64_t Draw(std::uint64_t below) { return random_() % below; }

  // Without its time.
  std::string Action() {
    constexpr const char* kPairVerbs[] = {"befriend", "unfriend",    "hide",
                                          "share",    "unsubscribe", "subscribe"};
    const std::uint64_t a = Draw(kUsers);
    const std::uint64_t b = (a + 1 + Draw(kUsers - 1)) % kUsers;
    const std::uint64_t verb = Draw(std::size(kPairVerbs) + 2);
    if (verb < std::size(kPairVerbs)) return absl::StrCat("!", kPairVerbs[verb], " ", a, " ", b);
    if (verb == std::size(kPairVerbs)) return absl::StrCat("!radius ", a, " ", Draw(20'000));
    return absl::StrCat("!disconnect ", a);
  }

  // On both sides of the antimeridian.
  std::string Place() {
    const std::uint64_t lat = Draw(3000);
    const std::uint64_t lng = Draw(2000);
    return absl::StrFormat("48.%04d %s179.9%03d", lat, lng < 1000 ? "" : "-", lng % 1000);
  }

  std::mt19937_64 random_;
};

TEST(ReplayShards, GiveTheSameEventsWhateverTheirNumber) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    RandomTrace random(seed);
    const std::string friends = random.Friends();
    const std::string trace = random.Rows();
    Replayer::Options options;
    options.ttl = absl::Seconds(20);
    const ReplayResult one = RunReplay(friends, trace, options);
    ASSERT_EQ(one.status, absl::OkStatus()) << "seed " << seed;
    for (const char* kind :
         {"\tenter\t", "\tmove\t", "\tleave:range\t", "\tleave:expired\t", "\tleave:offline\t",
          "\tleave:unfriended\t", "\tleave:unsubscribed\t", "\tleave:hidden\t"}) {
      EXPECT_THAT(one.events, HasSubstr(kind)) << "seed " << seed;
    }
    for (const std::uint32_t shards : {2u, 4u, 7u, 64u}) {
      options.shards = shards;
      const ReplayResult several = RunReplay(friends, trace, options);
      EXPECT_EQ(several.status, absl::OkStatus());
      EXPECT_TRUE(several.events == one.events) << shards << " shards, seed " << seed;
    }
  }
}

// A thousand in one place, who all see each other: every row makes a thousand deliveries, so that
// many gather within a batch of rows, and the millisecond that they share spans several batches.
TEST(ReplayShards, WriteWhatACrowdHearsInOrder) {
  constexpr int kCrowd = 1000;
  std::string friends;
  for (int i = 1; i < kCrowd; ++i) absl::StrAppend(&friends, "0 ", i, "\n");
  std::string trace;
  for (int i = 0; i < kCrowd; ++i) absl::StrAppend(&trace, i, " 1 48 11\n");
  std::string expected;
  for (int i = 1; i < kCrowd; ++i) absl::StrAppend(&expected, "1000\t0\t", i, "\tenter\t0.000\n");
  for (int i = 1; i < kCrowd; ++i) {
    absl::StrAppend(&expected, "1000\t", i, "\t0\tenter\t0.000\n");
    for (int k = 0; k < 200; ++k) absl::StrAppend(&expected, "1000\t", i, "\t0\tmove\t0.000\n");
  }
  for (int k = 0; k < 200; ++k) absl::StrAppend(&trace, "0 1 48 11\n");
  for (int i = 1; i < kCrowd; ++i) {
    absl::StrAppend(&expected, "601000\t", i, "\t0\tleave:expired\t\n");
  }
  const ReplayResult result = RunReplay(friends, trace);
  EXPECT_EQ(result.status, absl::OkStatus());
  EXPECT_TRUE(result.events == expected);
}

}  // namespace
}  // namespace replay
