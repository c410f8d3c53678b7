#include "examples/phones/sight_check.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "examples/phones/credentials.h"
#include "examples/phones/fleet.h"
#include "nearby/client_sink.h"
#include "nearby/geo.h"
#include "nearby/server_codec.h"
#include "tests/phones/fake_network.h"

namespace phones {
namespace {

using nearby::DeliveryKind;
using nearby::LatLng;
using nearby::UserId;
using nearby::WireFormat;

constexpr LatLng kHome = {52.5, 13.4};
constexpr LatLng kAround = {52.51, 13.4};  // about 1.1 km away
constexpr LatLng kAway = {53.5, 13.4};     // about 111 km away

// Users 1 and 2, who are friends, over connections 0 and 1; only 1 is told anything.
class SightCheckTest : public ::testing::Test {
 protected:
  SightCheckTest()
      : fleet_({}, &network_, &credentials_, &clock_, nullptr),
        check_({8046.72, absl::Seconds(1)}, &fleet_) {
    fleet_.Add(UserId{1}, std::vector<UserId>{UserId{2}});
    fleet_.Add(UserId{2}, {});
  }

  void Report(std::size_t phone, LatLng location) {
    if (phone == 1) friend_is_at_ = location;
    fleet_.Report(phone, {location, clock_.Now()});
  }
  void Connect(std::size_t phone, LatLng location) {
    Report(phone, location);
    fleet_.Advance();
    network_.Open(phone);
    std::string frame;
    encoder_.EncodeInitAnswer(WireFormat::kProtobuf, network_.TakeCalls(phone).at(0).request_id, {},
                              &frame);
    network_.Deliver(phone, frame);
  }
  void Tell(DeliveryKind kind) {
    nearby::ClientEvent event;
    event.friend_id = UserId{2};
    event.kind = kind;
    event.time = clock_.Now();
    event.reported_at = clock_.Now();
    event.position = nearby::Position::FromLatLng(friend_is_at_);
    nearby::ClientBatch batch;
    batch.events = absl::MakeConstSpan(&event, 1);
    std::string frame;
    encoder_.EncodeBatch(WireFormat::kProtobuf, batch, &frame);
    network_.Deliver(0, frame);
  }
  SightCheck::Result Look() { return check_.Look(clock_.NowMicros()); }
  SightCheck::Result LookLater() {
    Look();
    clock_.Pass(absl::Seconds(2));
    return Look();
  }

  LatLng friend_is_at_ = kHome;
  FakeClock clock_;
  FakeNetwork network_;
  const Credentials credentials_ = Credentials::Insecure();
  nearby::ServerEncoder encoder_;
  Fleet fleet_;
  SightCheck check_;
};

TEST_F(SightCheckTest, LeavesOutWhoIsNotOnlineYet) {
  Connect(0, kHome);
  EXPECT_EQ(LookLater().left_out, 1);
  Connect(1, kHome);
  EXPECT_EQ(Look().left_out, 1);
  EXPECT_EQ(LookLater().left_out, 0);
}

TEST_F(SightCheckTest, MissesWhoIsNear) {
  Connect(0, kHome);
  Connect(1, kAround);
  const SightCheck::Result before = LookLater();
  EXPECT_EQ(before.missing, 1);
  EXPECT_EQ(before.right, 0);
  EXPECT_EQ(before.example, "missing:1:2");
  Tell(DeliveryKind::kEnter);
  const SightCheck::Result after = Look();
  EXPECT_EQ(after.missing, 0);
  EXPECT_EQ(after.right, 1);
  EXPECT_EQ(after.across, 0) << "there is one server";
  EXPECT_EQ(after.example, "-");
}

TEST_F(SightCheckTest, WantsNobodyWhoIsFar) {
  Connect(0, kHome);
  Connect(1, kAway);
  EXPECT_EQ(LookLater().extra, 0);
  Tell(DeliveryKind::kEnter);
  EXPECT_EQ(Look().extra, 1);
}

TEST_F(SightCheckTest, NoticesThatTheLatestReportHasNotCome) {
  Connect(0, kHome);
  Connect(1, kAround);
  Tell(DeliveryKind::kEnter);
  EXPECT_EQ(LookLater().right, 1);
  Report(1, kHome);
  EXPECT_EQ(Look().right, 1) << "it may be under way";
  EXPECT_EQ(LookLater().stale, 1);
  Tell(DeliveryKind::kMove);
  EXPECT_EQ(Look().right, 1);
}

TEST_F(SightCheckTest, TakesEitherAnswerWhileAReportIsUnderWay) {
  Connect(0, kHome);
  Connect(1, kAway);
  LookLater();
  Report(1, kHome);
  EXPECT_EQ(Look().missing, 0);
  Tell(DeliveryKind::kEnter);
  EXPECT_EQ(Look().extra, 0);
  EXPECT_EQ(LookLater().right, 1);
}

}  // namespace
}  // namespace phones
