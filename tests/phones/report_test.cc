#include "examples/phones/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/violations.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"

namespace phones {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Figures MakeFigures() {
  Figures figures;
  figures.format = nearby::WireFormat::kJson;
  figures.phones = 1200;
  figures.threads = 2;
  figures.elapsed = absl::Milliseconds(12'500);
  figures.tally.sessions = 1201;
  figures.tally.reconnects = 1;
  figures.tally.reports = 4000;
  figures.tally.enters = 10;
  figures.tally.moves = 20;
  figures.tally.leaves = 5;
  return figures;
}

TEST(ReportTest, WritesOneJsonObject) {
  const std::string json = ToJson(MakeFigures());
  EXPECT_THAT(json, StartsWith("{\"format\": \"json\", \"phones\": 1200, \"threads\": 2, "
                               "\"elapsed_s\": 12.500000, \"sessions\": 1201"));
  EXPECT_THAT(json, HasSubstr("\"enters\": 10, \"moves\": 20, \"leaves\": 5"));
  EXPECT_THAT(json, EndsWith("\"violations\": 0, \"passed_over\": 0}\n"));
}

TEST(ReportTest, WritesTheFiguresOfALoad) {
  Figures figures = MakeFigures();
  figures.rate = 500;
  LoadFigures load;
  load.seconds = 2;
  load.cpu = absl::Seconds(1);
  load.reports = 1000;
  load.events = 8000;
  for (int us = 1; us <= 100; ++us) load.latency.Add(us);
  figures.load = load;
  figures.load->Add(load);
  const std::string json = ToJson(figures);
  EXPECT_THAT(json, HasSubstr("\"load\": {\"rate\": 500.000000, \"seconds\": 2.000000, \"cpu_s\": "
                              "2.000000, \"reports\": 2000, \"reports_per_s\": 1000.000000, "
                              "\"events\": 16000, \"events_per_s\": 8000.000000"));
  EXPECT_THAT(json, HasSubstr("\"latency\": {\"samples\": 200, \"p50_us\": 50, \"p90_us\": 90, "
                              "\"p99_us\": 99, \"p999_us\": 100, \"max_us\": 100}"));
  EXPECT_THAT(ToSummary(figures),
              HasSubstr("1000 reports/s, 8000 events/s over 2.0 s; 1.00 cores for the phones\n"
                        "report to event: p50 50 us, p99 99 us, p99.9 100 us, at most 100 us\n"));
}

TEST(ReportTest, SummarisesForPeople) {
  Figures figures = MakeFigures();
  EXPECT_EQ(ToSummary(figures),
            "1,200 phones, 12.5 s: 1,201 sessions, 1 reconnects, 0 connections lost\n"
            "4,000 reports; 35 events: 10 enters, 20 moves, 5 leaves; 0 resets, 0 resyncs\n"
            "0 errors, 0 refusals, 0 violations\n");
  figures.passed_over = 3;
  EXPECT_THAT(ToSummary(figures), HasSubstr("3 lines of the trace passed over"));
}

TEST(ReportTest, IsContentWithAGoodServer) {
  Figures figures = MakeFigures();
  figures.tally.refusals = 5;
  figures.tally.drops = 5;
  EXPECT_TRUE(Verdict(figures).ok());
}

TEST(ReportTest, SaysWhichErrorCameFirst) {
  Figures figures = MakeFigures();
  figures.tally.AddError("user 1: NOT_FOUND: gone");
  figures.tally.AddError("user 2: INTERNAL: oh");
  EXPECT_EQ(Verdict(figures).message(), "2 errors; first user 1: NOT_FOUND: gone");
}

TEST(ReportTest, SaysWhichRulesWereBroken) {
  Figures figures = MakeFigures();
  figures.tally.AddError("user 1: NOT_FOUND: gone");
  const nearby::Time time = nearby::Time::Millis(1500);
  figures.tally.violations.Add(
      {ViolationKind::kMoveUnseen, nearby::UserId{1}, nearby::UserId{2}, time});
  figures.tally.violations.Add({ViolationKind::kBeforeInit, nearby::UserId{1}, {}, time});
  figures.tally.violations.Add({ViolationKind::kBeforeInit, nearby::UserId{1}, {}, time});
  const std::string verdict(Verdict(figures).message());
  EXPECT_EQ(verdict,
            "the server broke the protocol 3 times; first 00:00:01.500  user 1: a friend moved who "
            "was not in sight, user 2\n"
            "  1  a friend moved who was not in sight\n"
            "  2  news before the answer to init");
  EXPECT_THAT(verdict, Not(HasSubstr("NOT_FOUND")));
}

}  // namespace
}  // namespace phones
