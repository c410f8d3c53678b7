// What engine.h documents of each method: every status code, every outcome, every field of every
// effect. What the engine decides is told in tests/scenarios and held against oracles elsewhere.

#include "nearby/engine.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/radius_filter.h"

namespace nearby {
namespace {

using ::testing::HasSubstr;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};
constexpr LatLng kHome{48.137, 11.575};
constexpr LatLng kNearby{48.138, 11.575};  // 111.2 m to the north
constexpr LatLng kFar{49, 11.575};
constexpr Time kNow{1'000'000};

constexpr Friendship Friends() { return Friendship{/*friends=*/true}; }
FriendEntry EntryFor(UserId user) { return {user, Friends()}; }
FriendVersion Version(std::uint64_t version) { return FriendVersion{version}; }

bool IsEmpty(const Effects& effects) {
  return effects.deliveries.empty() && effects.answers.empty() && effects.replaced.empty() &&
         effects.friend_requests.empty() && effects.messages.empty() && effects.locations.empty();
}

/// One engine at kNow.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { Restart(EngineOptions()); }

  void Restart(const EngineOptions& options) {
    engine_ = *Engine::Create(options);
    ASSERT_TRUE(engine_->Advance(kNow, &effects_).ok());
    effects_.Clear();
  }

  ClientHandle Connect(UserId user, const std::vector<FriendEntry>& friends,
                       std::uint64_t cookie = 0) {
    const ClientHandle client = *engine_->Connect({user, cookie, {}}, &effects_);
    EXPECT_TRUE(engine_->FriendsLoaded(client, Version(1), friends, &effects_).ok());
    effects_.Clear();
    return client;
  }

  ReportOutcome Report(ClientHandle client, LatLng location, Time reported_at = kNow) {
    return engine_->Report({client, location, reported_at}, &effects_);
  }

  /// Alice and Bob in sight of each other.
  void Meet() {
    alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
    bob_ = Connect(kBob, {EntryFor(kAlice)}, 72);
    ASSERT_EQ(Report(alice_, kHome), ReportOutcome::kAccepted);
    ASSERT_EQ(Report(bob_, kNearby), ReportOutcome::kAccepted);
    ASSERT_EQ(effects_.deliveries.size(), 2u);
    effects_.Clear();
  }

  /// That the last call failed with this code, said why, and had no effects.
  void ExpectRefused(const absl::Status& status, absl::StatusCode code, const char* why) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
    EXPECT_TRUE(IsEmpty(effects_));
    EXPECT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
  }

  std::unique_ptr<Engine> engine_;
  Effects effects_;
  ClientHandle alice_;
  ClientHandle bob_;
};

// --- Create ---

