#include "examples/replay/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "nearby/ids.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using Kind = TraceRow::Kind;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  std::vector<TraceRow> rows;
  std::string error;  // without the path
};

// Reads a whole file, `limit` rows at a time.
Outcome ReadAll(const std::string& path, std::size_t limit = 3) {
  Outcome outcome;
  absl::StatusOr<TraceReader> reader = TraceReader::Open(path);
  absl::Status status = reader.status();
  std::vector<TraceRow> rows;
  while (status.ok()) {
    status = reader->Read(limit, &rows);
    EXPECT_LE(rows.size(), limit);
    outcome.rows.insert(outcome.rows.end(), rows.begin(), rows.end());
    if (rows.empty()) break;
  }
  outcome.error = std::string(status.message());
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(outcome.error, StartsWith(path));
    outcome.error.erase(0, path.size());
  }
  return outcome;
}

Outcome ReadText(const std::string& text) {
  const TempDirectory directory;
  return ReadAll(directory.Write("trace.tsv", text));
}

TEST(TraceReader, ReadsReports) {
  const Outcome outcome = ReadText(
      "# user time lat lng\n"
      "7\t10.5\t48.25\t-11.5\n"
      "\n"
      "  8   2010-10-19T23:55:27Z \t 90 180 22847 and more\r\n"
      "   # indented\r\n"
      "\r\n"
      "18446744073709551615 1287532527.001 -90 -180");
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.rows.size(), 3u);
  EXPECT_EQ(outcome.rows[0].kind, Kind::kReport);
  EXPECT_EQ(outcome.rows[0].user, nearby::UserId{7});
  EXPECT_EQ(outcome.rows[0].time.ms, 10500);
  EXPECT_EQ(outcome.rows[0].location.lat, 48.25);
  EXPECT_EQ(outcome.rows[0].location.lng, -11.5);
  EXPECT_EQ(outcome.rows[0].line_number, 2u);
  EXPECT_EQ(outcome.rows[1].time.ms, 1287532527000);
  EXPECT_EQ(outcome.rows[1].location.lng, 180);
  EXPECT_EQ(outcome.rows[1].line_number, 4u);
  EXPECT_EQ(outcome.rows[2].user, nearby::UserId{~std::uint64_t{0}});
  EXPECT_EQ(outcome.rows[2].time.ms, 1287532527001);
  EXPECT_EQ(outcome.rows[2].line_number, 7u);
}

TEST(TraceReader, ReadsActions) {
  const Outcome outcome = ReadText(
      "!disconnect 1 0\n"
      "!befriend 1 2 1\n"
      "!unfriend 1 2 2\n"
      "!hide 1 2 3\n"
      "!share 1 2 4\n"
      "!unsubscribe 1 2 5\n"
      "\t!subscribe\t1\t2\t6\r\n"
      "!radius 1 250.5 7\n");
  EXPECT_EQ(outcome.error, "");
  const Kind kinds[] = {Kind::kDisconnect, Kind::kBefriend,    Kind::kUnfriend,  Kind::kHide,
                        Kind::kShare,      Kind::kUnsubscribe, Kind::kSubscribe, Kind::kRadius};
  ASSERT_EQ(outcome.rows.size(), std::size(kinds));
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    const TraceRow& row = outcome.rows[i];
    EXPECT_EQ(row.kind, kinds[i]) << i;
    EXPECT_EQ(row.user, nearby::UserId{1}) << i;
    EXPECT_EQ(row.time.ms, static_cast<std::int64_t>(i) * 1000) << i;
    const bool names_two = i > 0 && i + 1 < std::size(kinds);
    EXPECT_EQ(row.other, nearby::UserId{names_two ? 2u : 0u}) << i;
  }
  EXPECT_EQ(outcome.rows.back().radius_m, 250.5);
}

TEST(TraceReader, HasNothingInAnEmptyFile) {
  for (const char* text : {"", "\n", "\r\n", "#", "# comment\n\n"}) {
    const Outcome outcome = ReadText(text);
    EXPECT_EQ(outcome.error, "") << text;
    EXPECT_TRUE(outcome.rows.empty()) << text;
  }
}

