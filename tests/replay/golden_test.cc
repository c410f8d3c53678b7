// Traces small enough to work out by hand what the engine must say.
//
// Everyone is on the equator, where distances are easy. A turn of 360 degrees is 2 pi
// 6,371,008.7714 m = 40,030,228.704 m, so 2^-13 turns, 0.0439453125 degrees, are 4,886.5025 m:
// within the default radius of 8,046.72 m, while twice as far is not. Positions are stored in units
// of 2^-32 turns, so these multiples are exact.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/replay/replayer.h"
#include "tests/replay/files.h"
#include "tests/replay/run_replay.h"

namespace replay {
namespace {

// Latitude and longitude, as fields: here, half a step away, one step (near), two steps (far).
constexpr char kHere[] = " 0 0\n";
constexpr char kClose[] = " 0 0.02197265625\n";
constexpr char kNear[] = " 0 0.0439453125\n";
constexpr char kFar[] = " 0 0.087890625\n";

// Expects these events for each number of shards.
void ExpectEvents(const std::string& friends, const std::string& trace, const std::string& events,
                  Replayer::Options options = {}) {
  for (const std::uint32_t shards : {1u, 2u, 4u, 7u}) {
    options.shards = shards;
    const ReplayResult result = RunReplay(friends, trace, options);
    EXPECT_EQ(result.status, absl::OkStatus());
    EXPECT_EQ(result.events, events) << shards << " shards";
  }
}

// Friends 1 and 2 who see each other, from time 10 on, before `trace`.
void ExpectEventsOfTwo(const std::string& trace, const std::string& events) {
  ExpectEvents("1 2\n", absl::StrCat("1 0", kHere, "2 10", kNear, trace),
               absl::StrCat("10000\t1\t2\tenter\t4886.503\n"
                            "10000\t2\t1\tenter\t4886.503\n",
                            events));
}

TEST(ReplayGolden, NothingHappensToNobody) {
  ExpectEvents("", "", "");
  ExpectEvents("1 2\n", "# nobody reports\n!befriend 3 4 10\n", "");
}

TEST(ReplayGolden, StrangersDoNotSeeEachOther) {
  ExpectEvents("1 3\n", absl::StrCat("1 0", kHere, "2 0", kHere), "");
}

TEST(ReplayGolden, EnterMoveAndLeaveByRange) {
  ExpectEventsOfTwo(absl::StrCat("2 20", kClose, "1 30", kHere, "2 40", kFar, "2 50", kFar),
                    "20000\t1\t2\tmove\t2443.251\n"
                    "30000\t2\t1\tmove\t2443.251\n"
                    "40000\t1\t2\tleave:range\t9773.005\n"
                    "40000\t2\t1\tleave:range\t9773.005\n");
}

TEST(ReplayGolden, WhoeverMovesBothSidesLearnOfIt) {
  ExpectEvents("1 2\n", absl::StrCat("1 0", kHere, "2 0", kFar, "1 1.5", kNear, "1 2", kHere),
               "1500\t1\t2\tenter\t4886.503\n"
               "1500\t2\t1\tenter\t4886.503\n"
               "2000\t1\t2\tleave:range\t9773.005\n"
               "2000\t2\t1\tleave:range\t9773.005\n");
}

TEST(ReplayGolden, ReportsKeepAUserActiveUntilTheTtl) {
  ExpectEventsOfTwo(absl::StrCat("1 599.999", kHere, "2 609.999", kNear, "1 1199.998", kHere),
                    // 2 would expire at 1209.999, 1 at 1799.998: first come, first gone.
                    "599999\t2\t1\tmove\t4886.503\n"
                    "609999\t1\t2\tmove\t4886.503\n"
                    "1199998\t2\t1\tmove\t4886.503\n"
                    "1209999\t1\t2\tleave:expired\t\n");
}

TEST(ReplayGolden, ExpiryComesBeforeAReportOfTheSameMillisecond) {
  ExpectEventsOfTwo(absl::StrCat("1 600", kClose),
                    "600000\t1\t2\tenter\t2443.251\n"
                    "600000\t2\t1\tleave:expired\t\n"
                    "600000\t2\t1\tenter\t2443.251\n"
                    "610000\t1\t2\tleave:expired\t\n");
}

TEST(ReplayGolden, ExpiryHappensAtItsDeadlineWhenTheNextLineIsMuchLater) {
  ExpectEventsOfTwo(absl::StrCat("3 5000", kHere), "600000\t2\t1\tleave:expired\t\n");
}

TEST(ReplayGolden, TtlIsAnOption) {
  Replayer::Options options;
  options.ttl = absl::Milliseconds(1500);
  ExpectEvents("1 2\n", absl::StrCat("1 0", kHere, "2 1.499", kHere, "1 2.999", kHere),
               "1499\t1\t2\tenter\t0.000\n"
               "1499\t2\t1\tenter\t0.000\n"
               "1500\t2\t1\tleave:expired\t\n",
               options);
}

TEST(ReplayGolden, RadiusIsAnOptionAndItsBoundaryIsInclusive) {
  Replayer::Options options;
  const std::string trace = absl::StrCat("1 0", kHere, "2 1", kNear);
  options.radius_m = 4886.55;
  ExpectEvents("1 2\n", trace,
               "1000\t1\t2\tenter\t4886.503\n"
               "1000\t2\t1\tenter\t4886.503\n"
               "600000\t2\t1\tleave:expired\t\n",
               options);
  options.radius_m = 4886.45;
  ExpectEvents("1 2\n", trace, "", options);
  options.radius_m = 0;
  ExpectEvents("1 2\n", absl::StrCat("1 0", kHere, "2 0", kHere),
               "0\t1\t2\tenter\t0.000\n"
               "0\t2\t1\tenter\t0.000\n"
               // Both expire at once, 1 first: there is nobody left to tell 2's leave.
               "600000\t2\t1\tleave:expired\t\n",
               options);
}

TEST(ReplayGolden, DisconnectAndConnectAgain) {
  ExpectEventsOfTwo(absl::StrCat("!disconnect 2 20\n"
                                 "!disconnect 2 21\n"
                                 "!disconnect 99 22\n"
                                 "1 25",
                                 kHere, "2 30", kClose, "!disconnect 1 40\n!disconnect 2 40\n"),
                    "20000\t1\t2\tleave:offline\t\n"
                    "30000\t1\t2\tenter\t2443.251\n"
                    "30000\t2\t1\tenter\t2443.251\n"
                    "40000\t2\t1\tleave:offline\t\n");
}

TEST(ReplayGolden, DisconnectAndReportInOneMillisecond) {
  ExpectEventsOfTwo(absl::StrCat("!disconnect 2 20\n2 20", kNear, "!disconnect 1 20\n"),
                    "20000\t1\t2\tleave:offline\t\n"
                    "20000\t1\t2\tenter\t4886.503\n"
                    "20000\t2\t1\tenter\t4886.503\n"
                    "20000\t2\t1\tleave:offline\t\n");
}

TEST(ReplayGolden, HideAndShareAreOneWay) {
  ExpectEventsOfTwo(absl::StrCat("!hide 1 2 20\n!hide 1 2 21\n1 22", kHere, "2 23", kNear,
                                 "!share 1 2 24\n!share 1 2 25\n!disconnect 1 26\n"),
                    "20000\t2\t1\tleave:hidden\t\n"
                    "23000\t1\t2\tmove\t4886.503\n"
                    "24000\t2\t1\tenter\t4886.503\n"
                    "26000\t2\t1\tleave:offline\t\n");
}

TEST(ReplayGolden, UnsubscribeAndSubscribeAreOneWay) {
  ExpectEventsOfTwo(absl::StrCat("!unsubscribe 1 2 20\n!unsubscribe 1 2 21\n1 22", kHere, "2 23",
                                 kNear, "!subscribe 1 2 24\n!subscribe 1 2 25\n!disconnect 2 26\n"),
                    "20000\t1\t2\tleave:unsubscribed\t\n"
                    "22000\t2\t1\tmove\t4886.503\n"
                    "24000\t1\t2\tenter\t4886.503\n"
                    "26000\t1\t2\tleave:offline\t\n");
}

TEST(ReplayGolden, UnfriendAndBefriend) {
  ExpectEventsOfTwo(absl::StrCat("!unfriend 2 1 20\n!unfriend 1 2 20\n1 22", kHere,
                                 "!befriend 1 2 24\n!befriend 2 1 25\n!disconnect 2 26\n"),
                    "20000\t1\t2\tleave:unfriended\t\n"
                    "20000\t2\t1\tleave:unfriended\t\n"
                    "24000\t1\t2\tenter\t4886.503\n"
                    "24000\t2\t1\tenter\t4886.503\n"
                    "26000\t1\t2\tleave:offline\t\n");
}

TEST(ReplayGolden, HidingOutlivesAFriendship) {
  ExpectEventsOfTwo("!unfriend 1 2 20\n!hide 1 2 21\n!befriend 1 2 22\n!disconnect 1 23\n",
                    "20000\t1\t2\tleave:unfriended\t\n"
                    "20000\t2\t1\tleave:unfriended\t\n"
                    "22000\t1\t2\tenter\t4886.503\n");
}

TEST(ReplayGolden, RadiusIsEachSubscribersOwn) {
  ExpectEventsOfTwo(
      absl::StrCat("!radius 1 4000 20\n2 21", kClose, "2 22", kNear, "!radius 2 0 23\n1 24", kNear,
                   "!radius 1 20015114 25\n2 26 0 180\n!disconnect 2 27\n"),
      "20000\t1\t2\tleave:range\t4886.503\n"
      "21000\t1\t2\tenter\t2443.251\n"
      "22000\t1\t2\tleave:range\t4886.503\n"
      "23000\t2\t1\tleave:range\t4886.503\n"
      "24000\t1\t2\tenter\t0.000\n"
      "24000\t2\t1\tenter\t0.000\n"
      "26000\t1\t2\tmove\t20010227.850\n"
      "26000\t2\t1\tleave:range\t20010227.850\n"
      "27000\t1\t2\tleave:offline\t\n");
}

TEST(ReplayGolden, SettingsHoldForUsersNeverSeenBefore) {
  ExpectEvents("1 2\n",
               absl::StrCat("!radius 1 4000 0\n"
                            "!befriend 3 1 0\n"
                            "!hide 3 1 0\n"
                            "!unsubscribe 3 2 0\n"
                            "!befriend 2 3 0\n"
                            "!unfriend 8 9 0\n"
                            "!share 8 9 0\n"
                            "!subscribe 8 9 0\n"
                            "1 1",
                            kHere, "2 2", kNear, "3 3", kNear, "1 4", kClose),
               // 1 sees up to 4,000 m, and not 3; 3 sees 1, and does not hear of 2.
               "2000\t2\t1\tenter\t4886.503\n"
               "3000\t2\t3\tenter\t0.000\n"
               "3000\t3\t1\tenter\t4886.503\n"
               "4000\t1\t2\tenter\t2443.251\n"
               "4000\t2\t1\tmove\t2443.251\n"
               "4000\t3\t1\tmove\t2443.251\n"
               "602000\t1\t2\tleave:expired\t\n"
               // 3 expires at 603000, unseen by 1; 1 at 604000, with nobody left.
  );
}

TEST(ReplayGolden, IdsAreUnsignedAndSortAsNumbers) {
  ExpectEvents("18446744073709551615 0\n0 9\n0 10\n",
               absl::StrCat("18446744073709551615 0", kHere, "10 0", kHere, "9 0", kHere, "0 1",
                            kHere, "!disconnect 0 2\n"),
               "1000\t0\t9\tenter\t0.000\n"
               "1000\t0\t10\tenter\t0.000\n"
               "1000\t0\t18446744073709551615\tenter\t0.000\n"
               "1000\t9\t0\tenter\t0.000\n"
               "1000\t10\t0\tenter\t0.000\n"
               "1000\t18446744073709551615\t0\tenter\t0.000\n"
               "2000\t9\t0\tleave:offline\t\n"
               "2000\t10\t0\tleave:offline\t\n"
               "2000\t18446744073709551615\t0\tleave:offline\t\n");
}

TEST(ReplayGolden, EachReportOfAMillisecondCounts) {
  ExpectEventsOfTwo(absl::StrCat("2 20", kClose, "2 20", kNear, "2 20", kFar, "2 20", kHere,
                                 "!disconnect 2 20\n"),
                    "20000\t1\t2\tmove\t2443.251\n"
                    "20000\t1\t2\tmove\t4886.503\n"
                    "20000\t1\t2\tleave:range\t9773.005\n"
                    "20000\t1\t2\tenter\t0.000\n"
                    "20000\t1\t2\tleave:offline\t\n"
                    "20000\t2\t1\tleave:range\t9773.005\n"
                    "20000\t2\t1\tenter\t0.000\n");
}

TEST(ReplayGolden, TimesInRfc3339AreUnixTime) {
  ExpectEvents("1 2\n",
               absl::StrCat("1 2010-10-19T23:55:27Z", kHere, "2 2010-10-20T01:55:27.0019+02:00",
                            kHere, "!disconnect 1 1287532528.5\n"),
               "1287532527001\t1\t2\tenter\t0.000\n"
               "1287532527001\t2\t1\tenter\t0.000\n"
               "1287532528500\t2\t1\tleave:offline\t\n");
}

TEST(ReplayGolden, TimesBeforeTheEpoch) {
  ExpectEvents("1 2\n", absl::StrCat("1 -100.5", kHere, "2 -0.0001", kHere, "2 0", kHere),
               "-1\t1\t2\tenter\t0.000\n"
               "-1\t2\t1\tenter\t0.000\n"
               "0\t1\t2\tmove\t0.000\n"
               "499500\t2\t1\tleave:expired\t\n");
}

TEST(ReplayGolden, ManyExpireInOneMillisecondInOrderOfUser) {
  ExpectEvents("1 2\n2 3\n3 1\n", absl::StrCat("3 0", kHere, "2 0", kHere, "1 0", kHere),
               "0\t1\t2\tenter\t0.000\n"
               "0\t1\t3\tenter\t0.000\n"
               "0\t2\t1\tenter\t0.000\n"
               "0\t2\t3\tenter\t0.000\n"
               "0\t3\t1\tenter\t0.000\n"
               "0\t3\t2\tenter\t0.000\n"
               "600000\t2\t1\tleave:expired\t\n"
               "600000\t3\t1\tleave:expired\t\n"
               "600000\t3\t2\tleave:expired\t\n");
}

TEST(ReplayGolden, AntimeridianAndPoles) {
  ExpectEvents("1 2\n3 4\n",
               "1 0 0 179.97802734375\n"
               "2 0 0 -179.97802734375\n"
               "3 1 90 0\n"
               "4 1 89.9560546875 123\n"
               "3 2 90 -77\n"
               "!disconnect 1 3\n!disconnect 4 3\n",
               "0\t1\t2\tenter\t4886.503\n"
               "0\t2\t1\tenter\t4886.503\n"
               "1000\t3\t4\tenter\t4886.503\n"
               "1000\t4\t3\tenter\t4886.503\n"
               "2000\t4\t3\tmove\t4886.503\n"
               "3000\t2\t1\tleave:offline\t\n"
               "3000\t3\t4\tleave:offline\t\n");
}

TEST(ReplayGolden, GzipIsReadAsItIs) {
  const std::string trace = absl::StrCat("1 0", kHere, "2 1", kHere, "!disconnect 1 2\n");
  ExpectEvents(Gzipped("1 2\n"), Gzipped(trace),
               "1000\t1\t2\tenter\t0.000\n"
               "1000\t2\t1\tenter\t0.000\n"
               "2000\t2\t1\tleave:offline\t\n");
}

}  // namespace
}  // namespace replay
