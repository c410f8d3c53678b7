#include "examples/phones/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/phone.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "examples/replay/screen.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {
namespace {

using nearby::ClientEvent;
using nearby::DeliveryKind;
using nearby::LeaveReason;
using nearby::ServerMessage;
using nearby::Time;
using nearby::UserId;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMile = 1'609'344;
constexpr std::int64_t kSecond = 1000;

// A view of user 1's phone that writes to memory.
class ViewTest : public ::testing::Test {
 protected:
  ViewTest()
      : out_(open_memstream(&buffer_, &size_)),
        phone_(UserId{1}, std::vector<UserId>{UserId{2}, UserId{3}, UserId{5}, UserId{8}}) {}
  ~ViewTest() override {
    std::fclose(out_);
    std::free(buffer_);
  }

  View MakeView(bool is_terminal = false, int height = 24) {
    replay::Screen::Environment environment;
    environment.is_terminal = is_terminal;
    environment.height = [height] { return height; };
    environment.width = [] { return 80; };
    View view(replay::Screen(out_, environment));
    view.Watch(UserId{1});
    return view;
  }

  static ClientEvent Event(DeliveryKind kind, std::uint64_t friend_id, Time time,
                           std::int64_t distance_mm = 0) {
    ClientEvent event;
    event.kind = kind;
    event.friend_id = UserId{friend_id};
    event.time = time;
    event.reported_at = time;
    event.distance_mm = distance_mm;
    if (kind == DeliveryKind::kLeave) event.reason = LeaveReason::kRange;
    return event;
  }

  // The phone and the view of it are told.
  void Tell(const ServerMessage& message, Time now, View* view) {
    phone_.Take(message, now, &totals_.tally);
    view->OnMessage(message, now);
  }

  void Init(Time now, View* view) {
    const nearby::ClientCall call = phone_.Init(std::nullopt);
    nearby::InitAnswer answer;
    nearby::NearbyFriend listed;
    listed.friend_id = UserId{5};
    listed.distance_mm = kMile / 2;
    answer.page.friends = {listed};
    answer.page.in_sight = 1;
    Tell({call.request_id, answer}, now, view);
  }

  std::string Output() {
    std::fflush(out_);
    return std::string(buffer_, size_);
  }

  static constexpr Time kStart = Time::Millis(100 * kSecond);
  static Time At(std::int64_t seconds) { return Time::Millis(kStart.ms + seconds * kSecond); }

  View::Totals totals_;

 private:
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* out_;

