// Messages about parked channels that cross, come late, or cannot be granted: both shards are of
// one mind in the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "tests/engine/parking_fixture.h"

namespace nearby::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ParkingMessagesTest : public ParkingTest {
 protected:
  // Bob's shard asks where Alice is, who is parked: what hers says.
  std::optional<PeerMessage> AnswerToBob() {
    for (int report = 0; report < 20; ++report) Walk(kReportMs);
    shards().Report(kBob, 20'000.0);
    const std::optional<PeerMessage> question = Next(Kind::kSubscribe);
    if (!question.has_value()) return std::nullopt;
    shards().Receive(*question);
    return Next(Kind::kHere);
  }
};

TEST_F(ParkingTest, ARequestThatANewerLocationHasCrossedParksNothing) {
  Begin();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 2'000.0);  // a jump
  const PeerMessage jump = Next(Kind::kLocation).value();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 2'500.0);
  ASSERT_TRUE(Next(Kind::kLocation).has_value());
  // The request that the jump's location sets off comes when the next has been sent.
  shards().Receive(jump);
  const PeerMessage request = Next(Kind::kPark).value();
  shards().Receive(request);
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 3'000.0);
  EXPECT_TRUE(Next(Kind::kLocation).has_value());
}

TEST_F(ParkingMessagesTest, AnAnswerThatANewerLocationHasOvertakenSaysNothing) {
  Begin();
  const std::optional<PeerMessage> here = AnswerToBob();
  ASSERT_TRUE(here.has_value());
  shards().Receive(*here);
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 5060 m"));
  // A second one was not asked for; else Bob would be told of a move that was none.
  shards().Receive(*here);
  EXPECT_THAT(shards().deliveries(), IsEmpty());
}

// By whose clock it is of the future: what is held of the first is when it came.
TEST_F(ParkingMessagesTest, AnAnswerOfAClockThatIsAheadSaysNothingTheSecondTime) {
  Begin();
  std::optional<PeerMessage> here = AnswerToBob();
  ASSERT_TRUE(here.has_value());
  here->accepted_at.ms += 3'000;
  shards().Receive(*here);
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 5060 m"));
  shards().AdvanceBy(500);
  shards().Receive(*here);
  EXPECT_THAT(shards().deliveries(), IsEmpty());
}

// Bob's shard asks; a location that Alice sent by herself crosses the question; it parks, and asks
// again. The first answer is not the second.
TEST_F(ParkingTest, AnAnswerToAnOlderQuestionEndsNoNewerOne) {
  constexpr double kFar = 600'000;
  shards_.emplace();
  shards().Join(kAlice, {{kBob, {true}}});
  shards().Join(kBob, {{kAlice, {true}}});
  shards().Carry();
  for (int report = 0; report < 2; ++report) {
    shards().Report(kAlice, 0.0);
    shards().Report(kBob, kFar);
    shards().Carry();
  }
  shards().AdvanceBy(kReportMs);
  shards().SetRadius(kBob, kFar - 10'000);
  const PeerMessage first_question = Next(Kind::kSubscribe).value();
  shards().Report(kAlice, -2'000.0);  // a jump
  shards().Receive(Next(Kind::kLocation).value());
  const PeerMessage request = Next(Kind::kPark).value();
  shards().SetRadius(kBob, kFar + 1'000);
  const PeerMessage second_question = Next(Kind::kSubscribe).value();
  shards().Receive(first_question);
  const PeerMessage first_answer = Next(Kind::kHere).value();
  shards().Receive(request);
  shards().AdvanceBy(20'000);
  shards().Report(kAlice, -620.0);
  shards().Receive(second_question);
  std::vector<PeerMessage> rest;
  while (std::optional<PeerMessage> message = shards().TakeMessage()) rest.push_back(*message);
  shards().Receive(first_answer);
  for (const PeerMessage& message : rest) shards().Receive(message);
  shards().Carry();
  EXPECT_TRUE(shards().Sees(kBob, kAlice)) << "600.62 km apart, and the radius is 601 km";
}

// Carol, at home with Bob, who has gone: her shard's word that it does not listen to Alice any more
// is late, and so is what it says after that.
class LateWordTest : public ParkingTest {
 protected:
  static constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});

  void Begin(const EngineOptions& options, std::optional<double> alice_m) {
    shards_.emplace(options);
    shards().Join(kAlice, {{kBob, {true}}});
    shards().Join(kBob, {{kAlice, {true}}});
    shards().Join(kCarol, {});
    shards().Carry();
    for (const UserId user : {kBob, kCarol}) shards().Report(user, 0.0);
    if (alice_m) shards().Report(kAlice, *alice_m);
    shards().Carry();
    shards().Disconnect(kBob);
    shards().Carry();
  }

  // Puts what is under way to Alice's shard behind what is already; carries the rest.
  void Collect() {
    std::vector<PeerMessage> to_carol;
    while (std::optional<PeerMessage> message = shards().TakeMessage()) {
      (ToInt(message->to) == 1 ? to_alice_ : to_carol).push_back(*message);
    }
    for (const PeerMessage& message : to_carol) shards().Receive(message);
    while (std::optional<PeerMessage> message = shards().TakeMessage()) {
      to_alice_.push_back(*message);
    }
  }

  // Up to and with the first of a kind.
  void Deliver(Kind last) {
    while (!to_alice_.empty()) {
      const PeerMessage message = to_alice_.front();
      to_alice_.erase(to_alice_.begin());
      shards().Receive(message);
      if (message.kind == last) return;
    }
  }
  void DeliverAll() {
    while (!to_alice_.empty()) Deliver(to_alice_.front().kind);
    shards().Carry();
  }

  // Alice, 500 m away, walks off, and Carol sees her for as long as she is in sight.
  void ExpectCarolSeesAliceGo() {
    EXPECT_TRUE(shards().Sees(kCarol, kAlice));
    for (int report = 1; report < 20; ++report) {
      shards().AdvanceBy(kReportMs);
      shards().Report(kCarol, 0.0);
      shards().Report(kAlice, 500 + report * 700.0);
      shards().Carry();
      EXPECT_EQ(shards().Sees(kCarol, kAlice), 500 + report * 700 < 8046) << report;
    }
  }

  std::vector<PeerMessage> to_alice_;
};

TEST_F(LateWordTest, ANewRemoteBelievesTheAnswerMoreThanAnOlderLocation) {
  Begin({}, 8'300);
  shards().AdvanceBy(30'001);
  shards().Report(kCarol, 0.0);
  Collect();  // Unsubscribe
  shards().Load(kAlice, {{kBob, {true}}, {kCarol, {true}}});
  shards().Report(kAlice, 8'300.0);
  Collect();
  Deliver(Kind::kUnsubscribe);
  shards().AdvanceBy(20'000);
  shards().Report(kCarol, 0.0);
  shards().Report(kAlice, 7'900.0);  // Nobody listens.
  DeliverAll();
  EXPECT_TRUE(shards().Sees(kCarol, kAlice));
}

TEST_F(LateWordTest, WhoHasExpiredAndComeBackIsNotParkedOnWhatWasBefore) {
  EngineOptions options;
  options.ttl = absl::Seconds(100);
  Begin(options, 100'000);
  shards().AdvanceBy(120'000);
  shards().Report(kCarol, 0.0);
  Collect();
  shards().Load(kAlice, {{kBob, {true}}, {kCarol, {true}}});
  shards().Report(kAlice, 100'000.0);
  Collect();
  Deliver(Kind::kUnsubscribe);
  for (int report = 0; report < 4; ++report) {
    shards().AdvanceBy(kReportMs);
    shards().Report(kCarol, 0.0);
  }
  shards().Report(kAlice, 500.0);
  DeliverAll();
  ExpectCarolSeesAliceGo();
}

TEST_F(LateWordTest, ANewSessionIsNotParkedOnWhatTheOneBeforeSent) {
  Begin({}, std::nullopt);
  shards().AdvanceBy(30'001);
  shards().Report(kCarol, 0.0);
  Collect();
  shards().Load(kAlice, {{kCarol, {true}}});
  shards().Report(kAlice, 100'000.0);  // her first
  Collect();
  Deliver(Kind::kUnsubscribe);
  shards().AdvanceBy(10'000);
  shards().Report(kCarol, 0.0);
  shards().Disconnect(kAlice);
  shards().Join(kAlice, {{kCarol, {true}}});
  Deliver(Kind::kSubscribe);
  shards().Report(kAlice, 500.0);  // the first of this session
  DeliverAll();
  ExpectCarolSeesAliceGo();
}

TEST_F(ParkingTest, RequestsThatCannotBeGrantedChangeNothing) {
  Begin();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 2'000.0);
  std::optional<PeerMessage> request;
  while (std::optional<PeerMessage> message = shards().TakeMessage()) {
    if (message->kind == Kind::kPark && message->user == kAlice) request = message;
    if (message->kind == Kind::kLocation) shards().Receive(*message);
  }
  ASSERT_TRUE(request.has_value());
  shards().sent(Kind::kLocation);
  const auto is_granted = [this](const PeerMessage& message) {
    shards().Receive(message);
    shards().AdvanceBy(1'000);
    shards().Report(kAlice, 2'000.0);
    return shards().sent(Kind::kLocation) == 0;
  };
  std::vector<PeerMessage> bad(7, *request);
  bad[0].sequence += 1;
  bad[1].speed_bound = 0.001F;
  bad[2].speed_bound = std::numeric_limits<float>::quiet_NaN();
  bad[3].until = Time{std::numeric_limits<std::int64_t>::max()};
  bad[4].until = Time{std::numeric_limits<std::int64_t>::min()};
  bad[5].until = Time{shards().now_ms()};
  bad[6].user = kBob;
  for (PeerMessage& message : bad) {
    // Each location that is sent is a newer one to rest on.
    if (&message != &bad[0]) message.sequence = request->sequence;
    EXPECT_FALSE(is_granted(message));
    ++request->sequence;
  }
  EXPECT_TRUE(is_granted(*request));
}

}  // namespace
}  // namespace nearby::test
