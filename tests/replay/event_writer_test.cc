#include "examples/replay/event_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

using nearby::Delivery;
using nearby::DeliveryKind;
using nearby::LeaveReason;

std::string Format(const Delivery& event) {
  std::array<char, kMaxEventBytes> line{};
  return std::string(line.data(), FormatEvent(event, line.data()));
}

Delivery Event(DeliveryKind kind, std::int64_t distance_mm) {
  Delivery event;
  event.time = nearby::Time{1500};
  event.subscriber = nearby::UserId{1};
  event.friend_id = nearby::UserId{20};
  event.kind = kind;
  event.distance_mm = distance_mm;
  return event;
}

Delivery Leave(LeaveReason reason) {
  Delivery event = Event(DeliveryKind::kLeave, 0);
  event.reason = reason;
  return event;
}

TEST(FormatEvent, WritesDistancesToTheMillimetre) {
  EXPECT_EQ(Format(Event(DeliveryKind::kEnter, 8046720)), "1500\t1\t20\tenter\t8046.720\n");
  EXPECT_EQ(Format(Event(DeliveryKind::kMove, 0)), "1500\t1\t20\tmove\t0.000\n");
  EXPECT_EQ(Format(Event(DeliveryKind::kMove, 9)), "1500\t1\t20\tmove\t0.009\n");
  EXPECT_EQ(Format(Event(DeliveryKind::kMove, 1070)), "1500\t1\t20\tmove\t1.070\n");
}

TEST(FormatEvent, GivesTheTrueReasonOfALeave) {
  Delivery range = Leave(LeaveReason::kRange);
  range.distance_mm = 12345;
  EXPECT_EQ(Format(range), "1500\t1\t20\tleave:range\t12.345\n");
  EXPECT_EQ(Format(Leave(LeaveReason::kExpired)), "1500\t1\t20\tleave:expired\t\n");
  EXPECT_EQ(Format(Leave(LeaveReason::kOffline)), "1500\t1\t20\tleave:offline\t\n");
  EXPECT_EQ(Format(Leave(LeaveReason::kUnfriended)), "1500\t1\t20\tleave:unfriended\t\n");
  EXPECT_EQ(Format(Leave(LeaveReason::kUnsubscribed)), "1500\t1\t20\tleave:unsubscribed\t\n");
  EXPECT_EQ(Format(Leave(LeaveReason::kHidden)), "1500\t1\t20\tleave:hidden\t\n");
}

TEST(FormatEvent, HasRoomForTheLongestLine) {
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  Delivery event = Leave(LeaveReason::kUnsubscribed);
  event.time = nearby::Time{std::numeric_limits<std::int64_t>::min()};
  event.subscriber = nearby::UserId{kLargest};
  event.friend_id = nearby::UserId{kLargest};
  const std::string line = Format(event);
  EXPECT_EQ(line,
            "-9223372036854775808\t18446744073709551615\t18446744073709551615\t"
            "leave:unsubscribed\t\n");
  // A distance, which this leave lacks, adds at most 20 digits, a point and a sign.
  EXPECT_LE(line.size() + 22, kMaxEventBytes);
}

}  // namespace
}  // namespace replay