 protected:
  Phone phone_;
};

TEST_F(ViewTest, ShowsWhomThePhoneSees) {
  View view = MakeView();
  totals_.pace = 30;
  totals_.life = Time::Millis(3600 * kSecond);
  totals_.phones = 1200;
  totals_.online = 1199;
  Init(At(0), &view);
  Tell({0, nearby::ClientUpdate{nearby::BatchStart::kGoesOn,
                                {Event(DeliveryKind::kEnter, 2, At(5), 2 * kMile),
                                 Event(DeliveryKind::kEnter, 8, At(5), 3 * kMile)}}},
       At(5), &view);
  Tell({0, nearby::ClientUpdate{nearby::BatchStart::kGoesOn,
                                {Event(DeliveryKind::kMove, 2, At(30), kMile),
                                 Event(DeliveryKind::kLeave, 8, At(30))}}},
       At(30), &view);
  view.Draw(&phone_, totals_, At(70));
  EXPECT_EQ(Output(),
            "phones  01:00:00  30x  1,199 of 1,200 connected\n"
            "a second: 0.0 reports, 0.0 events; in all: 0 errors, 0 reconnects\n"
            "USER 1 SEES          DISTANCE           IN SIGHT   UPDATED\n"
            "5                     0.50 mi  0.80 km    1m 10s    1m ago\n"
            "2                     1.00 mi  1.61 km    1m 05s   40s ago\n"
            "2 of 4 friends in sight\n"
            "LATEST\n"
            "00:02:10  8 is out of sight: out of range\n"
            "00:01:45  8 comes into sight, 3.00 mi away\n"
            "00:01:45  2 comes into sight, 2.00 mi away\n"
            "00:01:40  connected: 1 friend in sight\n"
            "\n");
}

TEST_F(ViewTest, ShowsRatesBetweenPictures) {
  View view = MakeView();
  view.Sample(totals_.tally, At(0));
  totals_.tally.reports = 10;
  totals_.tally.enters = 1;
  totals_.tally.moves = 40;
  totals_.tally.errors = 1234;
  totals_.tally.reconnects = 2;
  view.Sample(totals_.tally, At(4));
  view.Draw(&phone_, totals_, At(4));
  EXPECT_THAT(Output(), HasSubstr("a second: 2.5 reports, 10.2 events; in all: 1,234 errors, 2 "
                                  "reconnects\n"));
}

TEST_F(ViewTest, ShowsTheFirstViolation) {
  View view = MakeView();
  totals_.tally.violations.Add({ViolationKind::kEnterTwice, UserId{7}, UserId{9}, At(0)});
  totals_.tally.violations.Add({ViolationKind::kMoveUnseen, UserId{8}, UserId{9}, At(0)});
  view.Draw(&phone_, totals_, At(0));
  EXPECT_THAT(Output(), HasSubstr("VIOLATIONS: 2, first 00:01:40.000  user 7: a friend entered who "
                                  "was in sight, user 9\n"));
}

TEST_F(ViewTest, TellsWhatElseHappens) {
  View view = MakeView();
  Init(At(0), &view);
  Tell({0, nearby::ClientUpdate{nearby::BatchStart::kReset, {}}}, At(1), &view);
  Tell({0, nearby::ClientUpdate{nearby::BatchStart::kResync,
                                {Event(DeliveryKind::kEnter, 2, At(2), kMile)}}},
       At(2), &view);
  Tell({0, nearby::ServerError{absl::NotFoundError("gone"), absl::ZeroDuration()}}, At(3), &view);
  Tell({0, nearby::DrainNotice{absl::Milliseconds(2500)}}, At(4), &view);
  view.Draw(&phone_, totals_, At(4));
  EXPECT_THAT(Output(), HasSubstr("LATEST\n"
                                  "00:01:44  the server goes away: to connect again in 2.5 s\n"
                                  "00:01:43  error: NOT_FOUND: gone\n"
                                  "00:01:42  catches up: 1 friend in sight\n"
                                  "00:01:41  silent for too long: sees nobody any more\n"
                                  "00:01:40  connected: 1 friend in sight\n"));
}

TEST_F(ViewTest, ForgetsTheNewsOfWhomItWatchedBefore) {
  View view = MakeView();
  Init(At(0), &view);
  view.Watch(UserId{1});
  view.Draw(&phone_, totals_, At(0));
  EXPECT_THAT(Output(), HasSubstr("connected: 1 friend in sight\n"));
  view.Watch(UserId{2});
  const std::size_t before = Output().size();
  view.Draw(&phone_, totals_, At(1));
  EXPECT_THAT(Output().substr(before), Not(HasSubstr("connected: 1 friend in sight\n")));
}

TEST_F(ViewTest, HasAPictureWithoutAPhone) {
  View view = MakeView();
  view.Draw(nullptr, totals_, At(0));
  EXPECT_THAT(Output(), HasSubstr("0 of 0 connected\n"));
}

TEST_F(ViewTest, FitsTheTerminal) {
  View view = MakeView(/*is_terminal=*/true, /*height=*/14);
  Init(At(0), &view);
  Tell({0, nearby::ClientUpdate{nearby::BatchStart::kGoesOn,
                                {Event(DeliveryKind::kEnter, 2, At(5), kMile)}}},
       At(5), &view);
  view.Draw(&phone_, totals_, At(6));
  const std::string output = Output();
  EXPECT_THAT(output, HasSubstr("0.50 mi"));
  EXPECT_THAT(output, Not(HasSubstr("1.00 mi  1.61 km")));
  EXPECT_THAT(output, HasSubstr("2 of 4 friends in sight"));
}

}  // namespace
}  // namespace phones
