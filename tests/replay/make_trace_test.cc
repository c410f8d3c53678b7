// The traces that make_trace makes: repeatable, in order, and plausible as the movement of people.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "examples/replay/great_circle.h"
#include "examples/replay/line_reader.h"
#include "examples/replay/trace_reader.h"
#include "nearby/ids.h"
#include "tests/replay/files.h"
#include "tests/replay/run_make_trace.h"

namespace replay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using FriendPairs = std::set<std::pair<std::uint64_t, std::uint64_t>>;

// Fails on anything but pairs of two different users, each pair once whichever way round.
FriendPairs ParseFriends(const std::string& text) {
  FriendPairs pairs;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> fields = absl::StrSplit(line, '\t');
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    EXPECT_TRUE(absl::SimpleAtoi(fields.first, &a)) << line;
    EXPECT_TRUE(absl::SimpleAtoi(fields.second, &b)) << line;
    EXPECT_NE(a, b);
    EXPECT_TRUE(pairs.insert(std::minmax(a, b)).second) << "repeated: " << line;
  }
  return pairs;
}

// One report after another of the same user.
struct Leg {
  double seconds = 0;
  double speed_mps = 0;
};

std::vector<Leg> LegsOf(const std::vector<TraceRow>& rows) {
  std::map<nearby::UserId, const TraceRow*> last;
  std::vector<Leg> legs;
  for (const TraceRow& row : rows) {
    if (row.kind != TraceRow::Kind::kReport) continue;
    const TraceRow*& previous = last[row.user];
    if (previous != nullptr) {
      const double seconds = static_cast<double>(row.time.ms - previous->time.ms) / 1000;
      const double meters =
          DistanceMeters(ToUnitVector(previous->location), ToUnitVector(row.location));
      legs.push_back({seconds, meters / seconds});
    }
    previous = &row;
  }
  return legs;
}

template <typename Predicate>
double ShareOf(const std::vector<Leg>& legs, const Predicate& predicate) {
  return static_cast<double>(std::count_if(legs.begin(), legs.end(), predicate)) /
         static_cast<double>(legs.size());
}

void ExpectIntervalsFrom25To35Seconds(const std::vector<Leg>& legs, double max_gap_share) {
  for (const Leg& leg : legs) ASSERT_GE(leg.seconds, 25);
  const double gaps = ShareOf(legs, [](const Leg& leg) { return leg.seconds > 35; });
  EXPECT_GT(gaps, 0);
  EXPECT_LT(gaps, max_gap_share);
}

void ExpectPlausibleSpeeds(const std::vector<Leg>& legs) {
  // GPS noise alone makes up half a metre a second.
  EXPECT_GT(ShareOf(legs, [](const Leg& leg) { return leg.speed_mps < 1.5; }), 0.3);
  EXPECT_GT(ShareOf(legs, [](const Leg& leg) { return leg.speed_mps > 5; }), 0.1);
  const auto is_flight = [](const Leg& leg) { return leg.speed_mps > 220 && leg.speed_mps < 240; };
  EXPECT_LT(ShareOf(legs, is_flight), 0.02);
  const double glitches =
      ShareOf(legs, [&](const Leg& leg) { return leg.speed_mps > 75 && !is_flight(leg); });
  EXPECT_GT(glitches, 0);
  EXPECT_LT(glitches, 0.003);
  for (const Leg& leg : legs) ASSERT_LT(leg.speed_mps, 1500);
}

std::string Gunzipped(const std::string& gzip) {
  EXPECT_THAT(gzip, StartsWith("\x1f\x8b"));
  const TempDirectory directory;
  absl::StatusOr<LineReader> reader = LineReader::Open(directory.Write("file", gzip));
  EXPECT_TRUE(reader.ok()) << reader.status();
  std::string text;
  absl::string_view line;
  while (reader.ok() && reader->Next(&line)) absl::StrAppend(&text, line, "\n");
  EXPECT_TRUE(reader->status().ok()) << reader->status();
  return text;
}

constexpr char kThreeFriends[] = "1\t3\n2\t3\n";
constexpr char kThreeUsersTrace[] =
    "3\t1287532804.920\t52.5517525\t13.4468936\n"
    "1\t1287532812.642\t52.5818921\t13.5243268\n"
    "3\t1287532830.086\t52.5502776\t13.4432223\n"
    "2\t1287532831.780\t52.4390010\t13.5067790\n"
    "1\t1287532838.255\t52.5819909\t13.5243510\n"
    "3\t1287532859.165\t52.5485759\t13.4393439\n";

