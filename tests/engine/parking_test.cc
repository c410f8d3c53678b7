// Channels of users who are too far from everybody on another shard: their own shard keeps their
// locations to itself, and nobody is told anything else for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "tests/engine/raw_cluster.h"
#include "tests/engine/seeds.h"

namespace nearby::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Kind = PeerMessage::Kind;

// At home on different shards of two.
constexpr UserId kAlice{1};
constexpr UserId kBob{3};
static_assert(HomeShard(kAlice, 2) == ShardId{1} && HomeShard(kBob, 2) == ShardId{0});

constexpr double kApart = 60'000;
constexpr double kWalk = 0.0249;  // just within the class of speed that users begin with
constexpr std::int64_t kReportMs = 30'000;
constexpr double kMetersPerDegree = kEarthRadiusMeters * 3.14159265358979323846 / 180;

LatLng North(double meters) { return {meters / kMetersPerDegree, 0}; }

/// Several engines whose messages are carried when the test says so, and their clients.
class Shards {
 public:
  explicit Shards(const EngineOptions& options = {}, std::uint32_t count = 2)
      : cluster_(RawCluster::Create(options, count).value()) {
    AdvanceBy(0);
  }

  Engine& engine_of(UserId user) { return cluster_.engine(cluster_.home(user)); }
  std::int64_t now_ms() const { return now_ms_; }

  void AdvanceBy(std::int64_t ms) {
    now_ms_ += ms;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      EXPECT_TRUE(cluster_.engine(shard).Advance(Time{now_ms_}, &effects_).ok());
      Take();
    }
  }

  void Connect(UserId user, std::optional<double> radius_m = std::nullopt) {
    clients_[user] = engine_of(user).Connect({user, 0, radius_m}, &effects_).value();
  }
  void Join(UserId user, const std::vector<FriendEntry>& friends,
            std::optional<double> radius_m = std::nullopt) {
    Connect(user, radius_m);
    Load(user, friends);
  }
  void Load(UserId user, const std::vector<FriendEntry>& friends) {
    EXPECT_TRUE(
        engine_of(user).FriendsLoaded(clients_[user], FriendVersion{1}, friends, &effects_).ok());
    effects_.friend_requests.clear();
    Take();
  }
  void Disconnect(UserId user) {
    EXPECT_TRUE(engine_of(user).Disconnect(clients_[user], &effects_).ok());
    clients_.erase(user);
    Take();
  }
  bool is_connected(UserId user) const { return clients_.count(user) > 0; }
  void SetRadius(UserId user, double meters) {
    EXPECT_TRUE(engine_of(user).SetRadius(clients_[user], meters, &effects_).ok());
    Take();
  }
  void Report(UserId user, LatLng location) {
    EXPECT_EQ(engine_of(user).Report({clients_[user], location, Time{now_ms_}}, &effects_),
              ReportOutcome::kAccepted);
    Take();
  }
  void Report(UserId user, double meters) { Report(user, North(meters)); }

  /// Carries one message, the head of the `choice`-th queue; false if there is none.
  bool CarryOne(std::size_t choice = 0) {
    const std::optional<PeerMessage> message = cluster_.TakeMessage(choice);
    if (!message) return false;
    Receive(*message);
    return true;
  }
  void Carry() {
    while (CarryOne()) {
    }
  }
  /// Carries up to so many, those to one shard by one call.
  void CarryTogether(std::size_t count, std::mt19937_64* random) {
    std::map<ShardId, std::vector<PeerMessage>> by_shard;
    for (; count > 0; --count) {
      const std::optional<PeerMessage> message = cluster_.TakeMessage((*random)());
      if (message) by_shard[message->to].push_back(*message);
    }
    for (const auto& [shard, messages] : by_shard) {
      cluster_.engine(ToInt(shard)).Receive(messages, &effects_);
      Take();
    }
  }
  void Receive(const PeerMessage& message) {
    cluster_.engine(ToInt(message.to)).Receive({&message, 1}, &effects_);
    Take();
  }
  /// From now on one in eight reports of users elsewhere is lost, as in a mailbox that is full.
  void LoseSome(bool on) { loses_some_ = on; }
  std::optional<PeerMessage> TakeMessage() { return cluster_.TakeMessage(0); }
  bool has_messages() const { return cluster_.has_messages(); }

  bool Sees(UserId viewer, UserId owner) {
    return engine_of(viewer).InSight(clients_[viewer], owner).has_value();
  }
  /// What has been delivered since this was last asked.
  std::vector<std::string> deliveries() { return std::exchange(deliveries_, {}); }
  /// Messages of a kind sent since this was last asked.
  int sent(Kind kind) { return std::exchange(sent_[kind], 0); }

  EngineStats stats() {
    EngineStats sum;
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      sum += cluster_.engine(shard).stats();
    }
    return sum;
  }
  void CheckInvariants() {
    for (std::uint32_t shard = 0; shard < cluster_.size(); ++shard) {
      EXPECT_EQ(cluster_.engine(shard).CheckInvariants(), absl::OkStatus());
    }
  }

 private:
  void Take() {
    std::vector<PeerMessage> kept;
    for (const PeerMessage& message : effects_.messages) {
      ++sent_[message.kind];
      const bool is_lost = loses_some_ && message.kind == Kind::kLocation && ++locations_ % 8 == 0;
      if (!is_lost) kept.push_back(message);
    }
    effects_.messages.clear();
    cluster_.Enqueue(&kept);
    for (const Delivery& delivery : effects_.deliveries) {
      deliveries_.push_back(absl::StrCat(ToString(delivery.kind), " ", ToInt(delivery.subscriber),
                                         " ", ToInt(delivery.friend_id), " ",
                                         (delivery.distance_mm + 500) / 1000, " m"));
    }
    effects_.Clear();
  }

  RawCluster cluster_;
  std::int64_t now_ms_ = 1'000'000;
  std::map<UserId, ClientHandle> clients_;
  Effects effects_;
  std::vector<std::string> deliveries_;
  std::map<Kind, int> sent_;
  bool loses_some_ = false;
  int locations_ = 0;
};

