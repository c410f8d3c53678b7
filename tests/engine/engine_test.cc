// What engine.h documents of each method: every status code, every outcome, every field of every
// effect. What the engine decides is told in tests/scenarios and held against oracles elsewhere.
// Here: making one, time, messages and statistics.

#include "nearby/engine.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/radius_filter.h"
#include "tests/engine/engine_fixture.h"

namespace nearby::test {
namespace {

using ::testing::HasSubstr;

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

// Whoever asks may know the change already, and have a list that is newer: they would take no word
// of it for an answer, and never hear of Alice.
TEST_F(EngineTest, WhoIsAnnouncedWithoutAWordOfWhatTheyMaySeeIsAnsweredByAList) {
  EngineOptions options;
  options.spans_nodes = true;
  Restart(options);
  Connect(kAlice, {EntryFor(kBob)});
  const Friendship bob_hides{/*friends=*/true, /*i_hide=*/false, /*friend_hides=*/true};
  ASSERT_TRUE(engine_->Apply({kAlice, kBob, bob_hides, Version(2)}, &effects_).ok());
  effects_.Clear();
  PeerMessage message;
  message.kind = PeerMessage::Kind::kAnnounce;
  message.user = kBob;
  message.friend_id = kAlice;
  message.friendship = {/*friends=*/true, /*i_hide=*/true, /*friend_hides=*/true};
  message.from = options.elsewhere();
  message.to = options.shard;
  engine_->Receive({&message, 1}, &effects_);
  ASSERT_EQ(effects_.friend_requests.size(), 1u);
  EXPECT_EQ(effects_.friend_requests[0].user, kAlice);
  EXPECT_TRUE(effects_.messages.empty());
}

}  // namespace
}  // namespace nearby::test
