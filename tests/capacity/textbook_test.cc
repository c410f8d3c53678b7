#include "benchmarks/capacity/textbook.h"

#include <gtest/gtest.h>

#include <vector>

#include "benchmarks/capacity/batches.h"
#include "benchmarks/capacity/sink.h"
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "nearby/effects.h"
#include "nearby/geo.h"

namespace capacity {
namespace {

using nearby::Delivery;
using nearby::DeliveryKind;
using nearby::LatLng;
using nearby::Position;
using nearby::Time;

constexpr LatLng kHere = {10, 10};
constexpr LatLng kNear = {10.05, 10};
constexpr LatLng kFar = {10.2, 10};

Delivered Expected(const std::vector<Delivery>& deliveries) {
  Sink sink;
  sink.Encode(deliveries);
  return sink.Take();
}

Delivery Sight(DeliveryKind kind, std::uint32_t subscriber, std::uint32_t friend_number,
               LatLng location, LatLng other, Time time, Time reported_at) {
  Delivery delivery;
  delivery.cookie = subscriber;
  delivery.subscriber = IdOf(subscriber);
  delivery.friend_id = IdOf(friend_number);
  delivery.time = time;
  delivery.kind = kind;
  delivery.distance_mm =
      nearby::DistanceMillimeters(Position::FromLatLng(location), Position::FromLatLng(other));
  if (kind == DeliveryKind::kLeave) {
    delivery.reason = nearby::LeaveReason::kRange;
  } else {
    delivery.position = Position::FromLatLng(location);
    delivery.reported_at = reported_at;
  }
  return delivery;
}

class CapacityTextbook : public ::testing::Test {
 protected:
  CapacityTextbook() : textbook_(2) {
    textbook_.Add(IdOf(0), /*cookie=*/0, {IdOf(1)});
    textbook_.Add(IdOf(1), /*cookie=*/1, {IdOf(0)});
    textbook_.Place({IdOf(0), kFar, {0}});
    textbook_.Place({IdOf(1), kHere, {0}});
    textbook_.SettleSight({0});
  }

  Delivered Report(std::uint32_t user, LatLng location, Time time) {
    std::vector<Delivery> deliveries;
    textbook_.Report({IdOf(user), location, time}, {time.ms + 5}, &deliveries);
    return Expected(deliveries);
  }

  Textbook textbook_;
};

TEST_F(CapacityTextbook, DeliversEnterMoveAndLeave) {
  EXPECT_EQ(Report(0, kFar, {1'000}), Delivered());
  EXPECT_EQ(Report(0, kNear, {2'000}),
            Expected({Sight(DeliveryKind::kEnter, 1, 0, kNear, kHere, {2'005}, {2'000}),
                      Sight(DeliveryKind::kEnter, 0, 1, kHere, kNear, {2'005}, {0})}));
  EXPECT_EQ(Report(1, kHere, {3'000}),
            Expected({Sight(DeliveryKind::kMove, 0, 1, kHere, kNear, {3'005}, {3'000})}));
  EXPECT_EQ(Report(1, kFar, {4'000}),
            Expected({Sight(DeliveryKind::kLeave, 0, 1, kFar, kNear, {4'005}, {}),
                      Sight(DeliveryKind::kLeave, 1, 0, kNear, kFar, {4'005}, {})}));
}

TEST_F(CapacityTextbook, SeesWhoReportedWithinTenMinutes) {
  EXPECT_EQ(Report(0, kNear, {599'994}).count, 2u);
}

TEST_F(CapacityTextbook, DoesNotSeeWhoHasFallenSilent) {
  EXPECT_EQ(Report(0, kNear, {599'995}).count, 0u);
}

TEST_F(CapacityTextbook, DropsStaleAndInvalidReports) {
  EXPECT_EQ(Report(0, kFar, {1'000}), Delivered());
  EXPECT_EQ(Report(0, kNear, {999}), Delivered());
  EXPECT_EQ(Report(0, {91, 0}, {1'001}), Delivered());
}

TEST(CapacityTextbookAtFirst, SeesNobodyWhoHasNotReported) {
  Textbook textbook(2);
  textbook.Add(IdOf(0), 0, {IdOf(1)});
  textbook.Add(IdOf(1), 1, {IdOf(0)});
  std::vector<Delivery> deliveries;
  textbook.Report({IdOf(0), {0, 0}, {0}}, {0}, &deliveries);
  EXPECT_TRUE(deliveries.empty());
  textbook.Report({IdOf(1), {0, 0}, {1}}, {1}, &deliveries);
  EXPECT_EQ(deliveries.size(), 2u);
}

TEST(CapacitySink, SumsUpWithoutRegardToOrder) {
  const Delivery a = Sight(DeliveryKind::kEnter, 1, 0, kNear, kHere, {7}, {7});
  const Delivery b = Sight(DeliveryKind::kMove, 1, 0, kNear, kHere, {7}, {7});
  EXPECT_EQ(Expected({a, b}), Expected({b, a}));
  EXPECT_NE(Expected({a}), Expected({b}));
  EXPECT_NE(Expected({a, a}), Expected({b, b}));
  EXPECT_EQ(Expected({a, b}).count, 2u);
}

TEST(CapacityBatches, AreCutByNumberAndByTime) {
  std::vector<TracedReport> reports(5);
  reports[3].time = {999};
  reports[4].time = {1'000};
  const std::vector<Batch> batches = CutIntoBatches(reports, 3);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].reports.size(), 3u);
  EXPECT_EQ(batches[1].reports.size(), 2u);
  EXPECT_EQ(batches[1].now, Time{1'000});
  EXPECT_EQ(CutIntoBatches(reports, 100).size(), 2u);
  EXPECT_TRUE(CutIntoBatches({}, 3).empty());
}

}  // namespace
}  // namespace capacity
