// nearby_replay as a user runs it: exit status, standard streams, and the files that are left.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kFriends[] = "1 2\n";
constexpr char kTrace[] = "1 0 0 0\n2 10 0 0.02197265625\n";
constexpr char kEvents[] =
    "10000\t1\t2\tenter\t2443.251\n"
    "10000\t2\t1\tenter\t2443.251\n"
    "600000\t2\t1\tleave:expired\t\n";

struct Finished {
  int exit_code = -1;
  std::string out;
  std::string err;
};

class ReplayCommandTest : public ::testing::Test {
 protected:
  ReplayCommandTest() {
    work_.Write("friends", kFriends);
    work_.Write("trace", kTrace);
  }

  // Runs the program in the directory of the test's files; `arguments` may redirect, as in a shell.
  Finished Run(const std::string& arguments) {
    const TempDirectory streams;
    const std::string command =
        absl::StrCat("cd '", work_.Path(""), "' && '", NEARBY_REPLAY_PROGRAM, "' >'",
                     streams.Path("out"), "' 2>'", streams.Path("err"), "' ", arguments);
    const int status = std::system(command.c_str());
    Finished finished;
    if (WIFEXITED(status)) finished.exit_code = WEXITSTATUS(status);
    finished.out = ReadFile(streams.Path("out"));
    finished.err = ReadFile(streams.Path("err"));
    return finished;
  }

  TempDirectory work_;
};

TEST_F(ReplayCommandTest, WritesEventsAndASummary) {
  const Finished run = Run("--friends friends --trace trace --events events");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, StartsWith("2 rows, 2 users, 1 friendships, 1 shards\n"
                                  "3 events: 2 enters, 0 moves, 1 leaves (expired 1)\n"));
  EXPECT_EQ(ReadFile(work_.Path("events")), kEvents);
  EXPECT_THAT(work_.List(), ElementsAre("events", "friends", "trace"));
}

TEST_F(ReplayCommandTest, WritesStatisticsInsteadOfASummary) {
  const Finished run = Run("--friends=friends --trace=trace --stats=stats --shards=4");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  const std::string stats = ReadFile(work_.Path("stats"));
  EXPECT_THAT(stats, StartsWith("{\"rows\": 2, \"users\": 2, \"friendships\": 1, \"shards\": 4, "
                                "\"reports\": 2, \"stale\": 0, \"checks\": "));
  EXPECT_THAT(stats, HasSubstr("\"skipped\": 0, \"events\": 3, \"deliveries\": 5, \"enters\": 2, "
                               "\"moves\": 0, \"leaves\": {\"range\": 0, \"expired\": 1, "));
  EXPECT_THAT(stats, HasSubstr("\"resets\": 2, \"connects\": 2, "));
  EXPECT_THAT(stats, EndsWith("}\n"));
}

TEST_F(ReplayCommandTest, ReadsAndWritesStandardStreams) {
  for (const char* arguments :
       {"--friends friends --trace - --events - <trace",
        "--friends - --trace trace --events - <friends",
        "--friends friends --trace trace --events /dev/stdout",
        "--friends friends --trace trace --events /dev/fd/1",
        "--friends friends --trace trace --events - --skipping off --shards 7",
        "--friends friends --trace /dev/stdin --events - <trace"}) {
    const Finished run = Run(arguments);
    EXPECT_EQ(run.exit_code, 0) << arguments << "\n" << run.err;
    EXPECT_EQ(run.out, kEvents) << arguments;
  }
  work_.Write("trace.gz", Gzipped(kTrace));
  EXPECT_EQ(Run("--friends friends --trace - --events - <trace.gz").out, kEvents);
  EXPECT_EQ(Run("--friends friends --trace trace.gz --events -").out, kEvents);
  const Finished stats = Run("--friends friends --trace trace --stats -");
  EXPECT_THAT(stats.out, StartsWith("{\"rows\": 2, "));
  EXPECT_THAT(work_.List(), ElementsAre("friends", "trace", "trace.gz"));
}

TEST_F(ReplayCommandTest, AppendsToStandardOutputWhereTheShellSaysSo) {
  work_.Write("log", "before\n");
  EXPECT_EQ(Run("--friends friends --trace trace --events /dev/stdout >>log").exit_code, 0);
  EXPECT_EQ(ReadFile(work_.Path("log")), absl::StrCat("before\n", kEvents));
}

