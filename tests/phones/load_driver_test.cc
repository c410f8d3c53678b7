#include "examples/phones/load_driver.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "examples/phones/credentials.h"
#include "examples/phones/fleet.h"
#include "examples/phones/load_board.h"
#include "examples/phones/stamp.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"
#include "nearby/wire_format.h"
#include "tests/phones/fake_network.h"

namespace phones {
namespace {

using nearby::UserId;

// Users 1 and 3, the phones 0 and 1 of driver 0; user 2 is another driver's. All are friends.
class LoadDriverTest : public ::testing::Test {
 protected:
  LoadDriverTest() : board_(3, 2), paths_(3, {{52.5, 13.4}, {52.6, 13.5}, {52.7, 13.6}}) {}

  void Begin(double rate) {
    LoadDriver::Options options;
    options.rate = rate;
    driver_.emplace(options, &board_, &paths_, &clock_,
                    [this](LoadBoard::Seat seat) { heard_elsewhere_.push_back(seat); });
    fleet_.emplace(Fleet::Options(), &network_, &credentials_, &clock_, &*driver_);
    fleet_->Add(UserId{1}, std::vector<UserId>{UserId{2}, UserId{3}});
    fleet_->Add(UserId{3}, std::vector<UserId>{UserId{1}, UserId{2}});
    driver_->Begin(&*fleet_);
    driver_->Advance();
    for (const std::size_t phone : {0, 1}) {
      network_.Open(phone);
      std::string frame;
      encoder_.EncodeInitAnswer(nearby::WireFormat::kProtobuf,
                                network_.TakeCalls(phone).at(0).request_id, {}, &frame);
      network_.Deliver(phone, frame);
      network_.TakeCalls(phone);
    }
    // A second of warming up, and two that count.
    LoadTimes times;
    times.send_from_us = clock_.NowMicros();
    times.count_from_us = times.send_from_us + 1'000'000;
    times.end_us = times.count_from_us + 2'000'000;
    board_.Start(times);
  }

  absl::Duration Pass(absl::Duration duration) {
    clock_.Pass(duration);
    return driver_->Advance();
  }

  // The reports that a phone has sent since the last time.
  std::vector<nearby::ReportCall> Reports(std::size_t phone) {
    std::vector<nearby::ReportCall> reports;
    for (const nearby::ClientCall& call : network_.TakeCalls(phone)) {
      reports.push_back(std::get<nearby::ReportCall>(call.call));
    }
    return reports;
  }

  // Tells a phone that a friend has made this report.
  void Tell(std::size_t phone, UserId friend_id, const nearby::ReportCall& report,
            nearby::DeliveryKind kind) {
    nearby::ClientEvent event;
    event.friend_id = friend_id;
    event.kind = kind;
    event.time = clock_.Now();
    event.reported_at = report.reported_at;
    event.position = nearby::Position::FromLatLng(report.location);
    nearby::ClientBatch batch;
    batch.events = absl::MakeConstSpan(&event, 1);
    std::string frame;
    encoder_.EncodeBatch(nearby::WireFormat::kProtobuf, batch, &frame);
    network_.Deliver(phone, frame);
  }

  static std::int64_t SentAt(const nearby::ReportCall& report) {
    return SentMicros(report.reported_at, nearby::Position::FromLatLng(report.location));
  }

