// The replay on real friends at real places, moving at real speeds, against its oracle. The data is
// not part of the project: NEARBY_DATA_DIR names where it is.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/time/time.h"
#include "examples/replay/flags.h"
#include "examples/replay/make_trace_flags.h"
#include "examples/replay/make_trace_program.h"
#include "examples/replay/program.h"
#include "tests/replay/files.h"
#include "tests/replay/replay_oracle.h"

namespace replay {
namespace {

class GowallaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("NEARBY_DATA_DIR");
    if (data == nullptr || !std::ifstream(std::string(data) + "/gowalla/poiCoos.txt.gz")) {
      GTEST_SKIP() << "NEARBY_DATA_DIR does not name a directory with gowalla/ and geolife/";
    }
    MakeTraceFlags flags;
    flags.gowalla = std::string(data) + "/gowalla";
    flags.geolife = std::string(data) + "/geolife/geolife_sample.txt.gz";
    flags.friends = friends_;
    flags.trace = trace_;
    flags.options.duration_ms = 5 * 60'000;
    flags.options.churn = true;
    std::string summary;
    const absl::Status status = RunMakeTrace(flags, &summary);
    ASSERT_TRUE(status.ok()) << status;
  }

  // Replays the trace and returns the path of the events.
  std::string Replay(const Replayer::Options& options) {
    Flags flags;
    flags.friends = friends_;
    flags.trace = trace_;
    flags.events = directory_.Path("events" + std::to_string(options.shards));
    flags.stats = directory_.Path("stats");
    flags.replay = options;
    const absl::Status status = RunProgram(flags);
    EXPECT_TRUE(status.ok()) << status;
    return flags.events;
  }

  TempDirectory directory_;
  std::string friends_ = directory_.Path("friends.tsv.gz");
  std::string trace_ = directory_.Path("trace.tsv.gz");
};

TEST_F(GowallaTest, EveryEventIsTheOracles) {
  Replayer::Options options;
  // Short enough for people in gaps to expire and come back.
  options.ttl = absl::Seconds(70);
  const std::string events = Replay(options);
  replay_oracle::Question question{friends_, trace_, events};
  question.ttl_s = 70;
  const replay_oracle::Verdict verdict = replay_oracle::CheckReplay(question);
  EXPECT_EQ(verdict.differences, 0u) << verdict.first_differences.front();
  EXPECT_GT(verdict.users, 5000u);
  for (const char* kind : {"enter", "move", "leave:range", "leave:expired", "leave:offline",
                           "leave:hidden", "leave:unfriended", "leave:unsubscribed"}) {
    EXPECT_TRUE(verdict.expected.count(kind) > 0) << "the trace has no " << kind;
  }

  options.shards = 3;
  EXPECT_TRUE(ReadFile(events) == ReadFile(Replay(options)))
      << "three shards do not write what one does";
}

}  // namespace
}  // namespace replay