TEST_F(EngineTest, CreateRefusesEachOptionOutOfRangeByName) {
  struct Case {
    const char* name;
    std::function<void(EngineOptions&)> spoil;
  };
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  using O = EngineOptions;
  const Case cases[] = {
      {"radius_m", [](O& o) { o.radius_m = -1; }},
      {"radius_m", [&](O& o) { o.radius_m = kNaN; }},
      {"radius_m", [](O& o) { o.radius_m = kMaxRadiusMeters + 1; }},
      {"hysteresis_m", [](O& o) { o.hysteresis_m = -0.1; }},
      {"ttl", [](O& o) { o.ttl = absl::ZeroDuration(); }},
      {"ttl", [](O& o) { o.ttl = absl::InfiniteDuration(); }},
      {"min_move_interval", [](O& o) { o.min_move_interval = -absl::Milliseconds(1); }},
      {"min_report_interval", [](O& o) { o.min_report_interval = -absl::Milliseconds(1); }},
      {"max_future_skew", [](O& o) { o.max_future_skew = -absl::Milliseconds(1); }},
      {"unsubscribe_delay", [](O& o) { o.unsubscribe_delay = absl::InfiniteDuration(); }},
      {"max_friends", [](O& o) { o.max_friends = 0; }},
      {"max_friends", [](O& o) { o.max_friends = 65'536; }},
      {"max_entities", [](O& o) { o.max_entities = 0; }},
      {"max_entities", [](O& o) { o.max_entities = (1u << 26) + 1; }},
      {"max_page_size", [](O& o) { o.max_page_size = 0; }},
      {"max_remembered_changes", [](O& o) { o.max_remembered_changes = 0; }},
      {"shard_count", [](O& o) { o.shard_count = 0; }},
      {"shard_count", [](O& o) { o.shard_count = 65; }},
      {"shard ", [](O& o) { o.shard = ShardId{1}; }},
  };
  for (const Case& test : cases) {
    EngineOptions options;
    test.spoil(options);
    const auto engine = Engine::Create(options);
    EXPECT_EQ(engine.status().code(), absl::StatusCode::kInvalidArgument) << test.name;
    EXPECT_THAT(std::string(engine.status().message()), HasSubstr(test.name));
    EXPECT_EQ(options.Validate(), engine.status());
  }
}

TEST_F(EngineTest, CreateTakesOptionsAtTheEndsOfTheirRanges) {
  EngineOptions options;
  options.radius_m = 0;
  options.ttl = absl::Milliseconds(1);
  options.max_friends = 65'535;
  options.max_entities = 1;
  options.shard_count = 64;
  options.shard = ShardId{63};
  EXPECT_TRUE(Engine::Create(options).ok());
  options.radius_m = options.hysteresis_m = kMaxRadiusMeters;
  EXPECT_TRUE(Engine::Create(options).ok());
}

// --- Advance, now, next_event ---

TEST_F(EngineTest, AdvanceRefusesTimesBeforeItsOwnAndOutOfRange) {
  Meet();
  ExpectRefused(engine_->Advance({kNow.ms - 1}, &effects_), absl::StatusCode::kInvalidArgument,
                "earlier");
  ExpectRefused(engine_->Advance({kMaxTimeMs + 1}, &effects_), absl::StatusCode::kInvalidArgument,
                "range");
  ExpectRefused(engine_->Advance(kNever, &effects_), absl::StatusCode::kInvalidArgument, "range");
  EXPECT_EQ(engine_->now(), kNow);
  EXPECT_TRUE(engine_->Advance(kNow, &effects_).ok());
  EXPECT_TRUE(IsEmpty(effects_));
}

TEST_F(EngineTest, AdvanceReachesBothEndsOfTime) {
  auto engine = *Engine::Create(EngineOptions());
  ASSERT_TRUE(engine->Advance({-kMaxTimeMs}, &effects_).ok());
  const ClientHandle client = *engine->Connect({kAlice, 0, {}}, &effects_);
  ASSERT_TRUE(engine->FriendsLoaded(client, Version(1), {}, &effects_).ok());
  EXPECT_EQ(engine->Report({client, kHome, {-kMaxTimeMs}}, &effects_), ReportOutcome::kAccepted);
  ASSERT_TRUE(engine->Advance({kMaxTimeMs}, &effects_).ok());
  ASSERT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kReset);
  EXPECT_EQ(effects_.deliveries[0].time, Time{-kMaxTimeMs + 600'000});
  EXPECT_EQ(engine->Report({client, kHome, {kMaxTimeMs}}, &effects_), ReportOutcome::kAccepted);
}

TEST_F(EngineTest, NextEventIsALowerBoundOfWhatAdvanceDoes) {
  EXPECT_EQ(engine_->next_event(), kNever);
  EngineOptions options;
  options.min_move_interval = absl::Seconds(10);
  options.min_report_interval = absl::Seconds(3);
  Restart(options);
  Meet();
  ASSERT_TRUE(engine_->Advance({kNow.ms + 1000}, &effects_).ok());
  ASSERT_EQ(Report(bob_, kHome, engine_->now()), ReportOutcome::kConflated);
  // Step from bound to bound: the deliveries are those of one long step, and none comes early.
  const Time end{kNow.ms + 700'000};
  Effects stepped;
  while (engine_->next_event() <= end) {
    const Time next = engine_->next_event();
    if (next.ms - 1 > engine_->now().ms) {
      const std::size_t before = stepped.deliveries.size();
      ASSERT_TRUE(engine_->Advance({next.ms - 1}, &stepped).ok());
      ASSERT_EQ(stepped.deliveries.size(), before) << "something happened before next_event";
    }
    ASSERT_TRUE(engine_->Advance(std::max(next, engine_->now()), &stepped).ok());
  }
  EXPECT_EQ(engine_->next_event(), kNever);
  ASSERT_EQ(stepped.deliveries.size(), 4u);
  EXPECT_EQ(stepped.deliveries[0].time, Time{kNow.ms + 10'000});  // the withheld move
  EXPECT_EQ(stepped.deliveries[1].time, Time{kNow.ms + 600'000});
  EXPECT_EQ(stepped.deliveries[3].time, Time{kNow.ms + 603'000});
}

// --- Connect ---

TEST_F(EngineTest, ConnectAsksForFriendsAndGivesAHandle) {
  const auto client = engine_->Connect({kAlice, 71, {}}, &effects_);
  ASSERT_TRUE(client.ok());
  EXPECT_NE(client->generation, 0u);
  ASSERT_EQ(effects_.friend_requests.size(), 1u);
  EXPECT_EQ(effects_.friend_requests[0].client, *client);
  EXPECT_EQ(effects_.friend_requests[0].user, kAlice);
  EXPECT_TRUE(effects_.replaced.empty());
  EXPECT_TRUE(effects_.answers.empty());
  EXPECT_EQ(engine_->Find(kAlice), client.value());
  EXPECT_EQ(engine_->Find(kBob), std::nullopt);
}

TEST_F(EngineTest, ConnectTakesEveryId) {
  for (const std::uint64_t id : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
    const ClientHandle client = Connect(UserId{id}, {EntryFor(kAlice)});
    EXPECT_EQ(engine_->Find(UserId{id}), client);
  }
}

TEST_F(EngineTest, ConnectRefusesAnInvalidRadius) {
  for (const double radius_m : {-1.0, std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN(), kMaxRadiusMeters + 1}) {
    ExpectRefused(engine_->Connect({kAlice, 0, radius_m}, &effects_).status(),
                  absl::StatusCode::kInvalidArgument, "radius");
  }
  EXPECT_EQ(engine_->Find(kAlice), std::nullopt);
}

TEST_F(EngineTest, ConnectRefusesWhoIsNotAtHomeHere) {
  EngineOptions options;
  options.shard_count = 2;
  options.shard = ShardId{1 - ToInt(HomeShard(kAlice, 2))};
  Restart(options);
  ExpectRefused(engine_->Connect({kAlice, 0, {}}, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "home");
}

TEST_F(EngineTest, ConnectRefusesWhenTheShardIsFull) {
  EngineOptions options;
  options.max_entities = 1;
  Restart(options);
  alice_ = Connect(kAlice, {});
  ExpectRefused(engine_->Connect({kBob, 0, {}}, &effects_).status(),
                absl::StatusCode::kResourceExhausted, "full");
  // Replacing takes no room.
  EXPECT_TRUE(engine_->Connect({kAlice, 0, {}}, &effects_).ok());
}

TEST_F(EngineTest, ASecondConnectReplacesTheFirst) {
  Meet();
  const ClientHandle again = *engine_->Connect({kAlice, 73, {}}, &effects_);
  EXPECT_NE(again, alice_);
  ASSERT_EQ(effects_.replaced.size(), 1u);
  EXPECT_EQ(effects_.replaced[0].client, alice_);
  EXPECT_EQ(effects_.replaced[0].cookie, 71u);
  EXPECT_EQ(effects_.replaced[0].user, kAlice);
  EXPECT_EQ(effects_.friend_requests.size(), 1u);
  EXPECT_TRUE(effects_.deliveries.empty());
  EXPECT_EQ(engine_->Find(kAlice), again);
  EXPECT_EQ(Report(alice_, kHome), ReportOutcome::kUnknownClient);
}

// --- FriendsLoaded ---

TEST_F(EngineTest, FriendsLoadedAnswersTheConnectOnce) {
  EngineOptions options;
  options.connect_page_size = 1;
  Restart(options);
  const ClientHandle bob = Connect(kBob, {EntryFor(kAlice)});
  const ClientHandle carol = Connect(kCarol, {EntryFor(kAlice)});
  Report(bob, kNearby);
  Report(carol, kHome);
  const ClientHandle alice = *engine_->Connect({kAlice, 71, {}}, &effects_);
  Report(alice, kHome);
  effects_.Clear();
  const std::vector<FriendEntry> list = {EntryFor(kBob), EntryFor(kCarol)};
  ASSERT_TRUE(engine_->FriendsLoaded(alice, Version(1), list, &effects_).ok());
  ASSERT_EQ(effects_.answers.size(), 1u);
  const ConnectAnswer& answer = effects_.answers[0];
  EXPECT_EQ(answer.client, alice);
  EXPECT_EQ(answer.cookie, 71u);
  EXPECT_EQ(answer.user, kAlice);
  EXPECT_EQ(answer.count, 1u);
  EXPECT_EQ(answer.in_sight, 2u);
  const Delivery& first = effects_.deliveries.at(answer.first);
  EXPECT_EQ(first.subscriber, kAlice);
  EXPECT_EQ(first.friend_id, kCarol);
  EXPECT_EQ(first.kind, DeliveryKind::kEnter);
  EXPECT_EQ(answer.next.friend_id, kCarol);
  EXPECT_EQ(answer.next.distance_mm, 0);

  // The token leads to the rest.
  const auto page = engine_->Nearby(alice, answer.next, 10, &effects_);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->friends.size(), 1u);
  EXPECT_EQ(page->friends[0].friend_id, kBob);

  effects_.Clear();
  ASSERT_TRUE(engine_->FriendsLoaded(alice, Version(1), list, &effects_).ok());
  EXPECT_TRUE(effects_.answers.empty());
  EXPECT_TRUE(effects_.deliveries.empty());
}

TEST_F(EngineTest, FriendsLoadedRefusals) {
  EngineOptions options;
  options.max_friends = 2;
  options.max_remembered_changes = 1;
  Restart(options);
  Meet();
  const auto load = [this](ClientHandle client, std::uint64_t version,
                           const std::vector<FriendEntry>& list) {
    return engine_->FriendsLoaded(client, Version(version), list, &effects_);
  };
  ExpectRefused(load(ClientHandle(), 1, {}), absl::StatusCode::kNotFound, "session");
  ExpectRefused(load({alice_.slot, alice_.generation + 1}, 1, {}), absl::StatusCode::kNotFound,
                "session");
  ExpectRefused(load(alice_, 1, {EntryFor(kBob), EntryFor(kAlice)}),
                absl::StatusCode::kInvalidArgument, "own");
  ExpectRefused(load(alice_, 1, {EntryFor(kBob), EntryFor(kCarol), EntryFor(UserId{4})}),
                absl::StatusCode::kResourceExhausted, "2");
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{4}, Friends(), Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{5}, Friends(), Version(6)}, &effects_).ok());
  ExpectRefused(load(alice_, 4, {}), absl::StatusCode::kFailedPrecondition, "older");
  EXPECT_EQ(engine_->stats().lists_refused, 3u);
  // None of them took Bob away.
  Report(bob_, kHome);
  EXPECT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_TRUE(load(alice_, 6, {EntryFor(kBob)}).ok());
}

// --- Disconnect ---

TEST_F(EngineTest, DisconnectTellsFriendsAndEndsTheHandle) {
  Meet();
  ASSERT_TRUE(engine_->Disconnect(alice_, &effects_).ok());
  ASSERT_EQ(effects_.deliveries.size(), 1u);
  EXPECT_EQ(effects_.deliveries[0].subscriber, kBob);
  EXPECT_EQ(effects_.deliveries[0].reason, LeaveReason::kOffline);
  effects_.Clear();
  ExpectRefused(engine_->Disconnect(alice_, &effects_), absl::StatusCode::kNotFound, "session");
  ExpectRefused(engine_->Disconnect(ClientHandle(), &effects_), absl::StatusCode::kNotFound,
                "session");
  EXPECT_EQ(engine_->Find(kAlice), std::nullopt);
  // Whoever gets the slot next has another handle.
  const ClientHandle carol = Connect(kCarol, {});
  EXPECT_EQ(carol.slot, alice_.slot);
  EXPECT_NE(carol, alice_);
  EXPECT_EQ(Report(alice_, kHome), ReportOutcome::kUnknownClient);
}

// --- Report ---

TEST_F(EngineTest, ReportOutcomesAndTheirStatuses) {
  EngineOptions options;
  options.min_report_interval = absl::Seconds(1);
  Restart(options);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  alice_ = Connect(kAlice, {});
  struct Case {
    LocationReport report;
    ReportOutcome outcome;
    absl::StatusCode code;
  };
  const Case cases[] = {
      {{alice_, {kNaN, 0}, kNow},
       ReportOutcome::kInvalidLocation,
       absl::StatusCode::kInvalidArgument},
      {{alice_, {0, kInfinity}, kNow},
       ReportOutcome::kInvalidLocation,
       absl::StatusCode::kInvalidArgument},
      {{alice_, {90.1, 0}, kNow},
       ReportOutcome::kInvalidLocation,
       absl::StatusCode::kInvalidArgument},
      {{alice_, {0, -180.1}, kNow},
       ReportOutcome::kInvalidLocation,
       absl::StatusCode::kInvalidArgument},
      {{alice_, kHome, {kMaxTimeMs + 1}},
       ReportOutcome::kInvalidTime,
       absl::StatusCode::kInvalidArgument},
      {{alice_, kHome, {std::numeric_limits<std::int64_t>::min()}},
       ReportOutcome::kInvalidTime,
       absl::StatusCode::kInvalidArgument},
      {{alice_, kHome, {kNow.ms + 60'001}},
       ReportOutcome::kFuture,
       absl::StatusCode::kInvalidArgument},
      {{ClientHandle(), kHome, kNow}, ReportOutcome::kUnknownClient, absl::StatusCode::kNotFound},
      {{{Slot{99}, 1}, kHome, kNow}, ReportOutcome::kUnknownClient, absl::StatusCode::kNotFound},
      {{{alice_.slot, 0}, kHome, kNow}, ReportOutcome::kUnknownClient, absl::StatusCode::kNotFound},
      {{alice_, kHome, {kNow.ms + 60'000}}, ReportOutcome::kAccepted, absl::StatusCode::kOk},
      {{alice_, kHome, {kNow.ms + 59'999}},
       ReportOutcome::kStale,
       absl::StatusCode::kFailedPrecondition},
      {{alice_, kHome, {kNow.ms + 60'000}}, ReportOutcome::kConflated, absl::StatusCode::kOk},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(::testing::Message()
                 << test.report.location << " at " << test.report.reported_at.ms);
    const ReportOutcome outcome = engine_->Report(test.report, &effects_);
    EXPECT_EQ(outcome, test.outcome);
    EXPECT_EQ(ToStatus(outcome).code(), test.code);
    EXPECT_EQ(ToStatus(outcome).ok(), ToStatus(outcome).message().empty());
    EXPECT_TRUE(IsEmpty(effects_));
  }
  const EngineStats& stats = engine_->stats();
  EXPECT_EQ(stats.reports_invalid, 6u);
  EXPECT_EQ(stats.reports_future, 1u);
  EXPECT_EQ(stats.reports_unknown_client, 3u);
  EXPECT_EQ(stats.reports_accepted, 1u);
  EXPECT_EQ(stats.reports_stale, 1u);
  EXPECT_EQ(stats.reports_conflated, 1u);
}

TEST_F(EngineTest, ReportAllIsReportInOrder) {
  Meet();
  const std::vector<LocationReport> reports = {{alice_, kNearby, kNow},
                                               {ClientHandle(), kHome, kNow},
                                               {bob_, kFar, kNow},
                                               {bob_, kHome, {kNow.ms - 1}}};
  std::vector<ReportOutcome> outcomes(reports.size(), ReportOutcome::kInvalidTime);
  engine_->ReportAll(reports, outcomes.data(), &effects_);
  EXPECT_EQ(outcomes,
            (std::vector<ReportOutcome>{ReportOutcome::kAccepted, ReportOutcome::kUnknownClient,
                                        ReportOutcome::kAccepted, ReportOutcome::kStale}));
  ASSERT_EQ(effects_.deliveries.size(), 3u);
  EXPECT_EQ(effects_.deliveries[0].kind, DeliveryKind::kMove);
  EXPECT_EQ(effects_.deliveries[1].kind, DeliveryKind::kLeave);
  engine_->ReportAll(reports, nullptr, &effects_);
  engine_->ReportAll({}, nullptr, &effects_);
  EXPECT_EQ(engine_->stats().reports_accepted, 6u);
}

TEST_F(EngineTest, AcceptedLocationsAreEmittedIfAskedFor) {
  Meet();
  EXPECT_TRUE(effects_.locations.empty());
  EngineOptions options;
  options.emit_locations = true;
  Restart(options);
  alice_ = Connect(kAlice, {});
  Report(alice_, kHome, {kNow.ms - 5});
  Report(alice_, {91, 0});
  ASSERT_EQ(effects_.locations.size(), 1u);
  EXPECT_EQ(effects_.locations[0].user, kAlice);
  EXPECT_EQ(effects_.locations[0].position, Position::FromLatLng(kHome));
  EXPECT_EQ(effects_.locations[0].accepted_at, kNow);
  EXPECT_EQ(effects_.locations[0].reported_at, Time{kNow.ms - 5});
}

// --- deliveries ---

TEST_F(EngineTest, EveryFieldOfEveryDelivery) {
  alice_ = Connect(kAlice, {EntryFor(kBob)}, 71);
  bob_ = Connect(kBob, {EntryFor(kAlice)}, 72);
  Report(alice_, kHome);
  ASSERT_TRUE(engine_->Advance({kNow.ms + 10}, &effects_).ok());
  Report(bob_, kNearby, {kNow.ms + 7});
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  const bool alice_first = effects_.deliveries[0].subscriber == kAlice;
  const Delivery& enter = effects_.deliveries[alice_first ? 0 : 1];
  EXPECT_EQ(enter.kind, DeliveryKind::kEnter);
  EXPECT_EQ(enter.cookie, 71u);
  EXPECT_EQ(enter.subscriber, kAlice);
  EXPECT_EQ(enter.friend_id, kBob);
  EXPECT_EQ(enter.time, Time{kNow.ms + 10});
  EXPECT_EQ(enter.reported_at, Time{kNow.ms + 7});
  EXPECT_EQ(enter.position, Position::FromLatLng(kNearby));
  EXPECT_EQ(enter.distance_mm,
            DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kNearby)));
  EXPECT_NEAR(static_cast<double>(enter.distance_mm), 1000 * HaversineMeters(kHome, kNearby), 20);
  EXPECT_EQ(enter.reason, LeaveReason::kNone);

  // Effects are appended to.
  Report(bob_, kHome, {kNow.ms + 8});
  ASSERT_EQ(effects_.deliveries.size(), 3u);
  const Delivery& move = effects_.deliveries[2];
  EXPECT_EQ(move.kind, DeliveryKind::kMove);
  EXPECT_EQ(move.reported_at, Time{kNow.ms + 8});
  EXPECT_EQ(move.position, Position::FromLatLng(kHome));
  EXPECT_EQ(move.distance_mm, 0);

  effects_.Clear();
  Report(bob_, kFar, {kNow.ms + 9});
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  for (const Delivery& leave : effects_.deliveries) {
    EXPECT_EQ(leave.kind, DeliveryKind::kLeave);
    EXPECT_EQ(leave.reason, LeaveReason::kRange);
    EXPECT_EQ(leave.position, Position::Nowhere());
    EXPECT_EQ(leave.reported_at, Time());
    EXPECT_EQ(leave.distance_mm,
              DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kFar)));
  }

  Report(bob_, kHome, {kNow.ms + 10});
  effects_.Clear();
  ASSERT_TRUE(engine_->Advance({kNow.ms + 600'005}, &effects_).ok());
  ASSERT_EQ(effects_.deliveries.size(), 2u);
  for (const Delivery& delivery : effects_.deliveries) {
    const bool is_reset = delivery.subscriber == kAlice;
    EXPECT_EQ(delivery.kind, is_reset ? DeliveryKind::kReset : DeliveryKind::kLeave);
    EXPECT_EQ(delivery.reason, is_reset ? LeaveReason::kNone : LeaveReason::kExpired);
    EXPECT_EQ(delivery.friend_id, kAlice);
    EXPECT_EQ(delivery.time, Time{kNow.ms + 600'000});
    EXPECT_EQ(delivery.position, Position::Nowhere());
    EXPECT_EQ(delivery.distance_mm, 0);
  }
}

TEST(Delivery, NamesAndWhatClientsAreTold) {
  EXPECT_STREQ(ToString(DeliveryKind::kEnter), "enter");
  EXPECT_STREQ(ToString(DeliveryKind::kMove), "move");
  EXPECT_STREQ(ToString(DeliveryKind::kLeave), "leave");
  EXPECT_STREQ(ToString(DeliveryKind::kReset), "reset");
  struct Case {
    LeaveReason reason;
    const char* name;
    LeaveReason told;
  };
  const Case cases[] = {{LeaveReason::kRange, "range", LeaveReason::kRange},
                        {LeaveReason::kExpired, "expired", LeaveReason::kExpired},
                        {LeaveReason::kOffline, "offline", LeaveReason::kOffline},
                        {LeaveReason::kUnfriended, "unfriended", LeaveReason::kOffline},
                        {LeaveReason::kUnsubscribed, "unsubscribed", LeaveReason::kUnsubscribed},
                        {LeaveReason::kHidden, "hidden", LeaveReason::kOffline}};
  for (const Case& test : cases) {
    EXPECT_STREQ(ToString(test.reason), test.name);
    EXPECT_EQ(ReasonForClient(test.reason), test.told) << test.name;
  }
}

// --- Apply ---

TEST_F(EngineTest, ApplyRefusals) {
  EngineOptions options;
  options.max_remembered_changes = 1;
  Restart(options);
  Meet();
  ExpectRefused(engine_->Apply({kAlice, kAlice, Friends(), Version(9)}, &effects_),
                absl::StatusCode::kInvalidArgument, "");
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{4}, Friends(), Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Apply({kCarol, UserId{5}, Friends(), Version(6)}, &effects_).ok());
  ExpectRefused(engine_->Apply({kAlice, kBob, Friendship(), Version(4)}, &effects_),
                absl::StatusCode::kFailedPrecondition, "older");

  options = EngineOptions();
  options.shard_count = 64;
  options.shard = ShardId{63};
  ASSERT_NE(HomeShard(kAlice, 64), options.shard);
  ASSERT_NE(HomeShard(kBob, 64), options.shard);
  Restart(options);
  ExpectRefused(engine_->Apply({kAlice, kBob, Friends(), Version(1)}, &effects_),
                absl::StatusCode::kInvalidArgument, "home");
}

TEST_F(EngineTest, ApplyOfAChangeNotNewerIsARepetition) {
  Meet();
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, Friendship(), Version(2)}, &effects_).ok());
  EXPECT_EQ(effects_.deliveries.size(), 2u);
  effects_.Clear();
  for (const std::uint64_t version : {std::uint64_t{2}, std::uint64_t{1}}) {
    // Seen from either side.
    EXPECT_TRUE(engine_->Apply({kAlice, kBob, Friends(), Version(version)}, &effects_).ok());
    EXPECT_TRUE(engine_->Apply({kBob, kAlice, Friends(), Version(version)}, &effects_).ok());
  }
  EXPECT_TRUE(IsEmpty(effects_));
  EXPECT_EQ(engine_->stats().changes_applied, 1u);
  EXPECT_EQ(engine_->stats().changes_repeated, 4u);
}

TEST_F(EngineTest, ApplyTakesARevocationEvenWhenARowIsFull) {
  EngineOptions options;
  options.max_friends = 1;
  Restart(options);
  Meet();
  // Alice hides from Carol, who is away; Carol's list from before that comes late.
  Friendship hidden = Friends();
  hidden.i_hide = true;
  EXPECT_TRUE(engine_->Apply({kAlice, kCarol, hidden, Version(5)}, &effects_).ok());
  ASSERT_TRUE(engine_->Disconnect(bob_, &effects_).ok());
  effects_.Clear();
  const ClientHandle carol = Connect(kCarol, {EntryFor(kAlice)});
  Report(carol, kHome);
  Report(alice_, kHome);
  for (const Delivery& delivery : effects_.deliveries) EXPECT_NE(delivery.subscriber, kCarol);
}

TEST_F(EngineTest, ApplyLinksNobodyBeyondAFullRow) {
  EngineOptions options;
  options.max_friends = 1;
  Restart(options);
  Meet();
  const ClientHandle carol = Connect(kCarol, {});
  Report(carol, kHome);
  effects_.Clear();
  const absl::Status status = engine_->Apply({kAlice, kCarol, Friends(), Version(5)}, &effects_);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(effects_.deliveries.empty());
  EXPECT_TRUE(engine_->CheckInvariants().ok());
}

// --- SetRadius ---

TEST_F(EngineTest, SetRadiusRefusals) {
  Meet();
  ExpectRefused(engine_->SetRadius(ClientHandle(), 1, &effects_), absl::StatusCode::kNotFound,
                "session");
  for (const double radius_m :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), kMaxRadiusMeters + 1}) {
    ExpectRefused(engine_->SetRadius(alice_, radius_m, &effects_),
                  absl::StatusCode::kInvalidArgument, "radius");
  }
  EXPECT_TRUE(engine_->SetRadius(alice_, 1, &effects_).ok());
  EXPECT_EQ(effects_.deliveries.size(), 1u);
}

// --- Nearby ---

TEST_F(EngineTest, NearbyPages) {
  Meet();
  const auto page = engine_->Nearby(alice_, PageToken(), 1, &effects_);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->in_sight, 1u);
  EXPECT_EQ(page->next, std::nullopt);
  ASSERT_EQ(page->friends.size(), 1u);
  EXPECT_EQ(page->friends[0].friend_id, kBob);
  EXPECT_EQ(page->friends[0].position, Position::FromLatLng(kNearby));
  EXPECT_EQ(page->friends[0].distance_mm,
            DistanceMillimeters(Position::FromLatLng(kHome), Position::FromLatLng(kNearby)));
  EXPECT_EQ(page->friends[0].reported_at, kNow);
  EXPECT_TRUE(IsEmpty(effects_));

  const auto behind = engine_->Nearby(alice_, {page->friends[0].distance_mm, kBob}, 1, &effects_);
  ASSERT_TRUE(behind.ok());
  EXPECT_TRUE(behind->friends.empty());
  EXPECT_EQ(behind->in_sight, 1u);
  EXPECT_EQ(behind->next, std::nullopt);
}

TEST_F(EngineTest, NearbyRefusals) {
  Meet();
  ExpectRefused(engine_->Nearby(alice_, {}, 0, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "page size");
  ExpectRefused(engine_->Nearby(alice_, {}, 1001, &effects_).status(),
                absl::StatusCode::kInvalidArgument, "page size");
  ExpectRefused(engine_->Nearby(ClientHandle(), {}, 1, &effects_).status(),
                absl::StatusCode::kNotFound, "session");
  EXPECT_TRUE(engine_->Nearby(alice_, {}, 1000, &effects_).ok());
}

// --- Receive ---

TEST_F(EngineTest, ReceiveDropsAndCountsWhatCannotBeForThisShard) {
  EngineOptions options;
  options.shard_count = 3;
  options.shard = HomeShard(kAlice, 3);
  Restart(options);
  alice_ = Connect(kAlice, {});
  Report(alice_, kHome);
  const ShardId here = options.shard;
  const ShardId elsewhere{(ToInt(here) + 1) % 3};
  std::vector<PeerMessage> strays;
  for (int kind = 0; kind <= static_cast<int>(PeerMessage::Kind::kOffline); ++kind) {
    PeerMessage message;
    message.kind = static_cast<PeerMessage::Kind>(kind);
    message.user = kAlice;
    message.friend_id = kAlice;
    message.friendship = Friends();
    message.position = Position::FromLatLng(kHome);
    message.accepted_at = message.reported_at = kNow;
    message.from = elsewhere;
    message.to = elsewhere;  // not this shard
    strays.push_back(message);
    message.from = message.to = here;  // from itself
    strays.push_back(message);
    message.from = ShardId{3};  // from no shard
    strays.push_back(message);
  }
  engine_->Receive(strays, &effects_);
  EXPECT_TRUE(IsEmpty(effects_));
  EXPECT_EQ(engine_->stats().messages_received, strays.size());
  EXPECT_EQ(engine_->stats().messages_dropped, strays.size());
  EXPECT_EQ(engine_->stats().entities, 1u);
  EXPECT_TRUE(engine_->CheckInvariants().ok());
}

// --- stats ---

TEST_F(EngineTest, StatsCountWhatHappened) {
  Meet();
  Report(alice_, kHome);
  Report(bob_, kFar);
  Report(bob_, kHome);
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, Friendship(), Version(2)}, &effects_).ok());
  ASSERT_TRUE(engine_->Disconnect(bob_, &effects_).ok());
  ASSERT_TRUE(engine_->Advance({kNow.ms + 600'000}, &effects_).ok());
  const EngineStats& stats = engine_->stats();
  EXPECT_EQ(stats.reports_accepted, 5u);
  EXPECT_EQ(stats.enters, 4u);
  EXPECT_EQ(stats.moves, 1u);
  EXPECT_EQ(stats.leaves_for(LeaveReason::kRange), 2u);
  EXPECT_EQ(stats.leaves_for(LeaveReason::kUnfriended), 2u);
  EXPECT_EQ(stats.leaves_for(LeaveReason::kOffline), 0u);
  EXPECT_EQ(stats.resets, 1u);
  EXPECT_EQ(stats.expiries, 1u);
  EXPECT_EQ(stats.connects, 2u);
  EXPECT_EQ(stats.disconnects, 1u);
  EXPECT_EQ(stats.lists_loaded, 2u);
  EXPECT_EQ(stats.changes_applied, 1u);
  EXPECT_EQ(stats.clients, 1u);
  EXPECT_EQ(stats.entities, 1u);
  EXPECT_EQ(stats.edges, 0u);
  EXPECT_EQ(stats.checks, 5u);

  EngineStats sum = stats;
  sum += stats;
  EXPECT_EQ(sum.enters, 8u);
  EXPECT_EQ(sum.leaves_for(LeaveReason::kRange), 4u);
  EXPECT_EQ(sum.clients, 2u);
}

}  // namespace
}  // namespace nearby