TEST(TraceReader, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* line;
    const char* reason;
  };
  constexpr Case kCases[] = {
      {"1", "too few fields"},
      {"1 10", "too few fields"},
      {"1 10 20", "too few fields"},
      {"1,10,20,30", "too few fields"},
      {"-1 10 0 0", "not a user, an unsigned 64-bit number: \"-1\""},
      {"18446744073709551616 10 0 0", "not a user"},
      {"bob 10 0 0", "not a user"},
      {"1 noon 0 0", "not a time in seconds or RFC 3339: \"noon\""},
      {"1 1e3 0 0", "not a time"},
      {"1 2010-10-19T23:55:27 0 0", "not a time"},
      {"1 2010-10-19 23:55:27 0 0", "not a time"},
      {"1 9007199254740.993 0 0", "the time is out of range"},
      {"1 10 nan 0", "the latitude is not a number: \"nan\""},
      {"1 10 0 inf", "the longitude is not a number: \"inf\""},
      {"1 10 0x10 0", "the latitude is not a number"},
      {"1 10 0 12E", "the longitude is not a number"},
      {"1 10 90.0000001 0", "latitude"},
      {"1 10 -91 0", "latitude"},
      {"1 10 0 180.5", "longitude"},
      {"1 10 0 -1000", "longitude"},
      {"1 8.999 0 0", "earlier than the one before it, by 1 ms"},
      {"!radius 1 5 -9", "earlier than the one before it, by 18000 ms"},
      {"!", "no such action: \"!\""},
      {"! hide 1 2 10", "no such action: \"!\""},
      {"!Hide 1 2 10", "no such action: \"!Hide\""},
      {"!unhide 1 2 10", "no such action"},
      {"!disconnect 10", "wrong number of fields; the form is: !disconnect user time"},
      {"!disconnect 1 2 10", "wrong number of fields"},
      {"!befriend 1 10", "wrong number of fields; the form is: !befriend user user time"},
      {"!befriend 1 2 10 # why", "wrong number of fields"},
      {"!hide 1 2", "wrong number of fields"},
      {"!radius 1 10", "wrong number of fields; the form is: !radius subscriber metres time"},
      {"!befriend 1 1 10", "names the same user twice"},
      {"!unfriend 1 1 10", "names the same user twice"},
      {"!hide 1 1 10", "names the same user twice"},
      {"!share 1 01 10", "names the same user twice"},
      {"!subscribe 1 1 10", "names the same user twice"},
      {"!unsubscribe 1 1 10", "names the same user twice"},
      {"!befriend a 2 10", "not a user"},
      {"!befriend 1 b 10", "not a user"},
      {"!disconnect 1 later", "not a time"},
      {"!radius 1 far 10", "the radius is not a number: \"far\""},
      {"!radius 1 nan 10", "the radius is not a number"},
      {"!radius x 5 10", "not a user"},
  };
  for (const Case& c : kCases) {
    const Outcome outcome = ReadText(absl::StrCat("1 9 0 0\n# comment\n", c.line, "\n1 11 0 0\n"));
    EXPECT_THAT(outcome.error, StartsWith(":3: ")) << c.line;
    EXPECT_THAT(outcome.error, HasSubstr(c.reason)) << c.line;
    EXPECT_EQ(outcome.rows.size(), 1u) << c.line;
  }
}

TEST(TraceReader, RefusesNulBytes) {
  EXPECT_EQ(ReadText(std::string("1 9 0 0\0\n", 9)).error, ":1: the line contains a NUL byte");
  EXPECT_EQ(ReadText(std::string("#\n#\0", 4)).error, ":2: the line contains a NUL byte");
}

TEST(TraceReader, RefusesLinesThatAreTooLong) {
  const std::string longest(LineReader::kMaxLineBytes - 8, 'x');
  EXPECT_EQ(ReadText("1 9 0 0 " + longest + "\n1 10 0 0").rows.size(), 2u);
  for (const char* end : {"", "\n", "\n1 10 0 0\n"}) {
    EXPECT_EQ(ReadText(absl::StrCat("1 9 0 0 ", longest, "x", end)).error,
              ":1: the line is longer than 65536 bytes");
  }
  // Longer than any buffer.
  EXPECT_EQ(ReadText("#\n" + std::string(4'000'000, '#')).error,
            ":2: the line is longer than 65536 bytes");
}

std::string ManyLines() {
  std::string text;
  for (int i = 0; i < 50'000; ++i) absl::StrAppend(&text, i % 97, "\t", i, ".5\t48.5\t11.25\n");
  return text;
}

TEST(TraceReader, ReadsGzipAsItIs) {
  const TempDirectory directory;
  const std::string text = ManyLines();
  // One stream, several in a row, and plain text under a name that promises gzip.
  const std::string half = text.substr(0, text.size() / 2);
  const std::string contents[] = {Gzipped(text), Gzipped(half) + Gzipped(text.substr(half.size())),
                                  text};
  for (const std::string& content : contents) {
    const Outcome outcome = ReadAll(directory.Write("trace.tsv.gz", content), 1000);
    EXPECT_EQ(outcome.error, "");
    ASSERT_EQ(outcome.rows.size(), 50'000u);
    EXPECT_EQ(outcome.rows[49'999].time.ms, 49'999'500);
    EXPECT_EQ(outcome.rows[49'999].line_number, 50'000u);
  }
}

TEST(TraceReader, ReportsTruncatedGzip) {
  const TempDirectory directory;
  const std::string content = Gzipped(ManyLines());
  for (const std::size_t size : {std::size_t{0}, std::size_t{2}, std::size_t{9}, content.size() / 2,
                                 content.size() - 8, content.size() - 1}) {
    const Outcome outcome = ReadAll(directory.Write("trace.gz", content.substr(0, size)), 1000);
    EXPECT_THAT(outcome.error, EndsWith(": the gzip data is truncated")) << size;
    // The line at the break, whole or not, is the one to name.
    EXPECT_THAT(outcome.error, StartsWith(absl::StrCat(":", outcome.rows.size() + 1, ":"))) << size;
  }
}

TEST(TraceReader, ReportsCorruptGzip) {
  const TempDirectory directory;
  const std::string content = Gzipped(ManyLines());
  for (const std::size_t at : {std::size_t{10}, content.size() - 6}) {
    std::string corrupt = content;
    corrupt[at] = static_cast<char>(~corrupt[at]);
    const Outcome outcome = ReadAll(directory.Write("trace.gz", corrupt), 1000);
    EXPECT_THAT(outcome.error, HasSubstr(": the gzip data is corrupt: ")) << at;
  }
}

TEST(TraceReader, ReportsFilesThatCannotBeRead) {
  const TempDirectory directory;
  EXPECT_EQ(ReadAll(directory.Path("missing")).error, ": cannot open: No such file or directory");
  EXPECT_EQ(ReadAll(directory.Path("")).error, ":1: cannot read: Is a directory");
}

}  // namespace
}  // namespace replay
