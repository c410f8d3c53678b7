#include "benchmarks/scenarios/ring_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "src/base/planted_bugs.h"

namespace scenarios {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWrongWhenMoved[] = "pairs wrong when all channels had been moved";

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
  const Findings findings = MeasureRingChange(Small(), Small().pace);
  nearby::Plant(nearby::PlantedBug::kNone);
  return findings.ToTable();
}

TEST(RingChange, IsMissedByNobody) {
  const std::string table = TableWith(nearby::PlantedBug::kNone);
  EXPECT_THAT(table, Not(HasSubstr("VOID")));
}

TEST(RingChange, FailsWhereNodesResubscribeFasterThanTheyMay) {
  const std::string table = MeasureRingChange(Small(), Small().pace - 1).ToTable();
  EXPECT_THAT(table, HasSubstr("VOID: A server is added to 32: 10 resubscriptions of one node"));
}

TEST(RingChange, FailsWhereNobodyAsksForWhatWasMissed) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kResubscribedUnhealed), HasSubstr(kWrongWhenMoved));
}

TEST(RingChange, FailsWhereFormerOwnersAreLeftEarly) {
  EXPECT_THAT(TableWith(nearby::PlantedBug::kFormerOwnerLeftEarly), HasSubstr(kWrongWhenMoved));
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