class ParkingTest : public ::testing::Test {
 protected:
  // Alice and Bob far apart, both channels parked.
  void Begin(const EngineOptions& options = {}) {
    shards_.emplace(options);
    shards_->Join(kAlice, {{kBob, {true}}});
    shards_->Join(kBob, {{kAlice, {true}}});
    shards_->Carry();
    shards_->Report(kAlice, 0.0);
    shards_->Report(kBob, kApart);
    shards_->Carry();
    for (const UserId user : {kAlice, kBob}) {
      shards_->Report(user, user == kAlice ? 0 : kApart);
      shards_->Carry();
    }
    EXPECT_GE(shards_->sent(Kind::kPark), 2);
    shards_->sent(Kind::kLocation);
  }

  Shards& shards() { return *shards_; }

  // Alice walks north; Bob stays. Both report.
  void Walk(std::int64_t ms) {
    shards_->AdvanceBy(ms);
    shards_->Report(kBob, kApart);
    shards_->Carry();
    alice_m_ += kWalk * static_cast<double>(ms);
    shards_->Report(kAlice, alice_m_);
  }

  // The next message of a kind; the others are lost.
  std::optional<PeerMessage> Next(Kind kind) {
    for (;;) {
      std::optional<PeerMessage> message = shards_->TakeMessage();
      if (!message || message->kind == kind) return message;
    }
  }

  std::optional<Shards> shards_;
  double alice_m_ = 0;
};

TEST_F(ParkingTest, WhoIsFarFromEverybodyIsNotTalkedAbout) {
  Begin();
  for (int report = 0; report < 10; ++report) {
    Walk(kReportMs);
    EXPECT_FALSE(shards().has_messages());
  }
  EXPECT_GE(shards().stats().locations_parked, 20u);
}

TEST_F(ParkingTest, TheOptionTurnsItOff) {
  EngineOptions options;
  options.park_far_channels = false;
  shards_.emplace(options);
  shards().Join(kAlice, {{kBob, {true}}});
  shards().Join(kBob, {{kAlice, {true}}});
  shards().Carry();
  for (int report = 0; report < 4; ++report) {
    Walk(kReportMs);
    shards().Carry();
  }
  EXPECT_EQ(shards().sent(Kind::kPark), 0);
  EXPECT_EQ(shards().sent(Kind::kLocation), 8);
}

