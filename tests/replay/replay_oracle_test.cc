// The replay against its oracle on random traces in which everything happens at once, and the
// oracle against events with a planted fault.

#include "tests/replay/replay_oracle.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "tests/replay/files.h"
#include "tests/replay/run_replay.h"

namespace replay {
namespace {

// A town of a dozen people who all know each other too well.
class RandomTown {
 public:
  explicit RandomTown(std::uint64_t seed) : random_(seed) {
    users_ = 2 + Below(12);
    for (std::uint64_t i = 0; i < 2 * users_; ++i) {
      absl::StrAppend(&friends_, User(), " ", User(), "\n");
    }
    for (int line = 0; line < 400; ++line) absl::StrAppend(&trace_, Line());
  }

  const std::string& friends() const { return friends_; }
  const std::string& trace() const { return trace_; }

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  std::string OneOf(std::initializer_list<const char*> words) {
    return words.begin()[Below(words.size())];
  }
  std::string User() {
    const std::uint64_t user = Below(users_);
    return absl::StrCat(user == 1 ? ~std::uint64_t{0} : user);
  }

  std::string Line() {
    // Whole seconds make deadlines, reports and settings meet.
    if (Below(2) == 0) ms_ += Below(3) * 500;
    if (Below(40) == 0) ms_ += 1000 * Below(30);
    const std::string time = absl::StrFormat("%d.%03d", ms_ / 1000, ms_ % 1000);
    if (Below(5) > 0) {
      return absl::StrFormat("%s %s %.9f %.9f ignored\n", User(), time, Coordinate(), Coordinate());
    }
    std::string pair = User();
    const std::string other = User();
    if (other == pair) return absl::StrCat("!disconnect ", pair, " ", time, "\n");
    if (Below(6) == 0) {
      return absl::StrCat("!radius ", pair, " ", OneOf({"0", "500", "8046.72", "3e4", "20100000"}),
                          " ", time, "\n");
    }
    const std::string verb = OneOf(
        {"!befriend", "!befriend", "!unfriend", "!hide", "!share", "!unsubscribe", "!subscribe"});
    return absl::StrCat(verb, " ", pair, " ", other, " ", time, "\n");
  }

  double Coordinate() {
    const double spread = Below(10) == 0 ? 90.0 : 0.1;
    return spread * (static_cast<double>(Below(2001)) / 1000 - 1);
  }

  std::mt19937_64 random_;
  std::uint64_t users_ = 0;
  std::uint64_t ms_ = 0;
  std::string friends_;
  std::string trace_;
};

replay_oracle::Verdict Check(const TempDirectory& directory, const std::string& friends,
                             const std::string& trace, const std::string& events, double ttl_s) {
  replay_oracle::Question question;
  question.friends_path = directory.Write("friends", friends);
  question.trace_path = directory.Write("trace", trace);
  question.events_path = directory.Write("events", events);
  question.ttl_s = ttl_s;
  return replay_oracle::CheckReplay(question);
}

TEST(ReplayOracleTest, RandomTracesReplayAsTheOracleHasThem) {
  const TempDirectory directory;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const RandomTown town(seed);
    Replayer::Options options;
    options.ttl = absl::Seconds(20);
    options.shards = static_cast<std::uint32_t>(seed % 5 + 1);
    const ReplayResult result = RunReplay(town.friends(), town.trace(), options);
    ASSERT_TRUE(result.status.ok()) << result.status;
    const replay_oracle::Verdict verdict =
        Check(directory, town.friends(), town.trace(), result.events, 20);
    ASSERT_EQ(verdict.differences, 0u) << verdict.first_differences.front();
  }
}

// Two friends meet, and one walks out of sight.
constexpr char kFriends[] = "1 2\n";
constexpr char kTrace[] =
    "1 0 0 0\n"
    "2 1.5 0 0.01\n"
    "2 1970-01-01T00:00:02.250Z 0 0.02\n"
    "1 1970-01-01T02:00:03+02:00 0 1\n";
constexpr char kEvents[] =
    "1500\t1\t2\tenter\t1111.951\n"
    "1500\t2\t1\tenter\t1111.951\n"
    "2250\t1\t2\tmove\t2223.902\n"
    "3000\t1\t2\tleave:range\t108971.183\n"
    "3000\t2\t1\tleave:range\t108971.183\n";

TEST(ReplayOracleTest, AcceptsWhatIsRight) {
  const replay_oracle::Verdict verdict = Check(TempDirectory(), kFriends, kTrace, kEvents, 600);
  EXPECT_EQ(verdict.differences, 0u) << verdict.first_differences.front();
  EXPECT_EQ(verdict.rows, 4u);
  EXPECT_EQ(verdict.expected.at("leave:range"), 2u);
}

TEST(ReplayOracleTest, FindsEveryKindOfFault) {
  struct Fault {
    const char* right;
    const char* wrong;
  };
  constexpr Fault kFaults[] = {
      {"2250\t1\t2\tmove\t2223.902\n", ""},
      {"2250\t1\t2\tmove\t2223.902\n", "2250\t1\t2\tmove\t2223.902\n2250\t1\t2\tmove\t2223.902\n"},
      {"2250\t1\t2\tmove\t2223.902", "2250\t2\t1\tmove\t2223.902"},
      {"2223.902", "2223.922"},
      {"2250", "2251"},
      {"leave:range\t108971.183", "leave:expired"},
      {"leave:range\t108971.183", "leave:range"},
      {"1500\t1\t2\tenter\t1111.951\n1500\t2\t1\tenter\t1111.951\n",
       "1500\t2\t1\tenter\t1111.951\n1500\t1\t2\tenter\t1111.951\n"},
      {"3000\t2\t1\tleave:range\t108971.183\n",
       "3000\t2\t1\tleave:range\t108971.183\n9000\t2\t1\tenter\t5.000\n"},
  };
  for (const Fault& fault : kFaults) {
    std::string events = kEvents;
    const std::size_t place = events.find(fault.right);
    ASSERT_NE(place, std::string::npos) << fault.right;
    events.replace(place, std::string(fault.right).size(), fault.wrong);
    EXPECT_GT(Check(TempDirectory(), kFriends, kTrace, events, 600).differences, 0u)
        << fault.right << " became " << fault.wrong;
  }
}

TEST(ReplayOracleTest, RefusesWhatItCannotRead) {
  const TempDirectory directory;
  for (const char* trace : {"1 0 0\n", "x 0 0 0\n", "1 0 0 0\n1 -1 0 0\n", "!dance 1 2 0\n",
                            "1 yesterday 0 0\n", "1 2010-13-01T00:00:00Z 0 0\n"}) {
    EXPECT_THROW(Check(directory, kFriends, trace, "", 600), replay_oracle::InputError) << trace;
  }
  EXPECT_THROW(Check(directory, kFriends, kTrace, "1500\t1\t2\n", 600), replay_oracle::InputError);
}

}  // namespace
}  // namespace replay
