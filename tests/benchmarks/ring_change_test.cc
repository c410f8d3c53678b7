#include "benchmarks/scenarios/ring_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "benchmarks/capacity/trace.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/scenarios.h"
#include "src/base/planted_bugs.h"

namespace scenarios {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWrongWhenHealed[] = "pairs wrong when all should have been made up for";

Flags Small() {
  Flags flags;
  flags.users = 2'000;
  flags.nodes = 4;
  flags.pace = 10;
  return flags;
}

// The same change of the ring, on nodes with a mistake that somebody could make.
std::string TableWith(nearby::PlantedBug bug) {
  nearby::Plant(bug);
  const Findings findings = MeasureRingChange(Small());
  nearby::Plant(nearby::PlantedBug::kNone);
  return findings.ToTable();
}

TEST(RingChange, IsMissedByNobody) {
  const std::string table = TableWith(nearby::PlantedBug::kNone);
  EXPECT_THAT(table, Not(HasSubstr("VOID")));
}

TEST(RingChange, FailsWhereNodesResubscribeFasterThanTheyMay) {
  RingPromises promises = RingPromises::Of(Small());
  --promises.resubscriptions_a_second;
  const std::string table = MeasureRingChange(Small(), promises).ToTable();
  EXPECT_THAT(table, HasSubstr("VOID: A server is added to 32: 10 resubscriptions of one node"));
}

TEST(RingChange, FailsWhereADeadServersPairsAreWithoutNewsForLonger) {
  RingPromises promises = RingPromises::Of(Small());
  promises.silence_ms = capacity::kReportIntervalMs;
  EXPECT_THAT(MeasureRingChange(Small(), promises).ToTable(),
              HasSubstr("VOID: A server dies, and its seat gets another: a pair on the dead "
                        "server's seat was without news for 45"));
}

TEST(RingChange, FailsWhereADeadServersChannelsAreNotListenedToAtTheNextOne) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kRingUnheardBySubscriber),
              ContainsRegex("A server dies, and its seat gets another: [0-9]+ channels are not "
                            "listened to where the ring has them"));
}

TEST(RingChange, FailsWhereNobodyPublishesToTheServerAfterTheDeadOne) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kRingUnheardByPublisher),
              ContainsRegex("A server dies, and its seat gets another: [0-9]+ pairs wrong in the "
                            "end"));
}

TEST(RingChange, FailsWhereNobodyAsksForWhatWasMissed) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kResubscribedUnhealed), HasSubstr(kWrongWhenHealed));
}

TEST(RingChange, FailsWhereFormerOwnersAreLeftEarly) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kFormerOwnerLeftEarly), HasSubstr(kWrongWhenHealed));
}

TEST(RingChange, FailsWhereFormerOwnersAreKept) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kFormerOwnerKept),
              HasSubstr("former owners are listened to after ring_settle"));
}

TEST(RingChange, FailsWhereNobodyMoves) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kRingUnheardBySubscriber),
              HasSubstr("channels are not listened to where the ring has them"));
}

TEST(RingChange, FailsWhereNobodyPublishesToTheNewOwner) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kRingUnheardByPublisher),
              HasSubstr("pairs wrong in the end"));
}

}  // namespace
}  // namespace scenarios
