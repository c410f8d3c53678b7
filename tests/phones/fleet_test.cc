#include "examples/phones/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/backoff.h"
#include "examples/phones/credentials.h"
#include "examples/phones/violations.h"
#include "examples/phones/websocket.h"
#include "examples/replay/random.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/wire_format.h"
#include "tests/phones/fake_network.h"

namespace phones {
namespace {

using nearby::ClientCall;
using nearby::UserId;
using nearby::WireFormat;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class FleetTest : public ::testing::Test, public FleetListener {
 protected:
  FleetTest() : fleet_(MakeOptions(), &network_, &credentials_, &clock_, this) {}

  static Fleet::Options MakeOptions() {
    Fleet::Options options;
    options.backoff = {absl::Seconds(1), absl::Seconds(4)};
    options.max_dialing = 2;
    return options;
  }

  void OnMessage(std::size_t phone, const nearby::ServerMessage& /*message*/) override {
    heard_.push_back(phone);
  }

  std::size_t Add(std::uint64_t user) {
    return fleet_.Add(UserId{user}, std::vector<UserId>{UserId{100}});
  }
  void Report(std::size_t phone, double lat = 52.5) {
    fleet_.Report(phone, {{lat, 13.4}, clock_.Now()});
  }
  void Pass(absl::Duration duration) {
    clock_.Pass(duration);
    fleet_.Advance();
  }

  // The one call that has come over a connection.
  ClientCall TakeCall(std::size_t connection) {
    const std::vector<ClientCall> calls = network_.TakeCalls(connection);
    EXPECT_THAT(calls, SizeIs(1));
    return calls.empty() ? ClientCall() : calls.front();
  }
  // Answers the init that has come over a connection.
  void AnswerInit(std::size_t connection) {
    std::string frame;
    encoder_.EncodeInitAnswer(WireFormat::kProtobuf, TakeCall(connection).request_id, {}, &frame);
    network_.Deliver(connection, frame);
  }
  // A phone that is online, over connection 0.
  std::size_t AddOnline() {
    const std::size_t phone = Add(7);
    Report(phone);
    fleet_.Advance();
    network_.Open(0);
    AnswerInit(0);
    return phone;
  }

  static Closure Lost() { return {true, 0, 0, "connection reset"}; }
  static Closure Refused(int http_status) { return {false, 0, http_status, "declined"}; }

  FakeClock clock_;
  FakeNetwork network_;
  const Credentials credentials_ = Credentials::Insecure();
  nearby::ServerEncoder encoder_;
  std::vector<std::size_t> heard_;
  Fleet fleet_;
};

TEST_F(FleetTest, DialsWithTheFirstReport) {
  const std::size_t phone = Add(7);
  fleet_.Advance();
  EXPECT_EQ(network_.dialled(), 0);
  Report(phone, 52.5);
  fleet_.Advance();
  ASSERT_EQ(network_.dialled(), 1);
  EXPECT_EQ(network_.request(0).target, "/ws?user=7");
  EXPECT_EQ(fleet_.sockets(), 1);
  EXPECT_EQ(fleet_.online(), 0);

  // What it reports meanwhile is where it begins.
  Report(phone, 52.6);
  network_.Open(0);
  const ClientCall call = TakeCall(0);
  const auto* init = std::get_if<nearby::InitCall>(&call.call);
  ASSERT_NE(init, nullptr);
  ASSERT_TRUE(init->location.has_value());
  EXPECT_DOUBLE_EQ(init->location->location.lat, 52.6);
}

TEST_F(FleetTest, ReportsWhatItHeldBackUntilInitWasAnswered) {
  const std::size_t phone = Add(7);
  Report(phone, 52.5);
  fleet_.Advance();
  network_.Open(0);
  Report(phone, 52.6);
  Report(phone, 52.7);
  AnswerInit(0);
  EXPECT_EQ(fleet_.online(), 1);
  EXPECT_EQ(heard_, std::vector<std::size_t>{phone});
  const ClientCall call = TakeCall(0);
  ASSERT_TRUE(std::holds_alternative<nearby::ReportCall>(call.call));
  EXPECT_DOUBLE_EQ(std::get<nearby::ReportCall>(call.call).location.lat, 52.7);
  EXPECT_EQ(fleet_.tally().reports, 1);
  EXPECT_EQ(fleet_.tally().sessions, 1);
  EXPECT_EQ(fleet_.tally().reconnects, 0);
}

TEST_F(FleetTest, DialsFewAtATime) {
  for (std::uint64_t user = 1; user <= 4; ++user) Report(Add(user));
  fleet_.Advance();
  EXPECT_EQ(network_.dialled(), 2);
  network_.Open(0);
  EXPECT_EQ(network_.dialled(), 2);
  AnswerInit(0);
  EXPECT_EQ(network_.dialled(), 3);
  network_.Close(1, Refused(503));
  EXPECT_EQ(network_.dialled(), 4);
}

TEST_F(FleetTest, ComesBackAfterALoss) {
  const std::size_t phone = AddOnline();
  network_.Close(0, Lost());
  EXPECT_TRUE(network_.is_destroyed(0));
  EXPECT_EQ(fleet_.online(), 0);
  EXPECT_FALSE(fleet_.phone(phone).is_online());
  // Half a second to a second later.
  Pass(absl::Milliseconds(499));
  EXPECT_EQ(network_.dialled(), 1);
  Pass(absl::Milliseconds(502));
  ASSERT_EQ(network_.dialled(), 2);
  network_.Open(1);
  AnswerInit(1);
  EXPECT_EQ(fleet_.online(), 1);
  EXPECT_EQ(fleet_.tally().drops, 1);
  EXPECT_EQ(fleet_.tally().reconnects, 1);
  EXPECT_EQ(fleet_.tally().violations.total(), 0);
}

TEST_F(FleetTest, WaitsLongerEachTime) {
  Report(Add(7));
  fleet_.Advance();
  // 1, 2, 4, 4 s, each with up to a half less.
  for (const absl::Duration longest :
       {absl::Seconds(1), absl::Seconds(2), absl::Seconds(4), absl::Seconds(4)}) {
    const std::size_t dialled = network_.dialled();
    network_.Close(dialled - 1, Refused(503));
    Pass(longest / 2 - absl::Milliseconds(1));
    EXPECT_EQ(network_.dialled(), dialled);
    Pass(longest / 2 + absl::Milliseconds(2));
    EXPECT_EQ(network_.dialled(), dialled + 1);
  }
  EXPECT_EQ(fleet_.tally().failed_connects, 4);
  EXPECT_EQ(fleet_.last_failure(), "declined (HTTP 503)");
  EXPECT_TRUE(fleet_.status().ok());
}

TEST_F(FleetTest, SaysWhenTheServerWillNeverLetItIn) {
  Report(Add(7));
  fleet_.Advance();
  network_.Close(0, Refused(401));
  EXPECT_EQ(fleet_.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(FleetTest, KnowsForHowLongItIsAlone) {
  Pass(absl::Seconds(10));
  EXPECT_EQ(fleet_.alone_for(), absl::ZeroDuration());
  AddOnline();
  Pass(absl::Seconds(10));
  EXPECT_EQ(fleet_.alone_for(), absl::ZeroDuration());
  network_.Close(0, Lost());
  Pass(absl::Seconds(3));
  EXPECT_EQ(fleet_.alone_for(), absl::Seconds(3));
}

TEST_F(FleetTest, MovesAtTheTimeThatTheServerAskedFor) {
  AddOnline();
  std::string frame;
  encoder_.EncodeDrain(WireFormat::kProtobuf, absl::Seconds(3), &frame);
  network_.Deliver(0, frame);
  Pass(absl::Milliseconds(2999));
  EXPECT_FALSE(network_.is_closing(0));
  EXPECT_EQ(fleet_.online(), 1);
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(network_.is_closing(0));
  EXPECT_EQ(fleet_.online(), 0);
  network_.Close(0, {true, 1000, 0, ""});
  EXPECT_EQ(network_.dialled(), 2);
  EXPECT_EQ(fleet_.tally().drains, 1);
  EXPECT_EQ(fleet_.tally().drops, 0);
}

TEST_F(FleetTest, KeepsToThatTimeIfTheServerGoesEarlier) {
  AddOnline();
  std::string frame;
  encoder_.EncodeDrain(WireFormat::kProtobuf, absl::Seconds(3), &frame);
  network_.Deliver(0, frame);
  network_.Close(0, {true, 1012, 0, "service restart"});
  Pass(absl::Milliseconds(2999));
  EXPECT_EQ(network_.dialled(), 1);
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(network_.dialled(), 2);
  EXPECT_EQ(fleet_.tally().drops, 0);
}

class FleetOfSeveralServersTest : public FleetTest {
 protected:
  FleetOfSeveralServersTest()
      : several_(SeveralServers(), &network_, &credentials_, &clock_, this) {}

  static Fleet::Options SeveralServers() {
    Fleet::Options options = MakeOptions();
    options.servers = 3;
    options.max_dialing = 300;
    return options;
  }

  std::size_t ServerOf(std::size_t connection) const { return network_.request(connection).server; }
  void PassFor(absl::Duration duration) {
    clock_.Pass(duration);
    several_.Advance();
  }
  // A phone that is online, over connection 0.
  std::size_t AddOnlineToSeveral() {
    const std::size_t phone = several_.Add(UserId{7}, std::vector<UserId>{UserId{100}});
    several_.Report(phone, {{52.5, 13.4}, clock_.Now()});
    several_.Advance();
    network_.Open(0);
    AnswerInit(0);
    return phone;
  }

  Fleet several_;
};

TEST_F(FleetOfSeveralServersTest, SpreadsOverThem) {
  std::array<int, 3> counts{};
  for (std::uint64_t user = 0; user < 300; ++user) {
    const std::size_t phone = several_.Add(UserId{user}, {});
    several_.Report(phone, {{52.5, 13.4}, clock_.Now()});
  }
  several_.Advance();
  ASSERT_EQ(network_.dialled(), 300);
  for (std::size_t i = 0; i < 300; ++i) ++counts[ServerOf(i)];
  for (const int count : counts) EXPECT_GT(count, 50);
}

TEST_F(FleetOfSeveralServersTest, TakesAnotherAfterALoss) {
  const std::size_t phone = AddOnlineToSeveral();
  EXPECT_EQ(several_.server_of(phone), ServerOf(0));
  network_.Close(0, {true, 4002, 0, "this server has lost touch with the others"});
  EXPECT_FALSE(several_.server_of(phone).has_value());
  // Each time another than the one before.
  for (std::size_t i = 1; i < 20; ++i) {
    PassFor(absl::Seconds(10));
    ASSERT_EQ(network_.dialled(), i + 1);
    EXPECT_NE(ServerOf(i), ServerOf(i - 1));
    network_.Close(i, {false, 0, 503, "declined"});
  }
}

TEST_F(FleetOfSeveralServersTest, TakesAnotherWhenAskedToMove) {
  AddOnlineToSeveral();
  std::string frame;
  encoder_.EncodeDrain(WireFormat::kProtobuf, absl::Seconds(3), &frame);
  network_.Deliver(0, frame);
  PassFor(absl::Seconds(3));
  network_.Close(0, {true, 1000, 0, ""});
  ASSERT_EQ(network_.dialled(), 2);
  EXPECT_NE(ServerOf(1), ServerOf(0));
}

TEST_F(FleetTest, TriesAgainWhenInitIsRefused) {
  Report(Add(7));
  fleet_.Advance();
  network_.Open(0);
  std::string frame;
  encoder_.EncodeError(WireFormat::kProtobuf, TakeCall(0).request_id,
                       absl::UnavailableError("later"), absl::Seconds(9), &frame);
  network_.Deliver(0, frame);
  EXPECT_TRUE(network_.is_closing(0));
  network_.Close(0, {true, 1000, 0, ""});
  Pass(absl::Milliseconds(8999));
  EXPECT_EQ(network_.dialled(), 1);
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(network_.dialled(), 2);
  EXPECT_EQ(fleet_.tally().refusals, 1);
}

TEST_F(FleetTest, StaysAwayWhenSomebodyElseTakesItsPlace) {
  AddOnline();
  network_.Close(0, {true, 4001, 0, "replaced"});
  Pass(absl::Seconds(60));
  EXPECT_EQ(network_.dialled(), 1);
  EXPECT_EQ(fleet_.tally().errors, 1);
  EXPECT_THAT(fleet_.tally().first_error, HasSubstr("user 7 is connected from elsewhere"));
}

TEST_F(FleetTest, SwitchesOffAndOn) {
  const std::size_t phone = AddOnline();
  fleet_.SwitchOff(phone);
  EXPECT_TRUE(network_.is_closing(0));
  network_.Close(0, {true, 1000, 0, ""});
  Pass(absl::Seconds(60));
  EXPECT_EQ(network_.dialled(), 1);
  EXPECT_EQ(fleet_.alone_for(), absl::ZeroDuration());
  Report(phone);
  fleet_.Advance();
  EXPECT_EQ(network_.dialled(), 2);
}

TEST_F(FleetTest, SwitchesOnWhileTheOldConnectionEnds) {
  const std::size_t phone = AddOnline();
  fleet_.SwitchOff(phone);
  Report(phone);
  fleet_.Advance();
  EXPECT_EQ(network_.dialled(), 1);
  network_.Close(0, {true, 1000, 0, ""});
  EXPECT_EQ(network_.dialled(), 2);
}

TEST_F(FleetTest, SubscribesAndUnsubscribesOnlineAlone) {
  const std::size_t phone = Add(7);
  fleet_.Unsubscribe(phone, UserId{100});
  Report(phone);
  fleet_.Advance();
  network_.Open(0);
  AnswerInit(0);
  EXPECT_THAT(network_.TakeCalls(0), SizeIs(0));
  fleet_.Unsubscribe(phone, UserId{100});
  EXPECT_TRUE(std::holds_alternative<nearby::UnsubscribeCall>(TakeCall(0).call));
  fleet_.Subscribe(phone, UserId{100});
  EXPECT_TRUE(std::holds_alternative<nearby::SubscribeCall>(TakeCall(0).call));
}

TEST_F(FleetTest, LeavesWhenItCannotReadTheServer) {
  AddOnline();
  network_.Deliver(0, "\xff\xff\xff");
  EXPECT_TRUE(network_.is_closing(0));
  EXPECT_EQ(fleet_.tally().violations.count(ViolationKind::kUnreadable), 1);
  network_.Close(0, {true, 1000, 0, ""});
  Pass(absl::Seconds(1));
  EXPECT_EQ(network_.dialled(), 2);
}

TEST_F(FleetTest, GivesUpOnAServerThatDoesNotRead) {
  const std::size_t phone = AddOnline();
  network_.Stall(0);
  Report(phone);
  EXPECT_TRUE(network_.is_destroyed(0));
  EXPECT_EQ(fleet_.tally().drops, 1);
  Pass(absl::Seconds(1));
  EXPECT_EQ(network_.dialled(), 2);
}

TEST_F(FleetTest, HangsUpForGood) {
  const std::size_t phone = AddOnline();
  const std::size_t waiting = Add(8);
  Report(waiting);
  fleet_.HangUp();
  EXPECT_TRUE(network_.is_closing(0));
  EXPECT_EQ(fleet_.sockets(), 1);
  network_.Close(0, {true, 1000, 0, ""});
  EXPECT_EQ(fleet_.sockets(), 0);
  Report(phone);
  Report(waiting);
  Pass(absl::Seconds(60));
  EXPECT_EQ(network_.dialled(), 1);
}

TEST(BackoffTest, GrowsToItsLimit) {
  constexpr std::uint64_t kSeed = 5;
  replay::Random random(kSeed);
  Backoff backoff({absl::Seconds(1), absl::Seconds(5)});
  for (int round = 0; round < 2; ++round) {
    for (const int longest_s : {1, 2, 4, 5, 5}) {
      const absl::Duration delay = backoff.Next(&random);
      EXPECT_LE(delay, absl::Seconds(longest_s)) << "seed " << kSeed;
      EXPECT_GE(delay, absl::Seconds(longest_s) / 2) << "seed " << kSeed;
    }
    backoff.Reset();
  }
}

}  // namespace
}  // namespace phones