TEST_F(ParkingTest, WhoComesNearIsTalkedAboutInTime) {
  Begin();
  // 52 km at 25 m/s: Alice alone needs 2,100 s, and ticks reach half as far.
  std::vector<std::string> told;
  int locations = 0;
  while (told.empty() && alice_m_ < kApart) {
    Walk(kReportMs);
    shards().Carry();
    told = shards().deliveries();
    locations += shards().sent(Kind::kLocation);
  }
  EXPECT_THAT(told, ElementsAre("enter 1 3 7710 m", "enter 3 1 7710 m"));
  EXPECT_LT(locations, 24);  // of 140
}

TEST_F(ParkingTest, WhoBreaksTheirBoundIsTalkedAboutAtOnce) {
  Begin();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, kApart - 1000);
  EXPECT_EQ(shards().sent(Kind::kLocation), 1);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 1 3 1000 m", "enter 3 1 1000 m"));
}

// Bob's shard holds where Alice was ten minutes ago, when Bob comes to where she is now.
TEST_F(ParkingTest, WhatIsHeldOfWhoIsParkedSettlesNothing) {
  Begin();
  for (int report = 0; report < 20; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  // Where she was, but is not any more.
  shards().Report(kBob, 100.0);
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  // Where she is: 14,940 m north.
  shards().Report(kBob, 14'000.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), UnorderedElementsAre("enter 3 1 940 m", "enter 1 3 940 m"));
}

TEST_F(ParkingTest, ALargerRadiusAsksForWhoIsWithinIt) {
  Begin();
  for (int report = 0; report < 10; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  // 52,530 m apart; what Bob's shard holds is 60,000 m away.
  shards().SetRadius(kBob, 55'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 52530 m"));
}

// Bob's radius reaches nobody yet. But Alice need not have gone as far as she might until then.
TEST_F(ParkingTest, ALargerRadiusShortensThePark) {
  Begin();
  shards().SetRadius(kBob, 58'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), IsEmpty());
  std::vector<std::string> told;
  for (int report = 0; report < 3 && told.empty(); ++report) {
    Walk(kReportMs);
    shards().Carry();
    told = shards().deliveries();
  }
  EXPECT_THAT(told, ElementsAre("enter 3 1 57759 m"));
}

TEST_F(ParkingTest, AFasterFriendShortensThePark) {
  Begin();
  // Bob proves to be fast. From then on he goes towards her at that speed.
  double bob_m = kApart;
  std::vector<std::string> told;
  for (int report = 0; report < 80 && told.empty(); ++report) {
    bob_m -= 0.069 * 10'000;
    shards().AdvanceBy(10'000);
    shards().Report(kAlice, 0.0);
    shards().Carry();
    shards().Report(kBob, bob_m);
    shards().Carry();
    told = shards().deliveries();
  }
  EXPECT_THAT(told, UnorderedElementsAre("enter 3 1 7560 m", "enter 1 3 7560 m"));
}

TEST_F(ParkingTest, ANewFriendAsksForWhoIsNear) {
  // At home with Bob. She and Alice are no friends yet.
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  shards().Join(kCarol, {});
  shards().Report(kCarol, 1'000.0);
  for (int report = 0; report < 3; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  shards().Load(kCarol, {{kAlice, {true}}});
  shards().Carry();
  EXPECT_THAT(shards().deliveries(),
              UnorderedElementsAre("enter 10 1 1241 m", "enter 1 10 1241 m"));
}

TEST_F(ParkingTest, AListThatComesAfterTheFirstReportAsksForWhoIsNear) {
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  for (int report = 0; report < 3; ++report) Walk(kReportMs);
  shards().Connect(kCarol);
  shards().Report(kCarol, 1'000.0);
  shards().Load(kCarol, {{kAlice, {true}}});
  shards().Carry();
  EXPECT_THAT(shards().deliveries(),
              UnorderedElementsAre("enter 10 1 1241 m", "enter 1 10 1241 m"));
}

// A second connect of the same user, who is at a place and sees farther than before: those in sight
// enter, though the answer does not know them yet.
TEST_F(ParkingTest, ASecondConnectAsksForWhoIsNear) {
  Begin();
  shards().Join(kBob, {{kAlice, {true}}}, 61'000);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 60000 m"));
}

TEST_F(ParkingTest, WhoIsParkedBeyondTheTimeToLiveIsHeld) {
  EngineOptions options;
  options.ttl = absl::Seconds(100);
  Begin(options);
  for (int report = 0; report < 10; ++report) Walk(kReportMs);
  EXPECT_FALSE(shards().has_messages());
  shards().Report(kBob, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), UnorderedElementsAre("enter 3 1 7470 m", "enter 1 3 7470 m"));
  shards().CheckInvariants();
}

TEST_F(ParkingTest, WhoExpiresWhileParkedIsSeenByNobody) {
  EngineOptions options;
  options.ttl = absl::Seconds(100);
  Begin(options);
  shards().AdvanceBy(50'000);
  shards().Report(kBob, kApart);
  shards().AdvanceBy(60'000);
  shards().Report(kBob, 100.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("reset 1 1 0 m"));
  shards().Report(kAlice, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 1 3 100 m", "enter 3 1 100 m"));
}

TEST_F(ParkingTest, WhoLeavesWhileParkedIsForgotten) {
  Begin();
  shards().Disconnect(kAlice);
  shards().Carry();
  shards().Report(kBob, 0.0);
  shards().Carry();
  EXPECT_FALSE(shards().has_messages());
  EXPECT_EQ(shards().engine_of(kBob).stats().entities, 1u);
}

// --- messages that cross ---

TEST_F(ParkingTest, ARequestThatANewerLocationHasCrossedParksNothing) {
  Begin();
  shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 2'000.0);  // a jump
  const std::optional<PeerMessage> jump = Next(Kind::kLocation);
  shards().Report(kAlice, 2'010.0);
  const std::optional<PeerMessage> step = Next(Kind::kLocation);
  ASSERT_TRUE(jump.has_value() && step.has_value());
  // The request that the jump's location sets off comes when the next has been sent.
  shards().Receive(*jump);
  const std::optional<PeerMessage> request = Next(Kind::kPark);
  if (request) shards().Receive(*request);
  shards().Report(kAlice, 2'020.0);
  EXPECT_TRUE(Next(Kind::kLocation).has_value());
}

TEST_F(ParkingTest, AnAnswerThatANewerLocationHasOvertakenSaysNothing) {
  Begin();
  for (int report = 0; report < 20; ++report) Walk(kReportMs);
  shards().Report(kBob, 20'000.0);  // asks
  const std::optional<PeerMessage> question = Next(Kind::kSubscribe);
  ASSERT_TRUE(question.has_value());
  shards().Receive(*question);
  const std::optional<PeerMessage> here = Next(Kind::kHere);
  ASSERT_TRUE(here.has_value());
  shards().Receive(*here);
  EXPECT_THAT(shards().deliveries(), ElementsAre("enter 3 1 5060 m"));
  // A second one was not asked for; else Bob would be told of a move that was none.
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

// --- who asks for nobody ---

TEST_F(ParkingTest, WhoIsNowhereAsksForNobody) {
  constexpr UserId kCarol{10};
  static_assert(HomeShard(kCarol, 2) == ShardId{0});
  Begin();
  shards().Load(kAlice, {{kBob, {true}}, {kCarol, {true}}});
  shards().Join(kCarol, {{kAlice, {true}}});
  shards().Carry();
  Walk(kReportMs);
  shards().Carry();
  shards().sent(Kind::kSubscribe);
  shards().SetRadius(kCarol, 100'000);
  EXPECT_EQ(shards().sent(Kind::kSubscribe), 0);
  // But when she is somewhere, she does.
  shards().Report(kCarol, 0.0);
  shards().Carry();
  EXPECT_THAT(shards().deliveries(), Contains("enter 10 1 747 m"));
}

TEST_F(ParkingTest, AFriendWhoIsLostIsNotAskedFor) {
  Begin();
  shards().AdvanceBy(200'000);
  shards().sent(Kind::kSubscribe);
  shards().Load(kBob, {});
  EXPECT_EQ(shards().sent(Kind::kSubscribe), 0);
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

// Two shards have parked Alice, the one for a short time and the other for a long one.
TEST_F(ParkingTest, TheShorterOfTwoParksCounts) {
  constexpr UserId kCarol{6};
  static_assert(HomeShard(kAlice, 3) == ShardId{1} && HomeShard(kBob, 3) == ShardId{0} &&
                HomeShard(kCarol, 3) == ShardId{2});
  EngineOptions options;
  options.ttl = absl::Hours(1);
  for (const bool bob_is_first : {false, true}) {
    shards_.emplace(options, 3);
    shards().Join(kAlice, {{kBob, {true}}, {kCarol, {true}}});
    shards().Join(kBob, {{kAlice, {true}}});
    shards().Join(kCarol, {{kAlice, {true}}});
    shards().Carry();
    shards().Report(kBob, 20'000.0);
    shards().Report(kCarol, 300'000.0);
    shards().Carry();
    shards().Report(kAlice, 0.0);
    const std::optional<PeerMessage> first = shards().TakeMessage();
    const std::optional<PeerMessage> second = shards().TakeMessage();
    ASSERT_TRUE(first.has_value() && second.has_value());
    for (const bool is_bobs_turn : {bob_is_first, !bob_is_first}) {
      shards().Receive((ToInt(first->to) == 0) == is_bobs_turn ? *first : *second);
      shards().Carry();
    }
    EXPECT_GE(shards().sent(Kind::kPark), 2);
    std::vector<std::string> told;
    double alice_m = 0;
    for (int report = 0; report < 30 && told.empty(); ++report) {
      shards().AdvanceBy(kReportMs);
      alice_m += kWalk * static_cast<double>(kReportMs);
      shards().Report(kAlice, alice_m);
      shards().Carry();
      told = shards().deliveries();
    }
    EXPECT_THAT(told, UnorderedElementsAre("enter 1 3 7301 m", "enter 3 1 7301 m"));
  }
}

// Nobody is parked for longer than ticks keep their meaning, whatever is asked for.
TEST_F(ParkingTest, NobodyIsParkedForEver) {
  Begin();
  for (int report = 0; report < 33; ++report) Walk(0), shards().AdvanceBy(kReportMs);
  shards().Report(kAlice, 0.0);
  EXPECT_GE(shards().sent(Kind::kLocation), 1);
}

// --- whatever the order in which messages arrive ---

// Users who drift about between far and near on three shards, whose messages wait for each other at
// random. Whenever nothing is under way, everybody sees exactly those within sight.
class Wanderers {
 public:
  explicit Wanderers(std::uint64_t seed)
      : random_(seed),
        ttl_(Options(seed).ttl),
        loses_some_(seed % 4 == 0),
        shards_(Options(seed), 3) {
    shards_.LoseSome(loses_some_);
    for (std::uint64_t id = 0; id < kUsers; ++id) {
      users_[UserId{id}];
      Join(UserId{id});
    }
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      shards_.AdvanceBy(OneIn(60) ? 700'000 : Below(OneIn(3) ? 40'000 : 3'000));
      for (auto& [id, user] : users_) {
        if (OneIn(3)) Act(id, &user);
      }
      // In no order but that of each pair of shards.
      if (OneIn(3)) shards_.CarryTogether(static_cast<std::size_t>(Below(40)), &random_);
      for (std::int64_t left = Below(20); left > 0 && shards_.CarryOne(random_()); --left) {
      }
      if (OneIn(8)) {
        CarryAll();
        if (loses_some_) HealAll();
        Check();
      }
    }
    shards_.CheckInvariants();
  }

  EngineStats stats() { return shards_.stats(); }
  std::uint64_t seen() const { return seen_; }

 private:
  static constexpr std::uint64_t kUsers = 9;
  struct User {
    bool is_connected = false;
    double radius_m = 8046.72;
    double east = 0;
    double north = 0;
    double speed = 0;  // metres a millisecond, to the north
    std::int64_t last_ms = std::numeric_limits<std::int64_t>::min() / 2;  // of the last report
    std::int64_t moved_ms = 0;
    Position position;
  };

  void CarryAll() {
    while (shards_.CarryOne(random_())) {
    }
  }

  // The next report makes up for what was lost.
  void HealAll() {
    shards_.LoseSome(false);
    for (auto& [id, user] : users_) {
      if (IsActive(user)) Report(id, &user);
    }
    CarryAll();
    shards_.LoseSome(true);
  }

  static EngineOptions Options(std::uint64_t seed) {
    EngineOptions options;
    const absl::Duration times_to_live[] = {absl::Minutes(10), absl::Minutes(2), absl::Seconds(90)};
    options.ttl = times_to_live[seed % 3];
    if (seed % 5 == 0) options.unsubscribe_delay = absl::ZeroDuration();
    return options;
  }
  bool OneIn(std::uint64_t n) { return random_() % n == 0; }
  std::int64_t Below(std::uint64_t n) { return static_cast<std::int64_t>(random_() % n); }
  static bool AreFriends(std::uint64_t a, std::uint64_t b) { return a != b && (a + b) % 3 != 0; }

  void Join(UserId id) {
    std::vector<FriendEntry> friends;
    for (const auto& [other, user] : users_) {
      if (AreFriends(ToInt(id), ToInt(other))) friends.push_back({other, {true}});
    }
    User& user = users_[id];
    shards_.Join(id, friends, user.radius_m);
    user.is_connected = true;
  }

  void Act(UserId id, User* user) {
    if (!user->is_connected) {
      Join(id);
    } else if (OneIn(60)) {
      shards_.Disconnect(id);
      user->is_connected = false;
      user->last_ms = std::numeric_limits<std::int64_t>::min() / 2;
    } else if (OneIn(40)) {
      user->radius_m = OneIn(3) ? 30'000 : static_cast<double>(Below(12'000));
      shards_.SetRadius(id, user->radius_m);
    } else if (OneIn(60)) {
      Join(id);
    } else {
      Move(user);
      Report(id, user);
    }
  }

  void Report(UserId id, User* user) {
    const LatLng location{user->north / kMetersPerDegree, user->east / kMetersPerDegree};
    shards_.Report(id, location);
    user->last_ms = shards_.now_ms();
    user->position = Position::FromLatLng(location);
  }

  void Move(User* user) {
    if (OneIn(20)) {
      constexpr double kSpeeds[] = {0, 0.0029, 0.0249, 0.0249, 0.0699, 0.29};
      user->speed = kSpeeds[random_() % 6];
      if ((user->north > 0) != OneIn(5)) user->speed = -user->speed;
    }
    user->north += user->speed * static_cast<double>(shards_.now_ms() - user->moved_ms);
    user->moved_ms = shards_.now_ms();
    if (OneIn(60)) user->north = static_cast<double>(Below(200'000)) - 100'000;
    if (OneIn(200)) user->east = static_cast<double>(Below(6'000));
    user->north = std::min(std::max(user->north, -150'000.0), 150'000.0);
  }

  bool IsActive(const User& user) const {
    const std::int64_t ttl_ms = absl::ToInt64Milliseconds(ttl_);
    return user.is_connected && user.last_ms + ttl_ms > shards_.now_ms();
  }

  void Check() {
    for (const auto& [viewer_id, viewer] : users_) {
      for (const auto& [owner_id, owner] : users_) {
        if (!viewer.is_connected || !AreFriends(ToInt(viewer_id), ToInt(owner_id))) continue;
        bool expected = IsActive(viewer) && IsActive(owner);
        if (expected) {
          const double meters =
              static_cast<double>(DistanceMillimeters(viewer.position, owner.position)) / 1000;
          if (std::abs(meters - viewer.radius_m) < 0.05) continue;
          expected = meters < viewer.radius_m;
        }
        seen_ += expected ? 1 : 0;
        EXPECT_EQ(shards_.Sees(viewer_id, owner_id), expected)
            << ToInt(viewer_id) << " of " << ToInt(owner_id) << " at " << shards_.now_ms();
      }
    }
  }

  std::mt19937_64 random_;
  const absl::Duration ttl_;
  const bool loses_some_;
  Shards shards_;
  std::map<UserId, User> users_;
  std::uint64_t seen_ = 0;
};

TEST(ParkingRandomTest, WheneverNothingIsUnderWayEverybodySeesWhoIsInSight) {
  EngineStats stats;
  std::uint64_t seen = 0;
  const std::uint64_t ran = ForSeeds(500, [&](std::uint64_t seed) {
    Wanderers wanderers(seed);
    wanderers.Run(400);
    stats += wanderers.stats();
    seen += wanderers.seen();
  });
  EXPECT_GT(stats.locations_parked, ran * 50);
  EXPECT_GT(stats.locations_asked, ran * 5);
  EXPECT_GT(stats.bound_breaks, ran * 10);
  EXPECT_GT(seen, ran * 50);
}

}  // namespace
}  // namespace nearby::test
