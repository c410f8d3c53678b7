#include "examples/replay/fields.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

TEST(TakeField, SplitsAtAnyWhiteSpace) {
  absl::string_view line = " a\tbb \v\f ccc\r";
  EXPECT_EQ(TakeField(&line), "a");
  EXPECT_EQ(TakeField(&line), "bb");
  EXPECT_EQ(TakeField(&line), "ccc");
  EXPECT_EQ(TakeField(&line), "");
  EXPECT_EQ(TakeField(&line), "");
}

TEST(ParseUser, TakesEvery64BitNumber) {
  struct Case {
    const char* field;
    std::uint64_t id;
  };
  for (const Case& c : {Case{"0", 0}, Case{"42", 42}, Case{"007", 7},
                        Case{"18446744073709551615", std::numeric_limits<std::uint64_t>::max()}}) {
    nearby::UserId user{};
    EXPECT_TRUE(ParseUser(c.field, &user)) << c.field;
    EXPECT_EQ(nearby::ToInt(user), c.id) << c.field;
  }
}

TEST(ParseUser, RefusesAnythingElse) {
  for (const char* field : {"", "-1", "+1", "1.0", "0x10", "1e3", "a", "12a", "1,2", " 1",
                            "18446744073709551616", "99999999999999999999999"}) {
    nearby::UserId user{};
    EXPECT_FALSE(ParseUser(field, &user)) << field;
  }
}

TEST(ParseNumber, TakesDecimals) {
  struct Case {
    const char* field;
    double value;
  };
  for (const Case& c : {Case{"0", 0}, Case{"-0", 0}, Case{"12", 12}, Case{"+12.5", 12.5},
                        Case{"-122.0839816650", -122.083981665}, Case{".5", 0.5}, Case{"5.", 5},
                        Case{"4.6e-05", 4.6e-5}, Case{"1E2", 100}}) {
    double value = -1;
    EXPECT_TRUE(ParseNumber(c.field, &value)) << c.field;
    EXPECT_EQ(value, c.value) << c.field;
  }
}

TEST(ParseNumber, RefusesAnythingElse) {
  for (const char* field : {"",     "+",   "-",    ".",        "e5",    "1e",    "nan",   "NaN",
                            "-nan", "inf", "-inf", "Infinity", "0x10",  "0x1p3", "1.2.3", "12abc",
                            "1,5",  "--1", "+-1",  "++1",      "1e999", "-1e999"}) {
    double value = 0;
    EXPECT_FALSE(ParseNumber(field, &value)) << field;
  }
}

TEST(ParseTime, TakesSecondsToTheMillisecondDown) {
  struct Case {
    const char* field;
    std::int64_t ms;
  };
  for (const Case& c : {
           Case{"0", 0},
           Case{"-0", 0},
           Case{"+5", 5000},
           Case{"1.5", 1500},
           Case{"1.", 1000},
           Case{".25", 250},
           Case{"0.001", 1},
           Case{"0.0019999999999999999999999999", 1},
           // Through a double this would be 1287532526.28499.
           Case{"1287532526.285", 1287532526285},
           Case{"-1", -1000},
           Case{"-1.5", -1500},
           Case{"-0.0001", -1},
           Case{"-1.0010", -1001},
           Case{"-1.0010001", -1002},
           Case{"00000000000000000000000000000001", 1000},
           Case{"9007199254740.992", nearby::kMaxTimeMs},
           Case{"-9007199254740.992", -nearby::kMaxTimeMs},
       }) {
    nearby::Time time;
    EXPECT_TRUE(ParseTime(c.field, &time)) << c.field;
    EXPECT_EQ(time.ms, c.ms) << c.field;
    EXPECT_TRUE(nearby::IsValid(time)) << c.field;
  }
}

TEST(ParseTime, TakesRfc3339) {
  struct Case {
    const char* field;
    std::int64_t ms;
  };
  for (const Case& c : {
           Case{"1970-01-01T00:00:00Z", 0},
           Case{"2010-10-19T23:55:27Z", 1287532527000},
           Case{"2010-10-19T23:55:27.1239Z", 1287532527123},
           Case{"2010-10-20T01:55:27+02:00", 1287532527000},
           Case{"2010-10-19T18:25:27.5-05:30", 1287532527500},
           Case{"1969-12-31T23:59:59.9999Z", -1},
       }) {
    nearby::Time time;
    EXPECT_TRUE(ParseTime(c.field, &time)) << c.field;
    EXPECT_EQ(time.ms, c.ms) << c.field;
  }
}

TEST(ParseTime, RefusesAnythingElse) {
  for (const char* field : {"",
                            "+",
                            "-",
                            ".",
                            "-.",
                            "1e9",
                            "nan",
                            "inf",
                            "infinite-future",
                            "infinite-past",
                            "0x10",
                            "1.2.3",
                            "--1",
                            "1 ",
                            "12s",
                            "2010-10-19",
                            "2010-10-19T23:55:27",
                            "2010-13-19T23:55:27Z",
                            "2010-10-32T23:55:27Z",
                            "2010-10-19T25:55:27Z",
                            "2010-10-19T23:55:27Zulu",
                            "T"}) {
    nearby::Time time;
    EXPECT_FALSE(ParseTime(field, &time)) << field;
  }
}

TEST(ParseTime, MarksTimesOutOfRangeAsInvalid) {
  for (const char* field : {"9007199254740.993", "-9007199254740.993", "-9007199254740.9920001",
                            "9007199254741", "99999999999999999999999999999999",
                            "-99999999999999999999999999999999", "292277022399-01-01T00:00:00Z"}) {
    nearby::Time time;
    EXPECT_TRUE(ParseTime(field, &time)) << field;
    EXPECT_FALSE(nearby::IsValid(time)) << field;
  }
}

TEST(Quoted, EscapesAndShortens) {
  EXPECT_EQ(Quoted("abc"), "\"abc\"");
  EXPECT_EQ(Quoted(absl::string_view("a\0\x1b[", 4)), "\"a\\x00\\x1b[\"");
  EXPECT_EQ(Quoted(std::string(41, 'x')), "\"" + std::string(40, 'x') + "…\"");
}

}  // namespace
}  // namespace replay