TEST_F(ReplayCommandTest, ExplainsItself) {
  const Finished run = Run("--help");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  for (const char* flag : {"--friends", "--trace", "--radius-m", "--ttl-s", "--shards",
                           "--skipping", "--events", "--stats", "--live", "--pace"}) {
    EXPECT_THAT(run.out, HasSubstr(flag));
  }
}

TEST_F(ReplayCommandTest, RefusesBadCommandLines) {
  struct Case {
    const char* arguments;
    const char* message;
  };
  constexpr Case kCases[] = {
      {"", "--friends and --trace are required"},
      {"--friends friends --trace trace --event events", "no such flag: --event"},
      {"--friends friends --trace trace --radius-m -1", "radius_m"},
      {"--friends friends --trace trace --radius-m 1e9", "radius_m"},
      {"--friends friends --trace trace --ttl-s 1e9", "ttl"},
      {"--friends friends --trace trace --ttl-s 1e300", "ttl"},
      {"--friends friends --trace trace --ttl-s 0.0001", "ttl"},
      {"--friends friends --trace trace --shards 65", "shard_count"},
      {"--friends friends --trace trace --events no/such/file", "no/such/file: cannot write"},
      {"--friends friends --trace trace --events .", ".: cannot write: Is a directory"},
      {"--friends friends --trace trace --events events --stats no/such/file",
       "no/such/file: cannot write"},
      {"--friends missing --trace trace --events events", "missing: cannot open"},
      {"--friends friends --trace missing --events events", "missing: cannot open"},
      {"--friends friends --trace . --events events", ".:1: cannot read: Is a directory"},
  };
  for (const Case& c : kCases) {
    const Finished run = Run(c.arguments);
    EXPECT_EQ(run.exit_code, 2) << c.arguments;
    EXPECT_THAT(run.err, HasSubstr(c.message)) << c.arguments;
    EXPECT_EQ(run.out, "") << c.arguments;
    EXPECT_THAT(work_.List(), ElementsAre("friends", "trace")) << c.arguments;
  }
}

TEST_F(ReplayCommandTest, NamesTheLineOfATraceThatIsWrongAndLeavesNoOutput) {
  struct Case {
    std::string line;
    const char* message;
  };
  const Case cases[] = {
      {"1 10", "too few fields"},
      {"x 10 0 0", "not a user"},
      {"1 x 0 0", "not a time"},
      {"1 10 x 0", "the latitude is not a number"},
      {"1 10 0 nan", "the longitude is not a number"},
      {"1 10 95 0", "latitude"},
      {"1 10 0 -181", "longitude"},
      {"1 9.999 0 0", "earlier than the one before it"},
      {"!dance 1 2 10", "no such action"},
      {"!hide 1 10", "wrong number of fields"},
      {"!befriend 1 1 10", "the same user twice"},
      {"!radius 1 -0.5 10", "radius"},
      {"!radius 1 20100001 10", "radius"},
      {"1 9007199254740 0 0", "the time is too late"},
      {std::string("1 10 0 0\0", 9), "NUL byte"},
      {std::string(70'000, '1'), "longer than"},
  };
  for (const Case& c : cases) {
    work_.Write("bad", absl::StrCat(kTrace, c.line, "\n1 11 0 0\n"));
    for (const char* shards : {"1", "4"}) {
      const Finished run = Run(absl::StrCat(
          "--friends friends --trace bad --events events --stats stats --shards ", shards));
      EXPECT_EQ(run.exit_code, 2) << c.message;
      EXPECT_THAT(run.err, StartsWith("bad:3: ")) << c.message;
      EXPECT_THAT(run.err, HasSubstr(c.message));
      EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
      EXPECT_THAT(work_.List(), ElementsAre("bad", "friends", "trace")) << c.message;
    }
  }
}

TEST_F(ReplayCommandTest, NamesTheFirstOfSeveralLinesThatAreWrong) {
  // The engine refuses the first, the reader the second.
  work_.Write("bad", "1 0 0 0\n!radius 1 -1 0\nnonsense\n");
  EXPECT_THAT(Run("--friends friends --trace bad").err, StartsWith("bad:2: "));
}

TEST_F(ReplayCommandTest, NamesTheLineOfAFriendsFileThatIsWrong) {
  work_.Write("bad", "1 2\n2\n");
  const Finished run = Run("--friends bad --trace trace --events events");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "bad:2: wrong number of fields; a friendship is: user user\n");
  EXPECT_THAT(work_.List(), ElementsAre("bad", "friends", "trace"));
}

TEST_F(ReplayCommandTest, NamesTheFriendshipThatIsOneTooMany) {
  std::string friends;
  for (int i = 1; i <= 65'536; ++i) absl::StrAppend(&friends, "0 ", i, "\n");
  work_.Write("many", friends);
  Finished run = Run("--friends many --trace trace --events events");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, StartsWith("many:65536: "));
  work_.Write("many", friends.substr(0, friends.size() - std::string("0 65536\n").size()));
  work_.Write("befriend", "0 0 0 0\n!befriend 0 65535 0\n!befriend 0 65536 0\n");
  run = Run("--friends many --trace befriend --events events");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, StartsWith("befriend:3: "));
  EXPECT_THAT(work_.List(), ElementsAre("befriend", "friends", "many", "trace"));
}