  FakeClock clock_;
  FakeNetwork network_;
  const Credentials credentials_ = Credentials::Insecure();
  nearby::ServerEncoder encoder_;
  LoadBoard board_;
  const Paths paths_;
  std::vector<LoadBoard::Seat> heard_elsewhere_;
  std::optional<LoadDriver> driver_;
  std::optional<Fleet> fleet_;
};

TEST_F(LoadDriverTest, KeepsToItsSchedule) {
  Begin(/*rate=*/10);
  Pass(absl::ZeroDuration());
  EXPECT_EQ(Reports(0).size(), 1);
  EXPECT_EQ(Reports(1).size(), 0);
  const std::int64_t start_us = clock_.NowMicros();
  Pass(absl::Milliseconds(100));
  EXPECT_EQ(Reports(0).size(), 0);
  ASSERT_EQ(Reports(1).size(), 1);
  // However late it comes, a report bears the time at which it was due.
  Pass(absl::Milliseconds(250));
  const std::vector<nearby::ReportCall> late = Reports(0);
  ASSERT_EQ(late.size(), 1);
  EXPECT_EQ(SentAt(late[0]), start_us + 200'000);
  ASSERT_EQ(Reports(1).size(), 1);
  EXPECT_EQ(Pass(absl::Milliseconds(48)), absl::Milliseconds(2));
}

TEST_F(LoadDriverTest, MeasuresFromTheSchedule) {
  Begin(/*rate=*/10);
  Pass(absl::ZeroDuration());
  for (int i = 0; i < 10; ++i) Pass(absl::Milliseconds(100));
  Reports(0);
  Reports(1);
  // The report that was due at 1.1 s is sent 50 ms late, and heard of after 20 ms more.
  Pass(absl::Milliseconds(150));
  const std::vector<nearby::ReportCall> reports = Reports(1);
  ASSERT_EQ(reports.size(), 1);
  clock_.Pass(absl::Milliseconds(20));
  Tell(0, UserId{3}, reports[0], nearby::DeliveryKind::kEnter);
  Tell(0, UserId{3}, reports[0], nearby::DeliveryKind::kMove);
  for (int i = 0; i < 20; ++i) Pass(absl::Milliseconds(100));
  EXPECT_EQ(driver_->figures().latency.count(), 1);
  EXPECT_EQ(driver_->figures().latency.max_us(), 70'000);
  EXPECT_NEAR(driver_->figures().seconds, 2, 0.15);
  EXPECT_EQ(driver_->figures().events, 2);
  EXPECT_NEAR(static_cast<double>(driver_->figures().reports), 20, 2);
  // It is over.
  Reports(0);
  Reports(1);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Reports(0).size() + Reports(1).size(), 0);
}

TEST_F(LoadDriverTest, WalksToAndFro) {
  Begin(/*rate=*/4);
  Pass(absl::ZeroDuration());
  std::vector<double> lats;
  for (int i = 0; i < 8; ++i) {
    for (const nearby::ReportCall& report : Reports(0)) lats.push_back(report.location.lat);
    Pass(absl::Milliseconds(250));
  }
  // The first place went with init.
  ASSERT_EQ(lats.size(), 4);
  EXPECT_NEAR(lats[0], 52.6, 1e-6);
  EXPECT_NEAR(lats[1], 52.7, 1e-6);
  EXPECT_NEAR(lats[2], 52.6, 1e-6);
  EXPECT_NEAR(lats[3], 52.5, 1e-6);
}

TEST_F(LoadDriverTest, ReportsAnewOnceEveryoneHasHeard) {
  Begin(/*rate=*/0);
  Pass(absl::ZeroDuration());
  std::vector<nearby::ReportCall> reports = Reports(0);
  ASSERT_EQ(reports.size(), 1);
  Pass(absl::Milliseconds(5));
  EXPECT_EQ(Reports(0).size(), 0);
  // Whoever enters hears by that.
  Tell(1, UserId{1}, reports[0], nearby::DeliveryKind::kEnter);
  reports = Reports(0);
  ASSERT_EQ(reports.size(), 1);
  // Another friend sees it, too, who is somebody else's phone.
  board_.Enter({0, 0});
  Tell(1, UserId{1}, reports[0], nearby::DeliveryKind::kMove);
  EXPECT_EQ(Reports(0).size(), 0);
  EXPECT_TRUE(board_.Hear({0, 0}, SentAt(reports[0])));
  EXPECT_FALSE(board_.Hear({0, 0}, SentAt(reports[0])));
}

TEST_F(LoadDriverTest, DoesNotWaitForThoseWhoHaveLeft) {
  Begin(/*rate=*/0);
  Pass(absl::ZeroDuration());
  board_.Enter({0, 0});
  const std::vector<nearby::ReportCall> reports = Reports(0);
  ASSERT_EQ(reports.size(), 1);
  Tell(1, UserId{1}, reports[0], nearby::DeliveryKind::kEnter);
  EXPECT_EQ(Reports(0).size(), 0);
  EXPECT_TRUE(board_.Leave({0, 0}));
}

TEST_F(LoadDriverTest, TellsOtherDrivers) {
  Begin(/*rate=*/0);
  Pass(absl::ZeroDuration());
  const std::int64_t sent_us = clock_.NowMicros() + 123;
  board_.Await({1, 0}, sent_us);
  const nearby::ReportCall report{Stamped({52.5, 13.4}, sent_us),
                                  nearby::Time::Millis(sent_us / 1000)};
  Tell(0, UserId{2}, report, nearby::DeliveryKind::kEnter);
  ASSERT_EQ(heard_elsewhere_.size(), 1);
  EXPECT_EQ(heard_elsewhere_[0].driver, 1);
  EXPECT_EQ(heard_elsewhere_[0].phone, 0);
  EXPECT_EQ(board_.AwaitedBy({1, 0}), 0);
}

TEST_F(LoadDriverTest, DoesNotWaitForEverUntilSomebodyHears) {
  Begin(/*rate=*/0);
  Pass(absl::ZeroDuration());
  EXPECT_EQ(Reports(0).size(), 1);
  Pass(absl::Milliseconds(1999));
  EXPECT_EQ(Reports(0).size(), 0);
  Pass(absl::Milliseconds(101));
  EXPECT_EQ(Reports(0).size(), 1);
}

TEST(LoadBoardTest, DividesThePhonesBetweenDrivers) {
  const LoadBoard board(7, 3);
  EXPECT_EQ(board.PhonesOf(0), 3);
  EXPECT_EQ(board.PhonesOf(1), 2);
  EXPECT_EQ(board.PhonesOf(2), 2);
  std::vector<int> seen(7);
  for (std::size_t driver = 0; driver < 3; ++driver) {
    for (std::size_t phone = 0; phone < board.PhonesOf(driver); ++phone) {
      const UserId user = board.UserAt({driver, phone});
      ++seen.at(nearby::ToInt(user) - 1);
      ASSERT_TRUE(board.Find(user).has_value());
      EXPECT_EQ(board.Find(user)->driver, driver);
      EXPECT_EQ(board.Find(user)->phone, phone);
    }
  }
  EXPECT_EQ(seen, std::vector<int>(7, 1));
  EXPECT_FALSE(board.Find(UserId{0}).has_value());
  EXPECT_FALSE(board.Find(UserId{8}).has_value());
}

}  // namespace
}  // namespace phones