TEST(MakeCityTest, TheSameSeedMakesTheSameBytes) {
  const MadeTrace first = RunMaker({"--city", "--users=200", "--minutes=10", "--seed=5"});
  const MadeTrace again = RunMaker({"--city", "--users=200", "--minutes=10", "--seed=5"});
  const MadeTrace other = RunMaker({"--city", "--users=200", "--minutes=10", "--seed=6"});
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_GT(first.trace.size(), 100'000u);
  EXPECT_EQ(first.friends, again.friends);
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_NE(first.friends, other.friends);
  EXPECT_NE(first.trace, other.trace);
}

TEST(MakeCityTest, IsTheSameWhicheverCompilerBuiltIt) {
  // Distributions of the standard library would show here.
  const MadeTrace made =
      RunMaker({"--city", "--users=3", "--minutes=1", "--seed=1", "--churn=off"});
  EXPECT_EQ(made.friends, kThreeFriends);
  EXPECT_EQ(made.trace, kThreeUsersTrace);
}

TEST(MakeCityTest, AShortTraceIsTheBeginningOfALongOne) {
  const MadeTrace brief = RunMaker({"--city", "--users=100", "--minutes=3"});
  const MadeTrace longer = RunMaker({"--city", "--users=100", "--minutes=6"});
  EXPECT_EQ(brief.friends, longer.friends);
  EXPECT_GT(longer.trace.size(), brief.trace.size() + 10'000);
  EXPECT_THAT(longer.trace, StartsWith(brief.trace));
}

TEST(MakeCityTest, EveryoneReportsEvery25To35SecondsApartFromGaps) {
  const MadeTrace made = RunMaker({"--city", "--users=500", "--minutes=20", "--churn=off"});
  const std::vector<TraceRow> rows = ParseTrace(made.trace);
  std::set<nearby::UserId> users;
  for (const TraceRow& row : rows) {
    ASSERT_EQ(row.kind, TraceRow::Kind::kReport);
    users.insert(row.user);
  }
  EXPECT_EQ(users.size(), 500u);
  EXPECT_EQ(users.count(nearby::UserId{1}), 1u);
  EXPECT_EQ(users.count(nearby::UserId{500}), 1u);
  EXPECT_LT(rows.back().time.ms - rows.front().time.ms, 20 * 60'000);
  ExpectIntervalsFrom25To35Seconds(LegsOf(rows), 0.05);
}

TEST(MakeCityTest, PeopleMoveAtPlausibleSpeeds) {
  const MadeTrace made = RunMaker({"--city", "--users=1000", "--minutes=30", "--churn=off"});
  ExpectPlausibleSpeeds(LegsOf(ParseTrace(made.trace)));
}

TEST(MakeCityTest, FriendshipsAreClusteredAndUnequallyShared) {
  const FriendPairs pairs = ParseFriends(RunMaker({"--city", "--minutes=1"}).friends);
  EXPECT_EQ(pairs.size(), 2000u * 18 / 2);
  std::map<std::uint64_t, std::vector<std::uint64_t>> friends;
  for (const auto& [a, b] : pairs) {
    friends[a].push_back(b);
    friends[b].push_back(a);
  }
  std::size_t most = 0;
  std::size_t few = 0;
  std::size_t triples = 0;
  std::size_t triangles = 0;
  for (const auto& [user, list] : friends) {
    ASSERT_GE(user, 1u);
    ASSERT_LE(user, 2000u);
    most = std::max(most, list.size());
    if (list.size() < 9) ++few;
    for (std::size_t i = 1; i < list.size(); ++i) {
      ++triples;
      triangles += pairs.count(std::minmax(list[i - 1], list[i]));
    }
  }
  EXPECT_GT(most, 150u);
  EXPECT_GT(few, 200u);
  // Of strangers, 1 pair in 111 are friends; of friends' friends, many more.
  EXPECT_GT(static_cast<double>(triangles), 0.08 * static_cast<double>(triples));
}

TEST(MakeCityTest, WithChurnEverythingThatCanHappenDoes) {
  const std::vector<TraceRow> rows =
      ParseTrace(RunMaker({"--city", "--users=500", "--minutes=120"}).trace);
  std::map<TraceRow::Kind, int> counts;
  std::map<nearby::UserId, bool> is_offline;
  int returns = 0;
  for (const TraceRow& row : rows) {
    ++counts[row.kind];
    if (row.kind == TraceRow::Kind::kDisconnect) {
      EXPECT_FALSE(is_offline[row.user]);
      is_offline[row.user] = true;
    } else if (row.kind == TraceRow::Kind::kReport) {
      returns += is_offline[row.user] ? 1 : 0;
      is_offline[row.user] = false;
    }
  }
  using Kind = TraceRow::Kind;
  for (const Kind kind : {Kind::kDisconnect, Kind::kBefriend, Kind::kUnfriend, Kind::kHide,
                          Kind::kShare, Kind::kUnsubscribe, Kind::kSubscribe, Kind::kRadius}) {
    EXPECT_GT(counts[kind], 10) << static_cast<int>(kind);
  }
  EXPECT_GT(returns, counts[Kind::kDisconnect] / 2);
}

TEST(MakeCityTest, ASmallTownWorksToo) {
  const MadeTrace hermit = RunMaker({"--city", "--users=1", "--minutes=5"});
  EXPECT_TRUE(hermit.status.ok()) << hermit.status;
  EXPECT_EQ(hermit.friends, "");
  EXPECT_GE(ParseTrace(hermit.trace).size(), 1u);
  const MadeTrace couple = RunMaker({"--city", "--users=2", "--minutes=5"});
  EXPECT_EQ(couple.friends, "1\t2\n");
  EXPECT_THAT(couple.summary, StartsWith("2 users, 1 friendship, "));
}

TEST(MakeTraceTest, WritesRfc3339AndGzip) {
  const MadeTrace plain = RunMaker({"--city", "--users=50", "--minutes=5"});
  const std::vector<TraceRow> rows = ParseTrace(plain.trace);
  const MadeTrace dated = RunMaker({"--city", "--users=50", "--minutes=5", "--rfc3339"});
  EXPECT_THAT(dated.trace, HasSubstr("\t2010-10-20T00:00:"));
  const std::vector<TraceRow> dated_rows = ParseTrace(dated.trace);
  ASSERT_EQ(dated_rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(dated_rows[i].user, rows[i].user);
    ASSERT_EQ(dated_rows[i].time, rows[i].time);
  }
  const MadeTrace gzipped = RunMaker({"--city", "--users=50", "--minutes=5"}, "trace.gz");
  EXPECT_LT(gzipped.trace.size(), plain.trace.size());
  EXPECT_EQ(Gunzipped(gzipped.trace), plain.trace);
}

class MakeTraceCommandTest : public ::testing::Test {
 protected:
  // Runs a shell command in a directory of its own, with $MAKE_TRACE for the program.
  int Run(const std::string& command) {
    const std::string all = absl::StrCat("cd '", work_.Path(""), "' && MAKE_TRACE='",
                                         NEARBY_MAKE_TRACE_PROGRAM, "' && ", command, " 2>err");
    const int status = std::system(all.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Errors() { return ReadFile(work_.Path("err")); }

  TempDirectory work_;
};

TEST_F(MakeTraceCommandTest, AnEndlessTraceEndsWithItsReader) {
  ASSERT_EQ(Run("{ \"$MAKE_TRACE\" --city --users 50 --minutes 0 --friends f --trace -; "
                "echo $? >code; } | head -n 20000 >trace"),
            0);
  EXPECT_EQ(ReadFile(work_.Path("code")), "0\n");
  EXPECT_EQ(Errors(), "");
  EXPECT_GE(ParseTrace(ReadFile(work_.Path("trace"))).size(), 19'000u);
  EXPECT_THAT(work_.List(), ElementsAre("code", "err", "f", "trace"));
}

TEST_F(MakeTraceCommandTest, WritesFilesAndASummary) {
  ASSERT_EQ(Run("\"$MAKE_TRACE\" --city --users 50 --minutes 2 --friends f --trace t"), 0);
  EXPECT_THAT(Errors(), StartsWith("50 users, 450 friendships, "));
  EXPECT_THAT(work_.List(), ElementsAre("err", "f", "t"));
}

TEST_F(MakeTraceCommandTest, WrongInputLeavesNothing) {
  EXPECT_EQ(Run("\"$MAKE_TRACE\" --city --friends f --trace t --users none"), 2);
  EXPECT_THAT(Errors(), StartsWith("--users \"none\": "));
  EXPECT_EQ(Run("\"$MAKE_TRACE\" --gowalla nowhere --geolife none --friends f --trace t"), 2);
  EXPECT_THAT(Errors(), StartsWith("none: cannot open: "));
  EXPECT_EQ(Run("\"$MAKE_TRACE\" --city --minutes 1 --friends f --trace no/such/directory"), 2);
  EXPECT_THAT(Errors(), HasSubstr("cannot write: "));
  EXPECT_THAT(work_.List(), ElementsAre("err"));
}

TEST_F(MakeTraceCommandTest, AFullDiskIsAnError) {
  EXPECT_EQ(Run("\"$MAKE_TRACE\" --city --minutes 1 --friends f --trace /dev/full"), 1);
  EXPECT_THAT(Errors(), StartsWith("/dev/full: cannot write: "));
  EXPECT_THAT(work_.List(), ElementsAre("err"));
}

TEST(MakeGowallaTest, EveryUserWithCheckInsReports) {
  const char* data = std::getenv("NEARBY_DATA_DIR");
  if (data == nullptr) GTEST_SKIP() << "NEARBY_DATA_DIR names no directory with gowalla/";
  const std::string gowalla = absl::StrCat("--gowalla=", data, "/gowalla");
  const std::string geolife = absl::StrCat("--geolife=", data, "/geolife/geolife_sample.txt.gz");
  const MadeTrace made = RunMaker({gowalla.c_str(), geolife.c_str()});
  ASSERT_TRUE(made.status.ok()) << made.status;
  EXPECT_EQ(ParseFriends(made.friends).size(), 46'001u);
  const std::vector<TraceRow> rows = ParseTrace(made.trace);
  std::set<nearby::UserId> users;
  for (const TraceRow& row : rows) users.insert(row.user);
  EXPECT_EQ(users.size(), 5'628u);
  const std::vector<Leg> legs = LegsOf(rows);
  ExpectIntervalsFrom25To35Seconds(legs, 0.05);
  ExpectPlausibleSpeeds(legs);
}

}  // namespace
}  // namespace replay
