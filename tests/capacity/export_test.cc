#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "benchmarks/capacity/exporter.h"
#include "benchmarks/capacity/flags.h"
#include "examples/replay/program.h"
#include "tests/replay/files.h"

namespace capacity {
namespace {

TEST(CapacityExport, WritesWhatTheReplayReads) {
  const replay::TempDirectory directory;
  Flags flags;
  flags.users = 1'000;
  flags.export_dir = directory.Path("");
  flags.export_reports = 2'500;
  ASSERT_TRUE(Export(flags).ok());
  replay::Flags replay;
  replay.friends = directory.Path("friends.tsv");
  replay.trace = directory.Path("trace.tsv");
  replay.events = directory.Path("events.tsv");
  const absl::Status replayed = replay::RunProgram(replay);
  EXPECT_TRUE(replayed.ok()) << replayed;
  const std::string trace = replay::ReadFile(replay.trace);
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '\n'), 2'500);
  EXPECT_THAT(trace, ::testing::HasSubstr("\t1700000000.000\t"));
  EXPECT_THAT(replay::ReadFile(replay.events), ::testing::HasSubstr("\tenter\t"));
}

TEST(CapacityExport, SaysWhichFileItCannotWrite) {
  Flags flags;
  flags.users = 1'000;
  flags.export_dir = "no/such/directory";
  const absl::Status status = Export(flags);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("no/such/directory/friends.tsv"));
}

}  // namespace
}  // namespace capacity