// The error comes after more events than any buffer holds: the temporary file is real by then.
TEST_F(ReplayCommandTest, LeavesNoPartOfALongOutputAndKeepsTheOldOne) {
  std::string trace = "1 0 0 0\n";
  for (int i = 0; i < 50'000; ++i)
    absl::StrAppend(&trace, "2 ", i, " 0 0.02197265625\n1 ", i, " 0 0\n");
  work_.Write("long", trace + "oops\n");
  work_.Write("events", "old");
  const Finished run = Run("--friends friends --trace long --events events --stats stats");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "long:100002: too few fields; a report is: user time latitude longitude\n");
  EXPECT_EQ(ReadFile(work_.Path("events")), "old");
  EXPECT_THAT(work_.List(), ElementsAre("events", "friends", "long", "trace"));

  const std::string zipped = Gzipped(trace);
  work_.Write("long", zipped.substr(0, zipped.size() - 100));
  const Finished truncated = Run("--friends friends --trace long --events events --stats stats");
  EXPECT_EQ(truncated.exit_code, 2);
  EXPECT_THAT(truncated.err, StartsWith("long:"));
  EXPECT_THAT(truncated.err, EndsWith(": the gzip data is truncated\n"));
  EXPECT_EQ(ReadFile(work_.Path("events")), "old");
  EXPECT_THAT(work_.List(), ElementsAre("events", "friends", "long", "trace"));
}

TEST_F(ReplayCommandTest, ReportsOutputThatCannotBeWritten) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const Finished events = Run("--friends friends --trace trace --events /dev/full --stats stats");
  EXPECT_EQ(events.exit_code, 1);
  EXPECT_EQ(events.err, "/dev/full: cannot write: No space left on device\n");
  const Finished stats = Run("--friends friends --trace trace --stats - >/dev/full");
  EXPECT_EQ(stats.exit_code, 1);
  EXPECT_EQ(stats.err, "<stdout>: cannot write: No space left on device\n");
  EXPECT_THAT(work_.List(), ElementsAre("friends", "trace"));
}

TEST_F(ReplayCommandTest, RemovesItsTemporaryFilesWhenKilled) {
  const std::string pipe = work_.Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string friends = work_.Path("friends");
  const std::string events = work_.Path("events");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl(NEARBY_REPLAY_PROGRAM, NEARBY_REPLAY_PROGRAM, "--friends", friends.c_str(), "--trace",
          pipe.c_str(), "--events", events.c_str(), nullptr);
    _exit(127);
  }
  // Returns when the child opens the trace, which it does after its output.
  const int writer = open(pipe.c_str(), O_WRONLY);
  ASSERT_GE(writer, 0);
  EXPECT_THAT(work_.List(), Contains(EndsWith(".partial")));
  EXPECT_EQ(kill(child, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  close(writer);
  EXPECT_THAT(work_.List(), UnorderedElementsAre("friends", "pipe", "trace"));
}

TEST_F(ReplayCommandTest, ShowsALiveTable) {
  const Finished run = Run("--friends friends --trace trace --live --pace 1e9 --events events");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out, "");
  EXPECT_EQ(ReadFile(work_.Path("events")), kEvents);
}

}  // namespace
}  // namespace replay
